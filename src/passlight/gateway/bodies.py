"""A request's body at the front: taken in whole before anybody behind the front waits for it.

The office has a few threads, and one that waits for the body of a slow sender answers nobody
else: four slow senders would close it for a whole city. The gateway has no such threads, but
the front has a bounded number of connections to it. So the front collects, bounded in size,
pace and number, and passes a body on when it is complete.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

from starlette.requests import Request

MEBIBYTE = 1024 * 1024
SMALL_BYTES = 4 * MEBIBYTE
# A steward's file; every other page of the office takes forms and small zips.
LARGE_BYTES = 256 * MEBIBYTE
LARGE_PATHS = ("/feeds/",)
LARGE_AT_ONCE = 8
MEMORY_BYTES = 128 * 1024
PATIENCE_SECONDS = 10.0
PACE_BYTES_A_SECOND = 16 * 1024
CHUNK = 64 * 1024


class BodyError(Exception):
    """A body that is not passed on; ``status`` is what its sender is told."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(status)


class Bodies:
    """Takes bodies in, few large ones at a time."""

    def __init__(self, *, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._large = 0

    @asynccontextmanager
    async def taken(self, request: Request) -> AsyncIterator[tuple[AsyncIterator[bytes], int]]:
        """Give the whole body, in pieces, and its length.

        Raises:
            BodyError: 413 too large, 408 too slow, 503 when too many large ones come in.
        """
        with tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES) as kept:
            places = [0]
            try:
                size = await self._collect(request, kept, places)
                yield _pieces(kept), size
            finally:
                self._large -= places[0]

    async def _collect(self, request: Request, kept: IO[bytes], places: list[int]) -> int:
        most = LARGE_BYTES if request.url.path.startswith(LARGE_PATHS) else SMALL_BYTES
        announced = request.headers.get("content-length", "0")
        if not announced.isascii() or not announced.isdecimal() or int(announced) > most:
            raise BodyError(413)
        size = 0
        start = asyncio.get_running_loop().time() + self._patience
        try:
            async with asyncio.timeout_at(start) as deadline:
                async for piece in request.stream():
                    size += len(piece)
                    if size > most:
                        raise BodyError(413)
                    if size > SMALL_BYTES and not places[0]:
                        self._take_place(places)
                    kept.write(piece)
                    deadline.reschedule(start + size / PACE_BYTES_A_SECOND)
        except TimeoutError:
            raise BodyError(408) from None
        kept.seek(0)
        return size

    def _take_place(self, places: list[int]) -> None:
        if self._large >= LARGE_AT_ONCE:
            raise BodyError(503)
        self._large += 1
        places[0] = 1


async def _pieces(kept: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := kept.read(CHUNK):
        yield piece
