ephemeral "eventual_service_credentials" "orders" {
  service     = "orders"
  role_arn    = "arn:aws:iam::123456789012:role/caller"
  permissions = ["start_execution"]
}

# Starts a workflow once; the credentials can do that and nothing else, and are gone after 15 minutes.
resource "terraform_data" "first_order" {
  provisioner "local-exec" {
    command = "aws lambda invoke --function-name \"$SYSTEM\" --payload '{\"op\":\"start\",\"workflow\":\"processOrder\"}' --cli-binary-format raw-in-base64-out /dev/stdout"
    environment = {
      SYSTEM                = ephemeral.eventual_service_credentials.orders.system_function_arn
      AWS_REGION            = ephemeral.eventual_service_credentials.orders.region
      AWS_ACCESS_KEY_ID     = ephemeral.eventual_service_credentials.orders.access_key_id
      AWS_SECRET_ACCESS_KEY = ephemeral.eventual_service_credentials.orders.secret_access_key
      AWS_SESSION_TOKEN     = ephemeral.eventual_service_credentials.orders.session_token
    }
  }
}
