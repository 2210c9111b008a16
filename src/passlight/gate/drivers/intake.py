"""What a device has read and the door has not yet taken: bounded, in order."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from passlight.core.kernel.clock import Clock
from passlight.gate.drivers.condition import DeviceCondition, keep_open
from passlight.gate.ports import Health

# Whoever stands behind the glass shows the code again; a longer queue would answer for people
# who have gone.
INTAKE_MAX = 4
Shown = TypeVar("Shown")


class Intake(Generic[Shown]):
    """A bounded queue; what does not fit is refused and counted, what waits keeps its order."""

    def __init__(self, condition: DeviceCondition, size: int = INTAKE_MAX) -> None:
        self._queue: asyncio.Queue[Shown] = asyncio.Queue(size)
        self._condition = condition

    def put(self, shown: Shown) -> bool:
        """Take one more, or say that there are too many."""
        try:
            self._queue.put_nowait(shown)
        except asyncio.QueueFull:
            self._condition.fault("kiosk.device.overflow")
            return False
        return True

    def __aiter__(self) -> AsyncIterator[Shown]:
        return self

    async def __anext__(self) -> Shown:
        return await self._queue.get()


class InputDriver(ABC, Generic[Shown]):
    """What every driver of an input is: a name, a condition, and what waits for the door."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self._condition = DeviceCondition(clock)
        self._intake: Intake[Shown] = Intake(self._condition)

    def __aiter__(self) -> AsyncIterator[Shown]:
        return aiter(self._intake)

    def health(self) -> Health:
        """Return how it is now."""
        return self._condition.read()

    async def run(self) -> None:
        """Read for ever."""
        await keep_open(self._serve, self._condition)

    @abstractmethod
    async def _serve(self) -> None:
        """Read until the device is gone."""
