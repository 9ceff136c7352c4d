import {
  to = eventual_service.orders
  id = "orders"
}
