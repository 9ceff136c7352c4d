# After every deployment (Terraform 1.14 and later).
action "eventual_invoke_command" "warm_up" {
  config {
    service    = "orders"
    command    = "placeOrder"
    input_json = jsonencode({ id = "smoke-test", amount_cents = 1, card = "tok_visa" })
  }
}

resource "eventual_service" "orders" {
  name     = "orders"
  artifact = "target/eventual/orders.zip"

  lifecycle {
    action_trigger {
      events  = [after_create, after_update]
      actions = [action.eventual_invoke_command.warm_up]
    }
  }
}
