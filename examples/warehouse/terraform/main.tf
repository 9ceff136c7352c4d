# The warehouse in your AWS account. Everything that is not said here has a default.

terraform {
  required_version = ">= 1.11"
  required_providers {
    eventual = {
      source = "eventual/eventual"
    }
  }
}

variable "artifact" {
  description = "What `cargo eventual build --package warehouse` wrote."
  type        = string
  default     = "../../../target/eventual/warehouse.zip"
}

resource "eventual_service" "warehouse" {
  name          = "warehouse"
  artifact      = var.artifact
  force_destroy = true
}

output "url" {
  description = "Where the commands are: POST {url}/rpc/{command}."
  value       = eventual_service.warehouse.url
}
