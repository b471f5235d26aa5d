region     = "us-east-1"
account    = "444455556666"
cluster    = "dr-drill-stocker-pro-staging"
roles      = "stocker-pro-staging"
subnet_ids = ["subnet-0b1b2c3d4e5f60001", "subnet-0b1b2c3d4e5f60002"]
nodes = {
  min     = 1
  max     = 2
  desired = 1
}
