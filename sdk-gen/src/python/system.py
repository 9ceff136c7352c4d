"""Executions of workflows, as whoever may invoke the service's system function sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx

from ._runtime import (
    AsyncService,
    CallOptions,
    ClientOptions,
    EventualError,
    Request,
    Retries,
    Service,
    UnavailableError,
)
from ._sigv4 import AwsCredentials, SigV4Auth

Output = TypeVar("Output")


class OperationRefused(EventualError):
    """The system function said no."""

    def __init__(self, operation: str, class_: str, message: str) -> None:
        super().__init__(operation, message)
        self.class_ = class_
        """``NotFound``, ``AlreadyExists``, ``Closed``, ``Unanswered`` or ``Invalid``."""


class ExecutionError(EventualError):
    """An execution ended without a result."""

    data: Any
    """Of an error that its code returned: the error itself."""

    def __init__(self, execution: str, outcome: str, class_: str, message: str, data: Any) -> None:
        super().__init__(execution, message)
        self.execution = execution
        """Its id: ``<workflow>/<name>``."""
        self.outcome = outcome
        """``cancelled``, ``crashed``, ``failed``, ``terminated`` or ``timedOut``."""
        self.class_ = class_
        """Of an error that its code returned: name of the error's type and variant."""
        self.data = data


@dataclass(frozen=True)
class Progress(Generic[Output]):
    """An execution as it was when it was read."""

    execution: str
    """Its id: ``<workflow>/<name>``."""
    status: str
    """``running``, ``paused``, ``parked``, ``succeeded``, ``failed``, ``cancelled``, ``terminated`` or ``timedOut``."""
    started: int
    """Milliseconds since 1970."""
    closed: int | None
    """Milliseconds since 1970, once it has ended."""
    result: Output | None
    """What it returned, when it succeeded. Not in lists."""
    parked: str | None
    """Why it is parked."""


@dataclass(frozen=True)
class Place:
    """Where the system function of a service is. Made by :func:`local_system` and :func:`lambda_system`."""

    options: ClientOptions
    target: str


def local_system(url: str, *, timeout: float = 30.0, retries: Retries = Retries()) -> Place:
    """Of a service on a local host, which lets programs on its own machine use it."""
    return Place(ClientOptions(url, None, None, timeout, retries), "/_eventual/system")


def lambda_system(
    function: str,
    *,
    region: str,
    credentials: AwsCredentials | Callable[[], AwsCredentials],
    url: str | None = None,
    timeout: float = 30.0,
    retries: Retries = Retries(),
) -> Place:
    """Of a deployed service: its system function, such as ``orders-system:live``, invoked through Lambda's API at `url`."""
    auth = SigV4Auth(region, credentials, "lambda")
    of_china = ".cn" if region.startswith("cn-") else ""
    endpoint = url or f"https://lambda.{region}.amazonaws.com{of_china}"
    options = ClientOptions(endpoint, None, auth, timeout, retries)
    return Place(options, f"/2015-03-31/functions/{quote(function, safe='')}/invocations")


def _judged(operation: str, response: httpx.Response) -> Any:
    """What is answered, or an error that is returned when it may be tried again."""
    status, failed = response.status_code, "x-amz-function-error" in response.headers
    try:
        said = json.loads(response.content)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return UnavailableError(operation, f"somebody else answered: status {status}, {response.text[:200]}", status)
    if status == 200 and not failed:
        return said
    class_ = said.get("errorType" if failed else "class", "Invalid")
    message = str(said.get("errorMessage" if failed else "message") or said.get("Message") or response.text)
    if class_ == "Fault" or status == 429 or status >= 500:
        return UnavailableError(operation, message, status)
    raise OperationRefused(operation, class_, message)


def _prepared(place: Place, request: dict[str, Any]) -> tuple[Request, CallOptions]:
    op = request["op"]
    harmless = op in ("get", "history", "list", "query", "wait") or (op == "start" and "name" in request)
    body = json.dumps(request, allow_nan=False, ensure_ascii=False)
    return Request("POST", place.target, body), CallOptions(idempotent=harmless)


class System:
    """Asks the system function of a service."""

    def __init__(self, place: Place, http: httpx.Client | None = None) -> None:
        self._place = place
        self._service = Service(place.options, http)

    def ask(self, request: dict[str, Any]) -> Any:
        prepared, options = _prepared(self._place, request)
        return self._service.exchange(request["op"], prepared, options, _judged)

    def close(self) -> None:
        self._service.close()


class AsyncSystem:
    """Asks the system function of a service, without blocking."""

    def __init__(self, place: Place, http: httpx.AsyncClient | None = None) -> None:
        self._place = place
        self._service = AsyncService(place.options, http)

    async def ask(self, request: dict[str, Any]) -> Any:
        prepared, options = _prepared(self._place, request)
        return await self._service.exchange(request["op"], prepared, options, _judged)

    async def close(self) -> None:
        await self._service.close()


