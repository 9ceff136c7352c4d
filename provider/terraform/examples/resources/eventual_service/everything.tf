variable "api_key" {
  type      = string
  ephemeral = true
}

resource "eventual_service" "shop" {
  name     = "shop"
  artifact = "target/eventual/shop.zip"

  # Every function.
  environment = {
    LOG_LEVEL = "info"
  }
  defaults = {
    memory_mb          = 512
    log_retention_days = 90
    auth               = { type = "iam" }
  }

  # A value that neither plan nor state keeps; another version writes it again.
  environment_wo         = { API_KEY = var.api_key }
  environment_wo_version = "2"

  # Single functions, by the names in the code.
  commands = {
    placeOrder = {
      timeout = 20
      auth    = { type = "none" }
    }
    report = {
      auth = {
        type     = "jwt"
        issuer   = "https://login.example.com"
        audience = ["shop"]
      }
    }
  }
  tasks = {
    processPayment = {
      memory_mb            = 1024
      reserved_concurrency = 10
      policies = [{
        effect         = "Allow"
        actions        = ["secretsmanager:GetSecretValue"]
        resources      = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:payments-*"]
        condition_json = jsonencode({ StringEquals = { "secretsmanager:VersionStage" = "AWSCURRENT" } })
      }]
      vpc = {
        subnet_ids         = ["subnet-0a1b2c3d4e5f60718"]
        security_group_ids = ["sg-0a1b2c3d4e5f60718"]
      }
    }
  }
  subscriptions = {
    sendReceipt = { environment = { SENDER = "shop@example.com" } }
  }
  workflows = {
    processOrder = { retention_days = 365 }
  }
  orchestrator = {
    memory_mb = 1024
  }

  cors = {
    allow_origins     = ["https://shop.example.com"]
    allow_methods     = ["GET", "POST"]
    allow_headers     = ["content-type"]
    expose_headers    = ["x-request-id"]
    allow_credentials = true
    max_age           = 3600
  }

  force_destroy     = false
  on_create_failure = "resume"
  tags              = { team = "shop" }
  timeouts          = { create = "20m", read = "2m", update = "20m", delete = "20m" }
}
