# A service that somebody else deployed.
data "eventual_service" "orders" {
  name = "orders"
}

# Let a role of ours start its workflows.
resource "aws_iam_role_policy" "start_orders" {
  role   = "caller"
  policy = data.eventual_service.orders.grants.start_execution_json
}

output "commands" {
  value = data.eventual_service.orders.manifest.commands
}
