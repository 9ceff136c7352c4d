output "version" {
  value = provider::eventual::artifact_hash("target/eventual/orders.zip")
}