class _Any(Generic[Output]):
    """What both kinds of executions have in common."""

    def __init__(self, id: str, failing: type[ExecutionError]) -> None:
        self.id = id
        """Its id: ``<workflow>/<name>``."""
        self._failing = failing

    def _progress(self, said: Any) -> Progress[Output]:
        return _progress(said)

    def _ended(self, said: Any) -> tuple[Any] | None:
        """The result in a tuple, or nothing while it goes on."""
        if said["status"] == "succeeded":
            return (said.get("result"),)
        error = said.get("error")
        if error is None:
            return None
        # Only errors of user code carry data, be it null.
        if said["status"] == "failed" and "data" in error:
            raise self._failing(self.id, "failed", error["class"], error["message"], error["data"])
        outcome = "crashed" if said["status"] == "failed" else said["status"]
        raise ExecutionError(self.id, outcome, error["class"], error["message"], None)

    def _answer(self, said: Any) -> Any:
        error = said.get("error")
        if error is not None:
            raise ExecutionError(self.id, "failed", error["class"], error["message"], error.get("data"))
        return said.get("answer")

    def _request(self, op: str, **members: Any) -> dict[str, Any]:
        return {"op": op, "execution": self.id, **members}


def _progress(said: Any) -> Progress[Any]:
    names = ("execution", "status", "started", "closed", "result", "parked")
    return Progress(**{name: said.get(name) for name in names})


class Execution(_Any[Output]):
    """One execution."""

    def __init__(self, system: System, id: str, failing: type[ExecutionError] = ExecutionError) -> None:
        super().__init__(id, failing)
        self._system = system

    def get(self) -> Progress[Output]:
        """Where it stands."""
        return self._progress(self._system.ask(self._request("get")))

    def result(self) -> Output:
        """Waits for its end, for as long as that takes. Raises an `ExecutionError` when it has no result."""
        while True:
            # The service answers after 20 seconds, or at the end.
            ended = self._ended(self._system.ask(self._request("wait")))
            if ended is not None:
                output: Output = ended[0]
                return output

    def query(self, query: str, input: Any = None) -> Any:
        """Asks its code, open or closed."""
        return self._answer(self._system.ask(self._request("query", query=query, input=input)))

    def update(self, update: str, input: Any = None, *, id: str | None = None) -> Any:
        """Asks it for a change, and waits for its answer. An `id` makes asking again not asking twice."""
        return self._answer(self._system.ask(self._request("update", update=update, input=input, id=id)))

    def cancel(self, reason: str = "") -> None:
        """Asks it to cancel itself."""
        self._system.ask(self._request("cancel", reason=reason))

    def terminate(self, reason: str = "") -> None:
        """Ends it without its code."""
        self._system.ask(self._request("terminate", reason=reason))

    def pause(self, reason: str = "") -> None:
        """Lets its code stand still until it is resumed."""
        self._system.ask(self._request("pause", reason=reason))

    def resume(self) -> None:
        """Lets it go on."""
        self._system.ask(self._request("resume"))


class AsyncExecution(_Any[Output]):
    """One execution, of a client that does not block."""

    def __init__(self, system: AsyncSystem, id: str, failing: type[ExecutionError] = ExecutionError) -> None:
        super().__init__(id, failing)
        self._system = system

    async def get(self) -> Progress[Output]:
        """Where it stands."""
        return self._progress(await self._system.ask(self._request("get")))

    async def result(self) -> Output:
        """Waits for its end, for as long as that takes. Raises an `ExecutionError` when it has no result."""
        while True:
            # The service answers after 20 seconds, or at the end.
            ended = self._ended(await self._system.ask(self._request("wait")))
            if ended is not None:
                output: Output = ended[0]
                return output

    async def query(self, query: str, input: Any = None) -> Any:
        """Asks its code, open or closed."""
        return self._answer(await self._system.ask(self._request("query", query=query, input=input)))

    async def update(self, update: str, input: Any = None, *, id: str | None = None) -> Any:
        """Asks it for a change, and waits for its answer. An `id` makes asking again not asking twice."""
        return self._answer(await self._system.ask(self._request("update", update=update, input=input, id=id)))

    async def cancel(self, reason: str = "") -> None:
        """Asks it to cancel itself."""
        await self._system.ask(self._request("cancel", reason=reason))

    async def terminate(self, reason: str = "") -> None:
        """Ends it without its code."""
        await self._system.ask(self._request("terminate", reason=reason))

    async def pause(self, reason: str = "") -> None:
        """Lets its code stand still until it is resumed."""
        await self._system.ask(self._request("pause", reason=reason))

    async def resume(self) -> None:
        """Lets it go on."""
        await self._system.ask(self._request("resume"))


def start_request(workflow: str, input: Any, name: str | None) -> dict[str, Any]:
    """What starts an execution."""
    request: dict[str, Any] = {"op": "start", "workflow": workflow, "input": input}
    return request if name is None else {**request, "name": name}


def list_request(status: str | None, limit: int | None, after: str | None) -> dict[str, Any]:
    """What lists executions."""
    members = {"status": status, "limit": limit, "after": after}
    return {"op": "list", **{name: value for name, value in members.items() if value is not None}}


def listed(said: Any) -> tuple[list[Progress[Any]], str | None]:
    """Executions, and where the next page begins."""
    return [_progress(it) for it in said["executions"]], said.get("next")
