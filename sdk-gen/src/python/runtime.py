"""What all generated clients of eventual services share: requests, attempts, errors. It needs nothing but httpx."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import httpx

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Retries:
    """When a call is attempted again. Errors of the command are never: they are its answer."""

    attempts: int = 3
    """Most attempts; 1 means none but the first."""
    delay: float = 0.2
    """Seconds before the second attempt; doubled for each after it, and shortened by chance."""
    max_delay: float = 5.0
    """Longest delay in seconds, also when the service asks for more."""


class EventualError(Exception):
    """Whatever went wrong with a call."""

    def __init__(self, command: str, message: str) -> None:
        super().__init__(f"{command}: {message}")
        self.command = command
        """Name of the command."""
        self.message = message
        """What went wrong, for people."""


class CommandError(EventualError):
    """The command answered an error. This is an outcome: asking again gives the same."""

    data: Any
    """The error itself, as its type is serialized; ``None`` when it carries nothing."""

    def __init__(self, command: str, class_: str, message: str, status: int, data: Any) -> None:
        super().__init__(command, message)
        self.class_ = class_
        """Name of the error's type and variant: ``PaymentError::Declined``."""
        self.status = status
        """HTTP status with which it was answered."""
        self.data = data


class InvalidInputProblem(NamedTuple):
    """One way in which an input does not fit."""

    path: str
    """Where: ``items[0].sku``; empty for the input itself."""
    message: str
    """What is wrong there."""


class InvalidInputError(EventualError):
    """The input does not fit what the command takes. The command did not see it."""

    def __init__(self, command: str, message: str, problems: list[InvalidInputProblem]) -> None:
        super().__init__(command, message)
        self.problems = problems
        """Everything in which it does not fit."""


class RefusedError(EventualError):
    """The request was not let through: no valid credentials (401, 403), no such command (404), too large (413)."""

    def __init__(self, command: str, message: str, status: int) -> None:
        super().__init__(command, message)
        self.status = status
        """The HTTP status."""


class CrashedError(EventualError):
    """The command crashed: a bug of the service. Its log has the request."""

    def __init__(self, command: str, message: str, request_id: str) -> None:
        super().__init__(command, message)
        self.request_id = request_id
        """Under this id the service's log has the request."""


class UnavailableError(EventualError):
    """Nobody answered, or nobody who knows: the network failed, time ran out, the service has no room. It may have been
    done."""

    def __init__(self, command: str, message: str, status: int | None = None) -> None:
        super().__init__(command, message)
        self.status = status
        """The HTTP status, when there was one."""


class Sending(NamedTuple):
    """How a command is sent."""

    method: str
    path: str
    rest: str


@dataclass(frozen=True)
class CallOptions:
    """What one call does differently."""

    timeout: float | None = None
    headers: Headers | None = None
    idempotent: bool | None = None
    retries: Retries | None = None


@dataclass(frozen=True)
class ClientOptions:
    """How a client reaches its service."""

    url: str
    headers: Headers | Callable[[], Headers] | None
    auth: httpx.Auth | None
    timeout: float
    retries: Retries


class Request(NamedTuple):
    """A request, without what all of a client's have."""

    method: str
    target: str
    body: str | None


Judge = Callable[[str, httpx.Response], Any]
"""What an answer means: a result, or an `UnavailableError` for which it may be attempted again. What is final and no result
is raised."""

NOTHING = object()
"""The input of a command that takes none."""


class Service:
    """Makes the calls of a client."""

    def __init__(self, options: ClientOptions, http: httpx.Client | None) -> None:
        self._options = options
        self._http = http if http is not None else httpx.Client()
        self._own = http is None

    def close(self) -> None:
        if self._own:
            self._http.close()

    def call(
        self,
        command: str,
        input: object,
        options: CallOptions,
        sending: Sending | None = None,
        failing: type[CommandError] = CommandError,
    ) -> Any:
        request = _request(command, input, sending)
        return self.exchange(command, request, _idempotent(options, sending), _judge(failing))

    def exchange(self, what: str, request: Request, options: CallOptions, judge: Judge) -> Any:
        """Sends a request until its answer is final."""
        call = _Call(self._options, what, request, options, judge)
        while True:
            try:
                response = self._http.request(**call.request())
            except httpx.TransportError as error:
                delay = call.failed(error)
            else:
                answered = call.answered(response)
                if isinstance(answered, _Output):
                    return answered.value
                delay = answered
            time.sleep(delay)


class AsyncService:
    """Makes the calls of a client that does not block."""

    def __init__(self, options: ClientOptions, http: httpx.AsyncClient | None) -> None:
        self._options = options
        self._http = http if http is not None else httpx.AsyncClient()
        self._own = http is None

    async def close(self) -> None:
        if self._own:
            await self._http.aclose()

    async def call(
        self,
        command: str,
        input: object,
        options: CallOptions,
        sending: Sending | None = None,
        failing: type[CommandError] = CommandError,
    ) -> Any:
        request = _request(command, input, sending)
        return await self.exchange(command, request, _idempotent(options, sending), _judge(failing))

    async def exchange(self, what: str, request: Request, options: CallOptions, judge: Judge) -> Any:
        """Sends a request until its answer is final."""
        call = _Call(self._options, what, request, options, judge)
        while True:
            try:
                response = await self._http.request(**call.request())
            except httpx.TransportError as error:
                delay = call.failed(error)
            else:
                answered = call.answered(response)
                if isinstance(answered, _Output):
                    return answered.value
                delay = answered
            await asyncio.sleep(delay)


class _Output(NamedTuple):
    value: Any


