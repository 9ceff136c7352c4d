terraform {
  required_version = ">= 1.11"
  required_providers {
    eventual = {
      source  = "eventual/eventual"
      version = "~> 0.1"
    }
  }
}

# What a provider may be told. Proxies are taken from HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
provider "eventual" {
  region  = "eu-central-1"
  profile = "shop"

  # Deployments into any other account are refused.
  allowed_account_ids = ["123456789012"]

  assume_role = {
    role_arn     = "arn:aws:iam::123456789012:role/deployer"
    session_name = "terraform"
    external_id  = "shop"
  }

  # Behind a proxy that opens TLS.
  ca_bundle = "/etc/ssl/company.pem"

  # An emulated AWS.
  endpoint = "http://127.0.0.1:4566"

  default_tags = {
    team = "shop"
  }
}
