"""A bad line between a door and its server: it cuts, repeats and reorders, from a seed."""

import random
from collections.abc import Callable

import httpx


class BadLine(httpx.AsyncBaseTransport):
    """Carries requests to ``server``, badly, until ``cuts`` requests were cut.

    The request is lost; its reply is lost; it arrives twice; an older one arrives once more
    before it.
    """

    def __init__(
        self, server: Callable[[httpx.Request], httpx.Response], *, cuts: int, seed: int
    ) -> None:
        self.cuts = cuts
        self.cut = 0
        self.repeated = 0
        self.repeats = True
        self._server = server
        self._random = random.Random(seed)
        self._older: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        fates = ["whole", "twice", "reordered"] if self.repeats else ["whole"]
        if self.cut < self.cuts:
            fates += ["lost", "no reply"] * 6
        fate = self._random.choice(fates)
        if fate == "lost":
            self.cut += 1
            raise httpx.ConnectError("cut")
        if fate == "reordered" and self._older:
            self._server(self._random.choice(self._older))
        answer = self._server(request)
        self._older.append(request)
        if fate == "twice":
            self._server(request)
        if fate in {"twice", "reordered"}:
            self.repeated += 1
        if fate == "no reply":
            self.cut += 1
            raise httpx.ReadError("cut")
        return httpx.Response(answer.status_code, content=answer.content)
