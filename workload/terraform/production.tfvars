region     = "us-east-1"
account    = "111122223333"
cluster    = "stocker-pro-production"
roles      = "stocker-pro-production"
subnet_ids = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
nodes = {
  min     = 2
  max     = 4
  desired = 2
}
database = {
  identifier         = "stocker-pro-production"
  subnet_group       = "stocker-pro-production"
  parameter_group    = "stocker-pro-production"
  security_group_ids = ["sg-0a1b2c3d4e5f60003"]
  backup_retention   = 30
}
