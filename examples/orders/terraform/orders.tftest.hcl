# `terraform test` deploys the service under a name of its own, looks at it, and destroys it.

variables {
  name = "orders-test"
}

run "deploys" {
  assert {
    condition     = startswith(eventual_service.orders.url, "http")
    error_message = "The service has a URL."
  }
  assert {
    condition     = contains(keys(eventual_service.orders.functions), "task-processPayment")
    error_message = "Payments are taken by a function of their own."
  }
}

run "second_apply_changes_nothing" {
  assert {
    condition     = eventual_service.orders.incarnation == run.deploys.incarnation
    error_message = "It is still the same deployment."
  }
}

run "other_memory_keeps_the_deployment" {
  variables {
    payment_memory_mb = 512
  }
  assert {
    condition     = eventual_service.orders.incarnation == run.deploys.incarnation
    error_message = "An override updates in place."
  }
}
