# Needs no AWS account: the file is all that is looked at.
output "commands" {
  value = provider::eventual::manifest("target/eventual/orders.zip").commands
}
