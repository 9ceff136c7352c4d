// Calls the order service with its generated client. Prints a line `ok ...` for each check that held; the first that does
// not ends the program.

import {
  CommandError,
  EventualError,
  GetOrderFailed,
  ExecutionError,
  InvalidInputError,
  lambdaSystem,
  localSystem,
  OperationRefused,
  OrdersClient,
  OrdersExecutions,
  type PlaceOrder,
  sigV4,
  UnavailableError,
} from "orders-client";

import { check, equal, rejected, url } from "./checks.js";

const client = new OrdersClient({ url, timeoutMs: 20_000 });
const order: PlaceOrder = { id: "o-1", amount_cents: 4_200, card: "tok_unavailable_once", ship_within_s: 3_600 };

const placed = await client.placeOrder(order);
equal("a command at its own route", placed, { id: "o-1", execution: "processOrder/o-1" });
equal("the same order again is the same order", await client.placeOrder(order), placed);

await client.shipOrder({ id: "o-1", tracking: "t-9" });
let view = await client.getOrder({ id: "o-1" });
for (const end = Date.now() + 30_000; view.status === "running" && Date.now() < end; ) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  view = await client.getOrder({ id: "o-1" });
}
const status = view.receipt?.status;
check("a workflow ends with a typed receipt", status?.state === "shipped" && status.tracking === "t-9");

const unknown = await rejected(GetOrderFailed, client.getOrder({ id: "nobody" }));
check("an error has class and status", unknown.class === "OrderError::Call" && unknown.status === 404);
check("an error's data is typed", "Call" in unknown.data && unknown.data.Call.class === "ClientError::NotFound");
check("an error of a command is told from all others", unknown instanceof CommandError && unknown instanceof EventualError);

const slash = await rejected(GetOrderFailed, client.getOrder({ id: "a/b" }));
check("what no path can carry goes as RPC", slash.message.includes('"a/b" is not an execution name'));

const invalid = await rejected(InvalidInputError, client.placeOrder({ ...order, id: "", amount_cents: 0 }));
const paths = new Set(invalid.problems.map((it) => it.path));
check("an input's problems have paths", paths.has("id") && paths.has("amount_cents"));

// @ts-expect-error: a field that is not there
await rejected(InvalidInputError, client.placeOrder({ id: "o-2", amount: 1, card: "tok" }));
// @ts-expect-error: a command that is not there
check("misspelt names do not compile", client.plceOrder === undefined);

const nobody = new OrdersClient({ url: "http://127.0.0.1:9", retries: { attempts: 2, delayMs: 1 } });
const unavailable = await rejected(UnavailableError, nobody.getOrder({ id: "o-1" }));
check("a service that is not there is a fault", unavailable.cause !== undefined);

const slow: typeof fetch = (_, init) =>
  new Promise((_, reject) => init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)));
const late = await rejected(
  UnavailableError,
  new OrdersClient({ url, fetch: slow }).getOrder({ id: "o-1" }, { timeoutMs: 20 }),
);
check("time runs out", late.message === "getOrder: no answer within 20 ms");
const reason = new Error("the user went away");
const cancelled = AbortSignal.timeout(5);
const aborted = new AbortController();
cancelled.addEventListener("abort", () => aborted.abort(reason));
const ended = await new OrdersClient({ url, fetch: slow }).getOrder({ id: "o-1" }, { signal: aborted.signal }).catch((it) => it);
check("a call is ended by its caller", ended === reason);

