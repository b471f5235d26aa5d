region     = "us-east-1"
account    = "111122223333"
cluster    = "dr-drill-stocker-pro-production"
roles      = "stocker-pro-production"
subnet_ids = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
nodes = {
  min     = 1
  max     = 2
  desired = 1
}
