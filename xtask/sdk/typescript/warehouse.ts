// Calls the warehouse with its generated client: inputs and results of every shape. See orders.ts.

import { ConvertWeightFailed, type Kind, RefuseDeliveryFailed, WarehouseClient } from "warehouse-client";

import { check, equal, rejected, url } from "./checks.js";

const client = new WarehouseClient({ url });
const size = { width_mm: 400, height_mm: 300, depth_mm: 200 };

equal("a tagged enum as input", await client.describeItem({ sku: "A-1", size, kind: { type: "frozen", celsius: -18 } }), {
  sku: "A-1",
  litres: 24,
  label: "frozen at -18",
  note: null,
});
equal("path and query", (await client.listShelves({ aisle: "A 7", limit: 2 })).items, [
  { aisle: "A 7", level: 1 },
  { aisle: "A 7", level: 2 },
]);
equal("a query without its optional parameter", (await client.listShelves({ aisle: "B", limit: null })).items.length, 10);
equal("an enum of words", await client.convertWeight({ value: 2, from: "kilogram", to: "gram" }), 2000);
equal("a list as input", await client.addUp([1, 2, 3]), 6);
equal("0", await client.addUp([]), 0);
equal("an empty text", await client.trimNote("   "), "");
const dry: Kind = { type: "dry" };
equal("false", await client.isHazardous(dry), false);
equal("null", await client.findNote("nobody"), null);
equal("an empty list", await client.expired({ before_day: 0 }), []);
equal("nothing", await client.forget("anything"), null);

const negative = await rejected(ConvertWeightFailed, client.convertWeight({ value: -1, from: "gram", to: "gram" }));
check("an error with data", "Negative" in negative.data && negative.data.Negative.value === -1 && negative.status === 422);
const late = await rejected(RefuseDeliveryFailed, client.refuseDelivery({ id: "d-9" }));
equal("an error of DELETE", late.data, { TooLate: "d-9" });
// @ts-expect-error: a unit that is not there
await client.convertWeight({ value: 1, from: "stone", to: "gram" }).catch(() => undefined);

await client.receiveDelivery({ id: "d-1", pallets: [{ sku: "A", boxes: 3 }] });
let view = await client.getDelivery({ id: "d-1" });
for (const end = Date.now() + 30_000; view.status === "running" && Date.now() < end; ) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  view = await client.getDelivery({ id: "d-1" });
}
equal("a workflow's report", view.report?.stowed, [{ sku: "A", grams: 3000, label: "A x 3" }]);
