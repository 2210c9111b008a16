"""The front: one origin for browsers and devices (``python -m passlight.gateway.front``).

``/v1/`` and ``/v/`` go to the gateway, everything else to the office. ``/healthz`` is 200
when office, gateway and worker are ready, and says which is not. While the office is away
its pages answer with a friendly page, and codes go on working.

=========================  =================================================
``PORT``                   port of the front (default 8000)
``PASSLIGHT_FRONT_HOST``   address it listens on (default ``127.0.0.1``)
``PASSLIGHT_OFFICE_PORT``  the office on the loopback (default 8002)
``PASSLIGHT_GATEWAY_PORT`` the gateway on the loopback (default 8001)
``PASSLIGHT_FRONT_PROXIES`` addresses of your TLS proxies, with commas between: whom
                           they name in ``X-Forwarded-For`` is who asks (default none)
=========================  =================================================
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any

import httpx
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from passlight.gateway.bodies import PATIENCE_SECONDS, Bodies, BodyError
from passlight.gateway.venue_page import plain_page
from passlight.runtime.catalogue import both
from passlight.runtime.settings import read_settings, read_variable

# RFC 9110 7.6.1, and what the server writes itself.
HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te"),
    *("trailer", "transfer-encoding", "upgrade", "proxy-connection"),
}
FORWARDED = {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
# A worker that has not said for this long that all is known: six heartbeats missed.
BOOK_SECONDS = 30
TIMEOUT = httpx.Timeout(connect=2.0, read=120.0, write=60.0, pool=5.0)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
AWAY = '<meta http-equiv="refresh" content="5">'


def create_front(*, office: str, gateway: str, patience: float = PATIENCE_SECONDS) -> Starlette:
    """Return the application; ``office`` and ``gateway`` are base addresses."""
    front = _Front(office, gateway, Bodies(patience=patience))
    return Starlette(
        routes=[
            Route("/healthz", front.health, methods=["GET"]),
            Route("/{path:path}", front.forward, methods=METHODS),
        ],
        lifespan=front.lifespan,
    )


class _Front:
    """Passes requests on, as streams in both directions."""

    def __init__(self, office: str, gateway: str, bodies: Bodies) -> None:
        self._office = office
        self._gateway = gateway
        self._bodies = bodies
        self._clients: dict[str, httpx.AsyncClient] = {}

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Keep two pools of connections: a crowd at the office must not close the doors."""
        async with AsyncExitStack() as stack:
            for base in (self._office, self._gateway):
                self._clients[base] = await stack.enter_async_context(_client())
            yield

    async def forward(self, request: Request) -> Response:
        """Pass one request on, when it is whole."""
        has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
        to_gateway = request.url.path.startswith(("/v1/", "/v/"))
        base = self._gateway if to_gateway else self._office
        try:
            if not has_body:
                return await self._pass_on(request, base, None)
            async with self._bodies.taken(request) as (pieces, size):
                return await self._pass_on(request, base, pieces, size=size)
        except BodyError as error:
            return Response(status_code=error.status, headers={"Connection": "close"})
        except ClientDisconnect:
            return Response(status_code=400)

    async def _pass_on(
        self,
        request: Request,
        base: str,
        body: AsyncIterator[bytes] | None,
        *,
        size: int | None = None,
    ) -> Response:
        raw = request.scope.get("raw_path", request.url.path.encode()).split(b"?")[0]
        query = request.scope.get("query_string", b"")
        target = httpx.URL(base).copy_with(raw_path=raw + (b"?" + query if query else b""))
        headers = _request_headers(request)
        if size is not None:
            headers = [header for header in headers if header[0].lower() != b"content-length"]
            headers.append((b"content-length", str(size).encode()))
        client = self._clients[base]
        outgoing = client.build_request(request.method, target, headers=headers, content=body)
        try:
            answer = await client.send(outgoing, stream=True)
        except httpx.HTTPError:
            return _gateway_away() if base == self._gateway else _office_away()
        response = StreamingResponse(
            answer.aiter_raw(),
            status_code=answer.status_code,
            background=BackgroundTask(answer.aclose),
        )
        response.raw_headers = _answer_headers(answer.headers.raw)
        return response

    async def health(self, _: Request) -> Response:
        """Say whether every process is ready."""
        office, gateway = await asyncio.gather(
            self._probe(f"{self._office}/healthz/"), self._probe(f"{self._gateway}/v1/healthz")
        )
        if office is not None and office.status_code == 404:  # noqa: PLR2004  # no such page
            office = await self._probe(f"{self._office}/login/")
        said: dict[str, Any] = {}
        if gateway is not None:
            said = msgspec.json.decode(gateway.content)
        age = said.get("book_age_seconds")
        parts = {
            "office": office is not None and office.is_success,
            "gateway": gateway is not None and gateway.is_success,
            "worker": isinstance(age, int | float) and age <= BOOK_SECONDS,
        }
        body = {
            "ready": all(parts.values()),
            "not_ready": [name for name, ready in parts.items() if not ready],
            **parts,
            "book_age_seconds": age,
        }
        return Response(
            msgspec.json.encode(body),
            status_code=200 if body["ready"] else 503,
            headers={"Cache-Control": "no-store"},
            media_type="application/json",
        )

    async def _probe(self, address: str) -> httpx.Response | None:
        client = self._clients[self._office if address.startswith(self._office) else self._gateway]
        try:
            return await client.get(address, timeout=2.0)
        except httpx.HTTPError:
            return None


