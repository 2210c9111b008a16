"""The gateway as an ASGI application: Starlette, never Django, answers from memory."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from passlight.core.kernel.clock import Clock
from passlight.gateway.auth import Authenticator, Principal
from passlight.gateway.errors import RefusedError
from passlight.gateway.handlers import Handlers
from passlight.gateway.limits import RateLimiter, WorkClasses
from passlight.gateway.reading import read_json, read_query
from passlight.gateway.routes import ROUTES, RouteSpec
from passlight.gateway.venue_page import VenuePage

BODY_SECONDS = 5.0
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
access = logging.getLogger("passlight.gateway.access")
faults = logging.getLogger("passlight.gateway.faults")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an application is made of; ``started`` and ``stopped`` run its threads."""

    clock: Clock
    authenticator: Authenticator
    handlers: Handlers
    venue_page: VenuePage
    started: Callable[[], None] = lambda: None
    stopped: Callable[[], None] = lambda: None


def create_app(parts: Parts) -> Starlette:
    """Return the application."""
    server = _Server(parts)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await asyncio.to_thread(parts.started)
        yield
        await asyncio.to_thread(parts.stopped)

    routes = [
        Route(spec.path, server.endpoint(spec), methods=[spec.method], include_in_schema=False)
        for spec in ROUTES
    ]
    routes.append(Route("/v/{token}", server.guarded(parts.venue_page.show), methods=["GET"]))
    return Starlette(
        routes=routes, lifespan=lifespan, exception_handlers={HTTPException: server.no_route}
    )


class _Server:
    """Turns a table row into an endpoint: limits, who asks, what is asked, the answer."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._rates = RateLimiter()
        self._classes: WorkClasses | None = None

    def endpoint(self, spec: RouteSpec) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint of one route."""

        async def serve(request: Request) -> Response:
            return await self._answer(spec, request)

        return self.guarded(serve, name=spec.path)

    def guarded(
        self, inner: Callable[[Request], Awaitable[Response]], *, name: str = "/v/{token}"
    ) -> Callable[[Request], Awaitable[Response]]:
        """Return ``inner`` with every failure turned into an error body, and logged.

        The log holds method, route, status and duration: no handle, no address, no token.
        """

        async def serve(request: Request) -> Response:
            began = self._parts.clock.monotonic()
            try:
                response = await inner(request)
            except RefusedError as error:
                response = self._refusal(error)
            except ClientDisconnect:
                response = self._refusal(RefusedError(400, "too-slow"))
            except Exception as error:  # noqa: BLE001  # no failure may end as anything else
                # The type and the place, never the message: it may hold what somebody sent.
                faults.error("%s %s: %s", request.method, name, _where(error))
                response = self._refusal(RefusedError(500, "internal"))
            took = (self._parts.clock.monotonic() - began) * 1000
            access.info("%s %s %d %.1f ms", request.method, name, response.status_code, took)
            return response

        return serve

    async def no_route(self, _: Request, error: Exception) -> Response:
        """Answer a wrong address or method."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        codes = {404: "not-found", 405: "wrong-method"}
        return self._refusal(RefusedError(status, codes.get(status, "bad-request")))

    async def _answer(self, spec: RouteSpec, request: Request) -> Response:
        if self._classes is None:
            self._classes = WorkClasses()
        async with self._classes.place(spec.work):
            principal = self._principal(spec, request)
        # No place is held while a body comes in: a few slow senders would take all of them.
        asked = await self._asked(spec, request)
        async with self._classes.place(spec.work):
            handler = getattr(self._parts.handlers, spec.handler)
            status, answer = await handler(principal, asked)
        return _json(status, answer)

    def _principal(self, spec: RouteSpec, request: Request) -> Principal | None:
        if not spec.roles:
            return None
        proofs = request.headers.getlist("dpop")
        principal = self._parts.authenticator.authenticate(
            authorization=request.headers.get("authorization", ""),
            proof=proofs[0] if len(proofs) == 1 else "",
            method=request.method,
            path=spec.path,
            roles=spec.roles,
        )
        if spec.rate is not None:
            now = self._parts.clock.monotonic()
            self._rates.take(spec.path, principal.handle, spec.rate, now=now)
        return principal

    async def _asked(self, spec: RouteSpec, request: Request) -> Any:
        if spec.query is not None:
            return read_query(request.query_params.multi_items(), spec.query)
        if spec.request is None:
            return None
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(request, spec.body_limit)
        except TimeoutError:
            raise RefusedError(408, "too-slow") from None
        return read_json(body, spec.request)

    def _refusal(self, error: RefusedError) -> Response:
        response = _json(error.status, error.body(self._parts.clock.now()))
        if error.retry_after is not None:
            response.headers["Retry-After"] = str(error.retry_after)
        if error.status == 401:  # noqa: PLR2004
            response.headers["WWW-Authenticate"] = 'DPoP algs="ES256"'
        return response


async def _body(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise RefusedError(413, "too-large")
    return bytes(body)


def _json(status: int, answer: Any) -> Response:
    return Response(
        msgspec.json.encode(answer),
        status_code=status,
        headers=HEADERS,
        media_type="application/json",
    )


def _where(error: Exception) -> str:
    """Return the error's type and where it arose."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    return f"{type(error).__name__} in {trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"
