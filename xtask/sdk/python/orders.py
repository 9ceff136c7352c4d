"""Calls the order service with its generated client, the one that blocks. Prints a line ``ok ...`` for each check that
held; the first that does not ends the program."""

import time
from collections.abc import Callable
from datetime import datetime, timezone

import httpx
from checks import check, equal, raised, url
from orders_client import (
    AwsCredentials,
    CommandError,
    ExecutionError,
    GetOrderFailed,
    InvalidInputError,
    OperationRefused,
    OrdersClient,
    OrdersExecutions,
    PlaceOrder,
    Retries,
    SigV4Auth,
    UnavailableError,
    lambda_system,
    local_system,
)

client = OrdersClient(url, timeout=20)
order: PlaceOrder = {"id": "o-1", "amount_cents": 4_200, "card": "tok_unavailable_once", "ship_within_s": 3_600}

placed = client.place_order(order)
equal("a command at its own route", placed, {"id": "o-1", "execution": "processOrder/o-1"})
equal("the same order again is the same order", client.place_order(order), placed)

client.ship_order({"id": "o-1", "tracking": "t-9"})
view = client.get_order({"id": "o-1"})
end = time.monotonic() + 30
while view["status"] == "running" and time.monotonic() < end:
    time.sleep(0.02)
    view = client.get_order({"id": "o-1"})
receipt = view.get("receipt")
shipped = receipt is not None and receipt["status"]["state"] == "shipped" and receipt["status"]["tracking"] == "t-9"
check("a workflow ends with a typed receipt", shipped)

unknown = raised(GetOrderFailed, lambda: client.get_order({"id": "nobody"}))
check("an error has class and status", unknown.class_ == "OrderError::Call" and unknown.status == 404)
check("an error's data is typed", "Call" in unknown.data and unknown.data["Call"]["class"] == "ClientError::NotFound")
check("an error of a command is one", isinstance(unknown, CommandError))

slash = raised(GetOrderFailed, lambda: client.get_order({"id": "a/b"}))
check("what no path can carry goes as RPC", '"a/b" is not an execution name' in slash.message)

invalid = raised(InvalidInputError, lambda: client.place_order({"id": "", "amount_cents": 0, "card": "tok"}))
equal("an input's problems have paths", {it.path for it in invalid.problems}, {"id", "amount_cents"})

# Not one of these lines type-checks: mypy would complain about an `ignore` that is not needed.
raised(InvalidInputError, lambda: client.place_order({"id": "o-2", "amount": 1, "card": "tok"}))  # type: ignore[typeddict-item, typeddict-unknown-key]
check("misspelt names do not type-check", not hasattr(client, "plce_order"))
raised(AttributeError, lambda: client.plce_order)  # type: ignore[attr-defined]

nobody = OrdersClient("http://127.0.0.1:9", retries=Retries(attempts=2, delay=0.001))
unavailable = raised(UnavailableError, lambda: nobody.get_order({"id": "o-1"}))
check("a service that is not there is a fault", isinstance(unavailable.__cause__, httpx.ConnectError))


# Attempts: what a fake gateway answers, one after the other.
def fake(*answers: httpx.Response | Exception) -> tuple[httpx.Client, list[str]]:
    left, asked = list(answers), list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url} {request.headers.get('authorization')}")
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return httpx.Client(transport=httpx.MockTransport(answer)), asked


def busy() -> httpx.Response:
    return httpx.Response(503, json={"message": "Service Unavailable"})


def late(request: httpx.Request) -> httpx.Response:
    time.sleep(request.extensions["timeout"]["read"])
    raise httpx.ReadTimeout("late", request=request)


