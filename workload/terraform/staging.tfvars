region     = "us-east-1"
account    = "444455556666"
cluster    = "stocker-pro-staging"
roles      = "stocker-pro-staging"
subnet_ids = ["subnet-0b1b2c3d4e5f60001", "subnet-0b1b2c3d4e5f60002"]
nodes = {
  min     = 2
  max     = 4
  desired = 2
}
database = {
  identifier         = "stocker-pro-staging"
  subnet_group       = "stocker-pro-staging"
  parameter_group    = "stocker-pro-staging"
  security_group_ids = ["sg-0b1b2c3d4e5f60003"]
  backup_retention   = 7
}
