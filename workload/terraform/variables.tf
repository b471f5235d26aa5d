variable "region" {
  description = "Where everything here is."
  type        = string
}

variable "cluster" {
  description = "The cluster that STOCKER Pro runs on; in a drill, one beside it."
  type        = string
}

variable "account" {
  description = "Holds the roles below, which are made once and outlive every cluster."
  type        = string
}

variable "roles" {
  description = "What the names of the cluster's and the nodes' roles begin with."
  type        = string
}

variable "subnet_ids" {
  type = list(string)
}

variable "nodes" {
  description = "Node group: the least, the most, and how many to begin with."
  type = object({
    min     = number
    max     = number
    desired = number
  })
}

variable "database" {
  description = "The database's identifier; null where it is not this state's, as in a drill."
  type = object({
    identifier           = string
    subnet_group         = string
    parameter_group      = string
    security_group_ids   = list(string)
    backup_retention     = number
    master_user_password = optional(string)
  })
  default = null
}

variable "tags" {
  type    = map(string)
  default = {}
}
