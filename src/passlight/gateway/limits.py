"""Limits: rates a principal, concurrency a class of work.

Verification and code issue have places of their own, so that a crowd of check-ins cannot
starve a door: a request waits a short while for a place in its class and is then told to
come back, which costs less than serving it late (field/06 3.8).
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from passlight.gateway.errors import RefusedError

PRINCIPALS_MAX = 100_000
QUEUE_SECONDS = 0.25

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class WorkClass(StrEnum):
    """A class of work; each has places of its own."""

    VERIFY = "verify"
    ISSUE = "issue"
    WRITE = "write"
    READ = "read"


PLACES = {
    WorkClass.VERIFY: 128,
    WorkClass.ISSUE: 128,
    WorkClass.WRITE: 64,
    WorkClass.READ: 64,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A token bucket: ``burst`` at once, then ``per_second``."""

    burst: float
    per_second: float


class BoundedMap(Generic[_Key, _Value]):
    """A dictionary of bounded size; the longest unused goes first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: OrderedDict[_Key, _Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: _Key) -> _Value | None:
        """Return the value and count it as used."""
        value = self._items.get(key)
        if value is not None:
            self._items.move_to_end(key)
        return value

    def put(self, key: _Key, value: _Value) -> None:
        """Store a value, making room."""
        self._items[key] = value
        self._items.move_to_end(key)
        if len(self._items) > self._size:
            self._items.popitem(last=False)


class RateLimiter:
    """Token buckets by principal, in bounded memory."""

    def __init__(self) -> None:
        self._buckets: BoundedMap[tuple[str, str], tuple[float, float]] = BoundedMap(PRINCIPALS_MAX)

    def take(self, kind: str, principal: str, rate: Rate, *, now: float) -> None:
        """Take one token; ``now`` is monotonic seconds.

        Raises:
            RefusedError: 429 when the bucket is empty.
        """
        left, seen = self._buckets.get((kind, principal)) or (rate.burst, now)
        left = min(rate.burst, left + (now - seen) * rate.per_second)
        if left < 1:
            wait = max(1, round((1 - left) / rate.per_second))
            self._buckets.put((kind, principal), (left, now))
            raise RefusedError(429, "too-many", retry_after=wait)
        self._buckets.put((kind, principal), (left - 1, now))


class WorkClasses:
    """A bounded number of places for each class of work."""

    def __init__(self) -> None:
        self._places = {kind: asyncio.Semaphore(places) for kind, places in PLACES.items()}

    @asynccontextmanager
    async def place(self, kind: WorkClass) -> AsyncIterator[None]:
        """Hold a place of this class.

        Raises:
            RefusedError: 503 when none gets free in a quarter of a second.
        """
        places = self._places[kind]
        if places.locked():
            try:
                async with asyncio.timeout(QUEUE_SECONDS):
                    await places.acquire()
            except TimeoutError:
                raise RefusedError(503, "busy", retry_after=1) from None
        else:
            await places.acquire()
        try:
            yield
        finally:
            places.release()
