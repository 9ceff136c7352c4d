# terraform apply -invoke=action.eventual_invoke_system.resume (Terraform 1.14 and later)
action "eventual_invoke_system" "resume" {
  config {
    service      = "orders"
    request_json = jsonencode({ op = "resume", execution = "processOrder/1" })
  }
}