class _Call:
    """One call and its attempts, without I/O."""

    def __init__(
        self, client: ClientOptions, what: str, request: Request, options: CallOptions, judge: Judge
    ) -> None:
        self._what = what
        self._client = client
        self._request = request
        self._headers = options.headers
        self._timeout = client.timeout if options.timeout is None else options.timeout
        self._deadline = time.monotonic() + self._timeout
        self._retries = options.retries or client.retries
        self._idempotent = bool(options.idempotent)
        self._judge = judge
        self._attempt = 0

    def request(self) -> dict[str, Any]:
        """The next attempt, as httpx takes it."""
        self._attempt += 1
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self._late()
        method, target, body = self._request
        headers = {"accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        own = self._client.headers
        headers.update((own() if callable(own) else own) or {})
        headers.update(self._headers or {})
        request: dict[str, Any] = {
            "method": method,
            "url": self._client.url.rstrip("/") + target,
            "headers": headers,
            "timeout": httpx.Timeout(left),
        }
        if body is not None:
            request["content"] = body.encode()
        if self._client.auth is not None:
            request["auth"] = self._client.auth
        return request

    def failed(self, error: httpx.TransportError) -> float:
        """Seconds until the next attempt after one that reached nobody; raises when there is none."""
        if isinstance(error, httpx.TimeoutException) and time.monotonic() >= self._deadline - 0.01:
            raise self._late() from error
        unavailable = UnavailableError(self._what, f"the service cannot be reached: {error!r}")
        unavailable.__cause__ = error
        return self._again(unavailable, 0.0)

    def answered(self, response: httpx.Response) -> _Output | float:
        """The result, or seconds until the next attempt; raises what is final."""
        judged = self._judge(self._what, response)
        if isinstance(judged, UnavailableError):
            return self._again(judged, _seconds(response.headers.get("retry-after", "")))
        return _Output(judged)

    def _again(self, error: UnavailableError, asked: float) -> float:
        # 429: refused before it was begun.
        if not (self._idempotent or error.status == 429) or self._attempt >= self._retries.attempts:
            raise error
        grown = self._retries.delay * 2.0 ** (self._attempt - 1) * random.uniform(0.5, 1.0)
        delay = min(max(grown, asked), self._retries.max_delay)
        if time.monotonic() + delay >= self._deadline:
            raise error
        return delay

    def _late(self) -> UnavailableError:
        return UnavailableError(self._what, f"no answer within {self._timeout:g} s")


def _request(command: str, input: object, sending: Sending | None) -> Request:
    request = _routed(sending, input) if sending is not None else None
    return request or Request("POST", f"/rpc/{command}", None if input is NOTHING else _json(input))


def _idempotent(options: CallOptions, sending: Sending | None) -> CallOptions:
    if options.idempotent is not None:
        return options
    method = sending.method if sending is not None else "POST"
    return replace(options, idempotent=method in ("GET", "PUT", "DELETE"))


def _judge(failing: type[CommandError]) -> Judge:
    def judge(command: str, response: httpx.Response) -> Any:
        status = response.status_code
        try:
            body = json.loads(response.content) if response.content else None
        except ValueError:
            message = f"somebody else answered: status {status}, {response.text[:200]}"
            return UnavailableError(command, message, status)
        return body if 200 <= status < 300 else _failure(command, status, body, failing)

    return judge


def _failure(command: str, status: int, body: Any, failing: type[CommandError]) -> UnavailableError:
    failure: dict[str, Any] = body if isinstance(body, dict) else {}
    class_, message, data = failure.get("class"), failure.get("message"), failure.get("data")
    if not isinstance(message, str):
        message = f"status {status}"
    if not isinstance(class_, str):
        # The gateway's answer and not the command's.
        if status == 429 or status >= 500:
            return UnavailableError(command, message, status)
        raise RefusedError(command, message, status)
    request_id = failure.get("requestId")
    if isinstance(request_id, str):
        if class_ == "Crashed":
            raise CrashedError(command, message, request_id)
        return UnavailableError(command, message, status)
    problems = data.get("problems") if isinstance(data, dict) else None
    if class_ == "InvalidInput" and status == 400 and isinstance(problems, list):
        raise InvalidInputError(
            command, message, [InvalidInputProblem(it.get("path", ""), it.get("message", "")) for it in problems]
        )
    raise failing(command, class_, message, status, data)


def _routed(sending: Sending, input: object) -> Request | None:
    """The request at a command's own route, or nothing when the route cannot carry this input."""
    method, path, rest = sending
    names: list[str] = re.findall(r"\{([^}]*)\}", path)
    is_object = isinstance(input, Mapping)
    if names and rest != "whole" and not is_object:
        return None
    members: dict[str, Any] = dict(input) if isinstance(input, Mapping) else {}
    target = path
    for name in names:
        text = _word(input if rest == "whole" else members.pop(name, None))
        # Such segments do not arrive as they are.
        if text is None or text in ("", ".", "..") or re.search(r"[/\\]", text):
            return None
        target = target.replace("{" + name + "}", quote(text, safe=""), 1)
    if rest == "body":
        return Request(method, target, _json(members if is_object else input))
    if rest != "query":
        return Request(method, target, None)
    pairs: list[tuple[str, str]] = []
    for name, value in members.items():
        if value is None:
            continue
        for item in value if isinstance(value, list | tuple) else [value]:
            text = _word(item)
            if text is None:
                return None
            pairs.append((name, text))
    return Request(method, f"{target}?{urlencode(pairs)}" if pairs else target, None)


def _word(value: object) -> str | None:
    if isinstance(value, str):
        return value
    return _json(value) if isinstance(value, bool | int | float) else None


def _json(value: object) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def _seconds(text: str) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        return 0.0
