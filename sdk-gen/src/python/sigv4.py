"""Signature Version 4 of AWS, for commands with ``auth = iam`` and for the system function."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import parse_qsl, quote

import httpx


@dataclass(frozen=True)
class AwsCredentials:
    """Credentials of AWS."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


class SigV4Auth(httpx.Auth):
    """Signs requests: ``...Client(url, auth=SigV4Auth(region, credentials))``.

    Args:
        region: Region of the deployment: ``eu-central-1``.
        credentials: Credentials, or what fetches them.
        service: Service that is called; ``execute-api`` is what commands are behind.
        now: The time.
    """

    requires_request_body = True

    def __init__(
        self,
        region: str,
        credentials: AwsCredentials | Callable[[], AwsCredentials],
        service: str = "execute-api",
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._region = region
        self._credentials = credentials
        self._service = service
        self._now = now

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        credentials = self._credentials() if callable(self._credentials) else self._credentials
        time = self._now().astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        request.headers["x-amz-date"] = time
        if credentials.session_token is not None:
            request.headers["x-amz-security-token"] = credentials.session_token
        signed = {
            name.lower(): " ".join(value.split())
            for name, value in request.headers.items()
            if name.lower() in ("content-type", "host") or name.lower().startswith("x-amz-")
        }
        names = ";".join(sorted(signed))
        path = request.url.raw_path.split(b"?")[0].decode()
        pairs = parse_qsl(request.url.query.decode(), keep_blank_values=True)
        canonical = "\n".join(
            [
                request.method,
                # Encoded once more, as all services but S3 want it.
                quote(path, safe="/-_.~"),
                "&".join(sorted(f"{_encoded(name)}={_encoded(value)}" for name, value in pairs)),
                *(f"{name}:{signed[name]}" for name in sorted(signed)),
                "",
                names,
                hashlib.sha256(request.content).hexdigest(),
            ]
        )
        scope = f"{time[:8]}/{self._region}/{self._service}/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", time, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = b"AWS4" + credentials.secret_access_key.encode()
        for part in [time[:8], self._region, self._service, "aws4_request", text]:
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        credential = f"Credential={credentials.access_key_id}/{scope}"
        request.headers["authorization"] = (
            f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={key.hex()}"
        )
        yield request


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
