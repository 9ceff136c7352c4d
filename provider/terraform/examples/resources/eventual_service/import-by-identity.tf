import {
  to = eventual_service.orders
  identity = {
    name       = "orders"
    account_id = "123456789012"
    region     = "eu-central-1"
  }
}
