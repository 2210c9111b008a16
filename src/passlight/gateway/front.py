"""``python -m passlight.gateway.front``: one origin for the browser.

``/v1/…`` and ``/v/…`` go to the gateway, everything else to the office, so that the gateway never
loads Django and goes on while the office is away. ``/healthz`` answers 200 when office, gateway
and worker are all ready, and says which is not.

===========================  ==========================================================
``PASSLIGHT_OFFICE_PORT``    where the office listens on the loopback (default 8002)
``PASSLIGHT_GATEWAY_PORT``   where the gateway listens on the loopback (default 8001)
``PASSLIGHT_FRONT_HOST``     address to listen on (default 127.0.0.1)
``PORT``                     port to listen on (default 8000)
===========================  ==========================================================
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html import escape

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from passlight.runtime.catalogue import LANGUAGES, text
from passlight.runtime.settings import read_settings, read_variable

# Field names of one connection, not of the message (RFC 9110, 7.6.1).
HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te"),
        *("trailer", "transfer-encoding", "upgrade"),
    }
)
GATEWAY_PATHS = ("/v1/", "/v/")
UPLOAD_BYTES_MAX = 256 * 1024 * 1024
BOOK_AGE_SECONDS_MAX = 30
CONNECTIONS = 500
HEALTH_SECONDS = 2.0
CONNECT_SECONDS = 2.0
REPLY_SECONDS = 120.0  # uploads and previews may take their time; a connection may not
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Front:
    """Passes requests on; holds nothing but connections."""

    def __init__(
        self, *, office: str, gateway: str, https: bool, transport: httpx.AsyncBaseTransport
    ) -> None:
        self._office = office
        self._gateway = gateway
        self._scheme = "https" if https else "http"
        # The transport and never a client: a client has a cookie jar, which would give one
        # person's session to the next.
        self._transport = transport

    async def health(self, _request: Request) -> Response:
        """Answer 200 when every process is ready, else 503 and which is not."""
        office = await self._ready(f"{self._office}/healthz/")
        gateway = await self._ready(f"{self._gateway}/v1/healthz")
        age = gateway.get("book_age_seconds")
        worker = isinstance(age, int | float) and age <= BOOK_AGE_SECONDS_MAX
        states = {"office": office["ready"], "gateway": gateway["ready"], "worker": worker}
        ready = all(states.values())
        body = {"ready": ready, **states, "book_age_seconds": age}
        return JSONResponse(body, status_code=200 if ready else 503)

    async def _ready(self, url: str) -> dict[str, object]:
        try:
            request = httpx.Request("GET", url, extensions={"timeout": _seconds(HEALTH_SECONDS)})
            reply = await self._transport.handle_async_request(request)
            await reply.aread()
            await reply.aclose()
            found = reply.json() if "json" in reply.headers.get("content-type", "") else {}
        except (httpx.HTTPError, ValueError):
            return {"ready": False}
        return {**found, "ready": reply.status_code == httpx.codes.OK}

    async def forward(self, request: Request) -> Response:
        """Pass one request on and stream its answer back."""
        to_gateway = request.url.path.startswith(GATEWAY_PATHS)
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > UPLOAD_BYTES_MAX:
            return JSONResponse({"error": "too-large"}, status_code=413)
        target = self._gateway if to_gateway else self._office
        try:
            sent = httpx.Request(
                request.method,
                httpx.URL(f"{target}{_raw_target(request)}"),
                headers=self._headers(request),
                content=_body(request),
                extensions={"timeout": _seconds(REPLY_SECONDS)},
            )
            reply = await self._transport.handle_async_request(sent)
        except (httpx.HTTPError, ClientDisconnect):
            return _away(to_gateway=to_gateway)
        # Raw values and pairs: a reply may set several cookies, and its bytes stay encoded as sent.
        passed = [
            (name.lower(), value)
            for name, value in reply.headers.raw
            if name.lower().decode("latin-1") not in HOP_BY_HOP
        ]
        answer = StreamingResponse(_stream(reply), status_code=reply.status_code)
        answer.raw_headers = passed
        return answer

    def _headers(self, request: Request) -> list[tuple[str, str]]:
        dropped = HOP_BY_HOP | {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}
        kept = [(name, value) for name, value in request.headers.items() if name not in dropped]
        client = request.client.host if request.client else "unknown"
        return [*kept, ("x-forwarded-for", client), ("x-forwarded-proto", self._scheme)]


def _seconds(reply: float) -> dict[str, float]:
    return {"connect": CONNECT_SECONDS, "read": reply, "write": reply, "pool": CONNECT_SECONDS}


def _raw_target(request: Request) -> str:
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope.get("query_string", b"")
    return (raw + (b"?" + query if query else b"")).decode("latin-1")


def _body(request: Request) -> AsyncIterator[bytes] | None:
    sends = "content-length" in request.headers or "transfer-encoding" in request.headers
    return request.stream() if sends else None


async def _stream(reply: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in reply.stream:  # type: ignore[union-attr]  # an async transport's
            yield chunk
    finally:
        await reply.aclose()


def _away(*, to_gateway: bool) -> Response:
    """Return the answer when the process behind is not there: never a colour."""
    retry = {"retry-after": "5", "cache-control": "no-store"}
    if to_gateway:
        message = {language: text("gateway.error-away", language) for language in LANGUAGES}
        body = {"error": "away", "message": message}
        return JSONResponse(body, status_code=503, headers=retry)
    lines = "".join(
        f'<section lang="{"zh-Hans" if language == "zh" else "en"}">'
        f"<h1>{escape(text('gateway.away-title', language))}</h1>"
        f"<p>{escape(text('gateway.away-help', language))}</p></section>"
        for language in LANGUAGES
    )
    page = (
        '<!doctype html><html lang="zh-Hans"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="refresh" content="5"><title>503</title>'
        f"<main>{lines}</main></html>"
    )
    return HTMLResponse(page, status_code=503, headers=retry)


def create_front(*, office: str, gateway: str, https: bool) -> Starlette:
    """Return the front for an office and a gateway at these origins (``http://host:port``)."""
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=50)
    transport = httpx.AsyncHTTPTransport(limits=limits, trust_env=False)
    front = Front(office=office, gateway=gateway, https=https, transport=transport)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await transport.aclose()

    handler: Callable[..., object] = front.forward
    return Starlette(
        routes=[
            Route("/healthz", front.health, methods=["GET"]),
            Route("/{path:path}", handler, methods=METHODS),
        ],
        lifespan=lifespan,
    )


def main() -> None:
    """Run the front of this process's environment."""
    settings = read_settings()
    uvicorn.run(
        create_front(
            office=f"http://127.0.0.1:{read_variable('PASSLIGHT_OFFICE_PORT', '8002')}",
            gateway=f"http://127.0.0.1:{read_variable('PASSLIGHT_GATEWAY_PORT', '8001')}",
            https=settings.public_url.startswith("https://"),
        ),
        host=read_variable("PASSLIGHT_FRONT_HOST", "127.0.0.1"),
        port=settings.port,
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