def _client() -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=500, max_keepalive_connections=100)
    # A client remembers cookies: without this policy it would hand one person's session
    # to the next. And no proxy of the environment may see what passes here.
    forgetful = CookieJar(policy=DefaultCookiePolicy(allowed_domains=()))
    return httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(limits=limits, retries=1),
        timeout=TIMEOUT,
        follow_redirects=False,
        trust_env=False,
        cookies=forgetful,
    )


def _request_headers(request: Request) -> list[tuple[bytes, bytes]]:
    """Return the headers to pass on: Host kept, forwarded ones ours alone."""
    headers: Iterable[tuple[bytes, bytes]] = request.headers.raw
    named = _connection_names(headers)
    kept = [
        (name, value)
        for name, value in headers
        if name.lower().decode("latin-1") not in (HOP_BY_HOP | FORWARDED | named)
    ]
    return [
        *kept,
        (b"x-forwarded-for", _caller(request).encode()),
        (b"x-forwarded-host", request.headers.get("host", "").encode("latin-1")),
        (b"x-forwarded-proto", _scheme().encode()),
    ]


def _caller(request: Request) -> str:
    """Return who asks: the peer, or whom a proxy of ours saw. Nobody else is believed.

    Without this everybody behind a TLS proxy shares one address, and one person's wrong
    passwords would make all of them wait.
    """
    peer = request.client.host if request.client else "unknown"
    if peer not in read_variable("PASSLIGHT_FRONT_PROXIES", "").replace(" ", "").split(","):
        return peer
    # Only the last one is the proxy's own word; those before it came with the request.
    named = ",".join(request.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
    try:
        return str(ip_address(named))
    except ValueError:
        return peer


def _answer_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    named = _connection_names(headers)
    return [
        (name.lower(), value)
        for name, value in headers
        if name.lower().decode("latin-1") not in (HOP_BY_HOP | named)
    ]


def _connection_names(headers: Iterable[tuple[bytes, bytes]]) -> set[str]:
    """Return the headers that ``Connection`` names as being for this hop alone."""
    return {
        part.strip().lower()
        for name, value in headers
        if name.lower() == b"connection"
        for part in value.decode("latin-1").split(",")
    }


def _scheme() -> str:
    """Return the scheme under which people reach us: TLS ends before this process."""
    return read_settings().public_url.partition(":")[0]


def _office_away() -> Response:
    response = plain_page("gateway.away-title", "gateway.away-help", status=503, head=AWAY)
    response.headers["Retry-After"] = "5"
    return response


def _gateway_away() -> Response:
    body = {"error": "busy", "message": both("gateway.error-busy"), "now_ms": None}
    return Response(
        msgspec.json.encode(body),
        status_code=503,
        headers={"Retry-After": "1", "Cache-Control": "no-store"},
        media_type="application/json",
    )


def main() -> None:
    """Run the front of this process's environment."""
    settings = read_settings()
    office = read_variable("PASSLIGHT_OFFICE_PORT", "8002")
    gateway = read_variable("PASSLIGHT_GATEWAY_PORT", "8001")
    uvicorn.run(
        create_front(office=f"http://127.0.0.1:{office}", gateway=f"http://127.0.0.1:{gateway}"),
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
