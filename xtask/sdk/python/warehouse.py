"""Calls the warehouse with its generated client, the one that does not block: inputs and results of every shape. See
orders.py."""

import asyncio

from checks import check, equal, miss, url
from warehouse_client import (
    AsyncWarehouseClient,
    AsyncWarehouseExecutions,
    ConvertWeightFailed,
    Kind,
    RefuseDeliveryFailed,
    Size,
    local_system,
)


async def main(client: AsyncWarehouseClient) -> None:
    size: Size = {"width_mm": 400, "height_mm": 300, "depth_mm": 200}
    item = await client.describe_item({"sku": "A-1", "size": size, "kind": {"type": "frozen", "celsius": -18}})
    equal("a tagged enum as input", item, {"sku": "A-1", "litres": 24, "label": "frozen at -18", "note": None})
    page = await client.list_shelves({"aisle": "A 7", "limit": 2})
    equal("path and query", page["items"], [{"aisle": "A 7", "level": 1}, {"aisle": "A 7", "level": 2}])
    page = await client.list_shelves({"aisle": "B", "limit": None})
    equal("a query without its optional parameter", len(page["items"]), 10)
    equal("an enum of words", await client.convert_weight({"value": 2, "from": "kilogram", "to": "gram"}), 2000)
    equal("a list as input", await client.add_up([1, 2, 3]), 6)
    equal("0", await client.add_up([]), 0)
    equal("an empty text", await client.trim_note("   "), "")
    dry: Kind = {"type": "dry"}
    equal("false", await client.is_hazardous(dry), False)
    equal("null", await client.find_note("nobody"), None)
    equal("an empty list", await client.expired({"before_day": 0}), [])
    await client.forget("anything")

    try:
        await client.convert_weight({"value": -1, "from": "gram", "to": "gram"})
        miss("a weight below nothing")
    except ConvertWeightFailed as error:
        negative = "Negative" in error.data and error.data["Negative"]["value"] == -1
        check("an error with data", negative and error.status == 422)
    try:
        await client.refuse_delivery({"id": "d-9"})
        miss("a delivery that is stowed")
    except RefuseDeliveryFailed as error:
        equal("an error of DELETE", error.data, {"TooLate": "d-9"})

    await client.receive_delivery({"id": "d-1", "pallets": [{"sku": "A", "boxes": 3}]})
    async with asyncio.timeout(30):
        while (view := await client.get_delivery({"id": "d-1"}))["status"] == "running":
            await asyncio.sleep(0.02)
    report = view.get("report")
    check("a workflow's report", report is not None and report["stowed"][0]["grams"] == 3000)


async def stow() -> None:
    executions = AsyncWarehouseExecutions(local_system(url))
    started = await executions.stow_delivery.start({"id": "d-2", "pallets": [{"sku": "A", "boxes": 1}]}, name="d-2")
    equal("an execution without blocking", (await started.result())["total_grams"], 1000)
    await executions.close()


async def run() -> None:
    async with AsyncWarehouseClient(url) as client:
        await main(client)
    await stow()


asyncio.run(run())
