terraform import eventual_service.orders orders
terraform import eventual_service.orders 123456789012/eu-central-1/orders
