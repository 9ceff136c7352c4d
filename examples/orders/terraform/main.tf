# The order service in your AWS account: one resource.
#
#   cargo eventual build --package orders
#   cd examples/orders/terraform && terraform init && terraform apply

terraform {
  required_version = ">= 1.11"
  required_providers {
    eventual = {
      source = "eventual/eventual"
    }
  }
}

variable "name" {
  description = "Name of the deployment; part of the name of everything that is made."
  type        = string
  default     = "orders"
}

variable "artifact" {
  description = "What `cargo eventual build` wrote."
  type        = string
  default     = "../../../target/eventual/orders.zip"
}

variable "payments_url" {
  description = "The payments gateway. Without one, the service pays in a sandbox."
  type        = string
  default     = null
}

variable "payment_memory_mb" {
  description = "Memory of the function that takes payments."
  type        = number
  default     = 256
}

locals {
  payments = var.payments_url == null ? {} : { PAYMENTS_URL = var.payments_url }
}

# Region and credentials come from where the AWS CLI takes them.
provider "eventual" {}

resource "eventual_service" "orders" {
  name     = var.name
  artifact = var.artifact

  # Everything has sensible defaults in code; what is said here wins, for one function and no other.
  tasks = {
    processPayment = {
      memory_mb   = var.payment_memory_mb
      environment = local.payments
    }
  }
  subscriptions = {
    payAnnounced = { environment = local.payments }
  }

  # Orders are data: with `false`, the default, `destroy` refuses while there are any.
  force_destroy = true

  tags = { team = "shop" }
}

output "url" {
  description = "Where orders are placed: POST {url}/orders."
  value       = eventual_service.orders.url
}

output "functions" {
  description = "What runs: an AWS Lambda function for each command, task and subscription, and the engine's own."
  value       = eventual_service.orders.functions
}

output "incarnation" {
  description = "Identifies this life of the deployment: an update keeps it, a replacement does not."
  value       = eventual_service.orders.incarnation
}
