"""Calls the order service with its generated client, the one that blocks. Prints a line ``ok ...`` for each check that
held; the first that does not ends the program."""

import time
from collections.abc import Callable

import httpx
from checks import check, equal, raised, url
from orders_client import (
    CommandError,
    GetOrderFailed,
    InvalidInputError,
    OrdersClient,
    PlaceOrder,
    Retries,
    UnavailableError,
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
