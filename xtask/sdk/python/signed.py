"""Calls a deployed order service that lets nobody in without a signature, with credentials that somebody lent: the generated
client signs. Arguments: URL of the service, endpoint of Lambda's API, name of the system function. Prints like its neighbours."""

import asyncio
import os
import sys
from dataclasses import replace

from checks import check, equal, raised, url
from orders_client import (
    AsyncOrdersClient,
    AwsCredentials,
    OrdersClient,
    OrdersExecutions,
    PlaceOrder,
    RefusedError,
    SigV4Auth,
    lambda_system,
)

endpoint, system = sys.argv[2:4] if len(sys.argv) > 3 else ("", "")
region = "us-east-1"


def lent(name: str) -> str:
    return os.environ.get(f"AWS_{name}", "")


credentials = AwsCredentials(lent("ACCESS_KEY_ID"), lent("SECRET_ACCESS_KEY"), lent("SESSION_TOKEN"))
id = "from-python"
order: PlaceOrder = {"id": id, "amount_cents": 4_200, "card": "tok", "ship_within_s": 3_600}

unsigned = raised(RefusedError, lambda: OrdersClient(url).place_order(order))
check("without a signature nobody is let in", unsigned.status == 403)
forged = SigV4Auth(region, replace(credentials, secret_access_key="guessed"))
refused = raised(RefusedError, lambda: OrdersClient(url, auth=forged).place_order(order))
check("nor with one that nobody could have made", refused.status == 403)

signing = SigV4Auth(region, lambda: credentials)
client = OrdersClient(url, auth=signing)
equal("a signed call is answered", client.place_order(order), {"id": id, "execution": f"processOrder/{id}"})
check("one with its input in the path, too", client.get_order({"id": id})["id"] == id)


async def at_once() -> str:
    async with AsyncOrdersClient(url, auth=signing) as client:
        return (await client.get_order({"id": id}))["id"]


equal("and one that does not block", asyncio.run(at_once()), id)

executions = OrdersExecutions(lambda_system(system, region=region, credentials=credentials, url=endpoint))
execution = executions.process_order.execution(id)
execution.signal("orderShipped", {"tracking": "t-1"})
status = execution.result()["status"]
check("so is the system function", status["state"] == "shipped" and status["tracking"] == "t-1")
