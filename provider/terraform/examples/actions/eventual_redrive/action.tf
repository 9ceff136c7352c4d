# terraform apply -invoke=action.eventual_redrive.orders (Terraform 1.14 and later)
action "eventual_redrive" "orders" {
  config {
    service = "orders"
    queue   = "workflows"
    limit   = 1000
  }
}
