# The service of the conformance suite. `cargo xtask test` deploys it onto the emulated AWS.

terraform {
  required_version = ">= 1.11"
  required_providers {
    eventual = {
      source = "eventual/eventual"
    }
  }
}

variable "artifact" {
  description = "What `cargo eventual build --package conformance` wrote."
  type        = string
}

resource "eventual_service" "conformance" {
  name          = "conformance"
  artifact      = var.artifact
  force_destroy = true
}

output "url" {
  description = "Where the commands are: POST {url}/rpc/{command}."
  value       = eventual_service.conformance.url
}
