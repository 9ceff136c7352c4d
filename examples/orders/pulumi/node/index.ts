// The order service in your AWS account: one resource.
import * as pulumi from "@pulumi/pulumi";
import * as orders from "@pulumi/orders";

const config = new pulumi.Config();
const payments = { PAYMENTS_URL: config.get("paymentsUrl") ?? "https://payments.example.com" };

const service = new orders.Service("orders", {
    name: config.get("name") ?? "orders",
    artifact: new pulumi.asset.FileArchive(config.get("artifact") ?? "../../../../target/eventual/orders.zip"),
    // Everything has sensible defaults in code; what is said here wins, for one function and no other.
    commands: {
        placeOrder: { memoryMb: 512 },
    },
    tasks: {
        processPayment: { memoryMb: config.getNumber("paymentMemoryMb") ?? 256, environment: payments },
    },
    subscriptions: {
        payAnnounced: { environment: payments },
    },
    environment: { API_TOKEN: config.getSecret("apiToken") ?? pulumi.secret("sandbox-token") },
    tags: { team: "orders" },
});

export const url = service.url;
