"""The small HTTP servers of a door's box, the screen's and that of existing hardware.

They live in the door's own loop, leave its signals alone, and take a bounded body.
"""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request

STOP_SECONDS: Final = 2.0


class BodyTooLongError(Exception):
    """The request's body is longer than it may be; the rest of it was not read."""


class BodyFormError(Exception):
    """The request's body is not one JSON object."""


async def json_object(request: Request, *, bytes_max: int) -> dict[str, Any]:
    """Return the JSON object that is the request's body.

    Raises:
        BodyTooLongError: before anything of it is parsed.
        BodyFormError: it is something else.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > bytes_max:
            raise BodyTooLongError
    try:
        content = json.loads(bytes(body))
    except (ValueError, RecursionError):
        raise BodyFormError from None
    if not isinstance(content, dict):
        raise BodyFormError
    return content


async def serve_until_cancelled(
    app: Starlette,
    listening: socket.socket,
    *,
    connections_max: int,
    opened: Callable[[], None],
    stop: Callable[[], None] = lambda: None,
) -> None:
    """Serve on ``listening``; when cancelled, end the streams (``stop``) and close in order."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
        limit_concurrency=connections_max,
    )
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    opened()
    try:
        await asyncio.shield(serving)
    finally:
        stop()
        server.should_exit = True
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(serving, STOP_SECONDS)


class _Server(uvicorn.Server):
    """A server that leaves the signals to the process around it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