quick = Retries(delay=0.001)
token: Callable[[], dict[str, str]] = lambda: {"authorization": "Bearer t"}
http, asked = fake(busy(), httpx.ReadError("reset"), httpx.Response(200, json={"id": "x", "status": "running"}))
OrdersClient("http://s/", http=http, retries=quick, headers=token).get_order({"id": "a b"})
equal("a read is attempted again, with fresh headers", asked, ["GET http://s/orders/a%20b Bearer t"] * 3)
http, asked = fake(busy(), httpx.Response(200, json=placed))
raised(UnavailableError, lambda: OrdersClient("http://s", http=http, retries=quick).place_order(order))
check("what may have been done is not done again", len(asked) == 1)
http, asked = fake(busy(), httpx.Response(200, json=placed))
OrdersClient("http://s", http=http, retries=quick).place_order(order, idempotent=True)
check("unless that is harmless", len(asked) == 2)
http, asked = fake(httpx.Response(429, json={"message": "Too Many Requests"}), httpx.Response(200, json=placed))
OrdersClient("http://s", http=http, retries=quick).place_order(order)
check("what was refused at the door is attempted again", len(asked) == 2)
slow = OrdersClient("http://s", http=httpx.Client(transport=httpx.MockTransport(late)))
out = raised(UnavailableError, lambda: slow.get_order({"id": "o-1"}, timeout=0.02))
check("time runs out", out.message == "no answer within 0.02 s")
client.close()

# Executions.
executions = OrdersExecutions(local_system(url))
order["id"] = "o-7"
started = executions.process_order.start(order, name="o-7")
equal("an execution is started", (started.id, started.get().status), ("processOrder/o-7", "running"))
other: PlaceOrder = {"id": "o-8", "amount_cents": 1, "card": "tok"}
twice = raised(OperationRefused, lambda: executions.process_order.start(other, name="o-7"))
check("a name is started once", twice.class_ == "AlreadyExists")
raised(OperationRefused, lambda: executions.process_order.execution("x").signal("orderShiped", {}))  # type: ignore[arg-type, typeddict-item]
started.signal("orderShipped", {"tracking": "t-7"})
final = started.result()["status"]
check("an execution is waited for", final["state"] == "shipped" and final["tracking"] == "t-7")
closed = raised(OperationRefused, lambda: started.signal("orderShipped", {"tracking": "t-8"}))
check("a closed execution takes no signals", closed.class_ == "Closed")
second = executions.process_order.start(order)
second.terminate("enough")
terminated = raised(ExecutionError, second.result)
check("a terminated execution has no result", (terminated.outcome, terminated.message) == ("terminated", "enough"))
found, after = executions.process_order.list(status="terminated")
equal("executions are listed", ([it.execution for it in found], after), ([second.id], None))
nobodys = raised(OperationRefused, executions.process_order.execution("nobody").get)
check("an execution that is not there", nobodys.class_ == "NotFound")

# Signatures: the example in AWS's documentation, one that botocore made, and what Lambda's API is asked.
credentials = AwsCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
then: Callable[[], datetime] = lambda: datetime(2015, 8, 30, 12, 36, tzinfo=timezone.utc)
form = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
example = httpx.Request("GET", "https://iam.amazonaws.com/?Version=2010-05-08&Action=ListUsers", headers=form)
next(SigV4Auth("us-east-1", credentials, "iam", then).auth_flow(example))
signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
check("a signature is AWS's own", example.headers["authorization"].endswith(f"Signature={signature}"))
path = "https://x.execute-api.eu-central-1.amazonaws.com/orders/a%20b%2Bc%C3%BC?q=a%20b&z=%2F%27&q=A&e="
content = '{"a":"\u00fc"}'.encode()
strange = httpx.Request("POST", path, headers={"content-type": "application/json"}, content=content)
next(SigV4Auth("eu-central-1", AwsCredentials("AKIDEXAMPLE", "s", "t/+="), now=then).auth_flow(strange))
signature = "ab667e04ace06cb287d8d1e180dd24baf058246dcafa5afe7fb9a1c1d75e1283"
check("a signature is botocore's", strange.headers["authorization"].endswith(f"Signature={signature}"))
refusal = {"errorType": "NotFound", "errorMessage": "nobody"}
http, asked = fake(
    httpx.Response(200, json={"execution": "processOrder/o-1"}),
    httpx.Response(200, json=refusal, headers={"x-amz-function-error": "Unhandled"}),
)
system = lambda_system("orders-system:live", region="eu-central-1", credentials=credentials)
deployed = OrdersExecutions(system, http=http).process_order
equal("a deployment's executions", deployed.start(order, name="o-1").id, "processOrder/o-1")
check("its refusals", raised(OperationRefused, deployed.execution("x").get).class_ == "NotFound")
invoked = "POST https://lambda.eu-central-1.amazonaws.com/2015-03-31/functions/orders-system%3Alive/invocations AWS4-"
check("its system function is invoked", all(it.startswith(invoked) for it in asked))
