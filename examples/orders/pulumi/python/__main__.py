"""The order service in your AWS account: one resource."""

import pulumi
import pulumi_orders as orders

config = pulumi.Config()
payments = {"PAYMENTS_URL": config.get("paymentsUrl") or "https://payments.example.com"}

service = orders.Service(
    "orders",
    name=config.get("name") or "orders",
    artifact=pulumi.FileArchive(config.get("artifact") or "../../../../target/eventual/orders.zip"),
    # Everything has sensible defaults in code; what is said here wins, for one function and no other.
    commands={"place_order": {"memory_mb": 512}},
    tasks={
        "process_payment": {
            "memory_mb": config.get_int("paymentMemoryMb") or 256,
            "environment": payments,
        }
    },
    subscriptions={"pay_announced": {"environment": payments}},
    environment={"API_TOKEN": config.get_secret("apiToken") or pulumi.Output.secret("sandbox-token")},
    tags={"team": "orders"},
)

pulumi.export("url", service.url)
