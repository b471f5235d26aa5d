region     = "us-west-2"
account    = "111122223333"
cluster    = "stocker-pro-production"
roles      = "stocker-pro-production"
subnet_ids = ["subnet-0a1b2c3d4e5f70001", "subnet-0a1b2c3d4e5f70002"]
nodes = {
  min     = 2
  max     = 4
  desired = 2
}
