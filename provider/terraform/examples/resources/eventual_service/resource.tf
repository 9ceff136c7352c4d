# `cargo eventual build --package orders` wrote the artifact.
resource "eventual_service" "orders" {
  name     = "orders"
  artifact = "target/eventual/orders.zip"
}

output "url" {
  value = eventual_service.orders.url
}
