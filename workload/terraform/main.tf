resource "aws_eks_cluster" "this" {
  name     = var.cluster
  role_arn = "arn:aws:iam::${var.account}:role/${var.roles}-cluster"
  tags     = var.tags

  vpc_config {
    subnet_ids = var.subnet_ids
  }

  # Access is by access entries; who makes the cluster administers it, so that a rebuild can go on at once.
  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = true
  }
}

resource "aws_eks_node_group" "general" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "general"
  node_role_arn   = "arn:aws:iam::${var.account}:role/${var.roles}-node"
  subnet_ids      = var.subnet_ids
  tags            = var.tags

  scaling_config {
    min_size     = var.nodes.min
    max_size     = var.nodes.max
    desired_size = var.nodes.desired
  }

  # Whoever scales the group owns this number, the disaster recovery among them.
  lifecycle {
    ignore_changes = [scaling_config[0].desired_size]
  }
}

resource "aws_db_instance" "this" {
  count = var.database == null ? 0 : 1

  identifier                  = var.database.identifier
  db_name                     = "stocker_db"
  engine                      = "postgres"
  engine_version              = "18"
  instance_class              = "db.r6g.large"
  allocated_storage           = 100
  storage_type                = "gp3"
  storage_encrypted           = true
  multi_az                    = true
  username                    = "stocker"
  manage_master_user_password = var.database.master_user_password == null ? true : null
  password                    = var.database.master_user_password
  db_subnet_group_name        = var.database.subnet_group
  parameter_group_name        = var.database.parameter_group
  vpc_security_group_ids      = var.database.security_group_ids
  backup_retention_period     = var.database.backup_retention
  deletion_protection         = true
  copy_tags_to_snapshot       = true

  lifecycle {
    prevent_destroy = true
  }
}
