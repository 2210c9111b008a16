"""Simulated readers and keys: what a simulation or a test shows, comes out as if it were read."""

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from passlight.gate.ports import Condition, GuardKey, Health, Pressed, Scan, ShownDocument

Shown = TypeVar("Shown")


class _SimulatedSource(Generic[Shown]):
    """A source without a device; ``broken`` plays a cable that was pulled out."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.broken = False
        self._queue: asyncio.Queue[Shown] = asyncio.Queue()

    def __aiter__(self) -> AsyncIterator[Shown]:
        return self

    async def __anext__(self) -> Shown:
        return await self._queue.get()

    def health(self) -> Health:
        """Return that it works, or that it is unplugged."""
        if self.broken:
            return Health(
                condition=Condition.DOWN,
                code="kiosk.device.gone",
                params={"reason": "unplugged"},
                faults=1,
            )
        return Health(condition=Condition.OK)

    async def run(self) -> None:
        """Serve until cancelled."""
        await asyncio.Event().wait()

    def _show(self, shown: Shown) -> None:
        if not self.broken:
            self._queue.put_nowait(shown)


class SimulatedScanner(_SimulatedSource[Scan]):
    """A scanner before which ``show`` holds a code."""

    def show(self, text: str) -> None:
        """Hold up a code."""
        self._show(Scan(text=text, source=self.name))


class SimulatedIdReader(_SimulatedSource[ShownDocument]):
    """A card reader on which ``show`` lays a card."""

    def show(self, shown: ShownDocument) -> None:
        """Lay a card on it."""
        self._show(shown)


class SimulatedKeys(_SimulatedSource[Pressed]):
    """The guard's keys, pressed by ``press``."""

    def press(self, key: GuardKey) -> None:
        """Press one."""
        self._show(Pressed(key=key, source=self.name))
