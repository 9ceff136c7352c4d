terraform {
  required_version = ">= 1.11"
  required_providers {
    eventual = {
      source  = "eventual/eventual"
      version = "~> 0.1"
    }
  }
}

# Region and credentials come from where the AWS CLI takes them; everything here is optional.
provider "eventual" {
  region = "eu-central-1"

  default_tags = {
    team = "shop"
  }
}
