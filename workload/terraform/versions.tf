terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0, < 7.0"
    }
  }
  # Bucket, key, region and lock table come as arguments of `terraform init`: one state for each environment and Region.
  backend "s3" {}
}

provider "aws" {
  region = var.region
}
