// Calls a deployed order service that lets nobody in without a signature, with credentials that somebody lent: the generated
// client signs. Arguments: URL of the service, endpoint of Lambda's API, name of the system function. Prints like its neighbours.

import {
  type AwsCredentials,
  lambdaSystem,
  OrdersClient,
  OrdersExecutions,
  type PlaceOrder,
  RefusedError,
  sigV4,
} from "orders-client";

import { check, equal, rejected, url } from "./checks.js";

declare const process: { argv: string[]; env: Record<string, string | undefined> };

const [, , , endpoint = "", system = ""] = process.argv;
const region = "us-east-1";
const lent = (name: string) => process.env[`AWS_${name}`] ?? "";
const credentials: AwsCredentials = {
  accessKeyId: lent("ACCESS_KEY_ID"),
  secretAccessKey: lent("SECRET_ACCESS_KEY"),
  sessionToken: lent("SESSION_TOKEN"),
};
const id = "from-typescript";
const order: PlaceOrder = { id, amount_cents: 4_200, card: "tok", ship_within_s: 3_600 };

const unsigned = await rejected(RefusedError, new OrdersClient({ url }).placeOrder(order));
check("without a signature nobody is let in", unsigned.status === 403);
const forged = sigV4({ region, credentials: { ...credentials, secretAccessKey: "guessed" } });
const refused = await rejected(RefusedError, new OrdersClient({ url, sign: forged }).placeOrder(order));
check("nor with one that nobody could have made", refused.status === 403);

const client = new OrdersClient({ url, sign: sigV4({ region, credentials: () => credentials }) });
equal("a signed call is answered", await client.placeOrder(order), { id, execution: `processOrder/${id}` });
check("one with its input in the path, too", (await client.getOrder({ id })).id === id);

const executions = new OrdersExecutions(lambdaSystem({ url: endpoint, function: system, region, credentials }));
const execution = executions.processOrder.execution(id);
await execution.signal("orderShipped", { tracking: "t-1" });
const { status } = await execution.result();
check("so is the system function", status.state === "shipped" && status.tracking === "t-1");