// Attempts: what a fake gateway answers, one after the other.
const answers = (all: (Response | Error)[]): { fetch: typeof fetch; asked: string[] } => {
  const asked: string[] = [];
  return {
    asked,
    fetch: (input, init) => {
      asked.push(`${init?.method} ${String(input)} ${new Headers(init?.headers).get("authorization")}`);
      const answer = all.shift() ?? new Error("asked too often");
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
};
const busy = () => new Response('{"message":"Service Unavailable"}', { status: 503 });
const retries = { delayMs: 1 };
const headers = async () => ({ authorization: "Bearer t" });
const twice = answers([busy(), new Error("reset"), Response.json({ id: "x", status: "running" })]);
await new OrdersClient({ url: "http://s/", fetch: twice.fetch, retries, headers }).getOrder({ id: "a b" });
equal("a read is attempted again, with fresh headers", twice.asked, Array(3).fill("GET http://s/orders/a%20b Bearer t"));
const once = answers([busy(), Response.json(placed)]);
await rejected(UnavailableError, new OrdersClient({ url: "http://s", fetch: once.fetch, retries }).placeOrder(order));
check("what may have been done is not done again", once.asked.length === 1);
const again = answers([busy(), Response.json(placed)]);
await new OrdersClient({ url: "http://s", fetch: again.fetch, retries }).placeOrder(order, { idempotent: true });
check("unless that is harmless", again.asked.length === 2);
const refused = answers([new Response('{"message":"Too Many Requests"}', { status: 429 }), Response.json(placed)]);
await new OrdersClient({ url: "http://s", fetch: refused.fetch, retries }).placeOrder(order);
check("what was refused at the door is attempted again", refused.asked.length === 2);

// Executions.
const executions = new OrdersExecutions(localSystem({ url }));
const started = await executions.processOrder.startAs("o-7", { ...order, id: "o-7" });
equal("an execution is started", [started.id, (await started.get()).status], ["processOrder/o-7", "running"]);
const other = executions.processOrder.startAs("o-7", { ...order, id: "o-8" });
check("a name is started once", (await rejected(OperationRefused, other)).class === "AlreadyExists");
// @ts-expect-error: a signal that is not there
const unsent = started.signal("orderShiped", { tracking: "t" });
await unsent.catch(() => undefined);
await started.signal("orderShipped", { tracking: "t-7" });
const receipt = await started.result();
check("an execution is waited for", receipt.status.state === "shipped" && receipt.status.tracking === "t-7");
const closed = await rejected(OperationRefused, started.signal("orderShipped", { tracking: "t-8" }));
check("a closed execution takes no signals", closed.class === "Closed");
const second = await executions.processOrder.start({ ...order, id: "o-9" });
await second.terminate("enough");
const terminated = await rejected(ExecutionError, second.result());
check("a terminated execution has no result", terminated.outcome === "terminated" && terminated.message.endsWith("enough"));
const page = await executions.processOrder.list({ status: "terminated" });
equal("executions are listed", page.executions.map((it) => it.execution), [second.id]);
const nobodys = await rejected(OperationRefused, executions.processOrder.execution("nobody").get());
check("an execution that is not there", nobodys.class === "NotFound");

// Signatures: the example in AWS's documentation, and what Lambda's API is asked.
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const now = () => new Date("2015-08-30T12:36:00Z");
const example = await sigV4({ region: "us-east-1", service: "iam", credentials, now })({
  method: "GET",
  url: "https://iam.amazonaws.com/?Version=2010-05-08&Action=ListUsers",
  headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
  body: undefined,
});
const signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
check("a signature is AWS's own", example["authorization"]?.endsWith(`Signature=${signature}`) === true);
const strange = await sigV4({ region: "eu-central-1", credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "s", sessionToken: "t/+=" }, now })({
  method: "POST",
  url: "https://x.execute-api.eu-central-1.amazonaws.com/orders/a%20b%2Bc%C3%BC?q=a%20b&z=%2F%27&q=A&e=",
  headers: { "content-type": "application/json" },
  body: '{"a":"\u00fc"}',
});
const botocores = "ab667e04ace06cb287d8d1e180dd24baf058246dcafa5afe7fb9a1c1d75e1283";
check("a signature is botocore's", strange["authorization"]?.endsWith(`Signature=${botocores}`) === true);
const lambda = answers([
  Response.json({ execution: "processOrder/o-1" }),
  new Response('{"errorType":"NotFound","errorMessage":"nobody"}', { headers: { "x-amz-function-error": "Unhandled" } }),
]);
const system = lambdaSystem({ function: "orders-system:live", region: "eu-central-1", credentials, fetch: lambda.fetch });
const deployed = new OrdersExecutions(system).processOrder;
equal("a deployment's executions", (await deployed.startAs("o-1", order)).id, "processOrder/o-1");
check("its refusals", (await rejected(OperationRefused, deployed.execution("x").get())).class === "NotFound");
const invoked = /^POST https:..lambda.eu-central-1.amazonaws.com.2015-03-31.functions.orders-system%3Alive.invocations AWS4-HMAC-SHA256 .*lambda/;
check("its system function is invoked", lambda.asked.every((it) => invoked.test(it)));
