region     = "us-west-2"
account    = "444455556666"
cluster    = "stocker-pro-staging"
roles      = "stocker-pro-staging"
subnet_ids = ["subnet-0b1b2c3d4e5f70001", "subnet-0b1b2c3d4e5f70002"]
nodes = {
  min     = 2
  max     = 4
  desired = 2
}
