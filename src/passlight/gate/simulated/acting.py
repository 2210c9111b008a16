"""Simulated devices that measure and act: what they were told can be read afterwards."""

import asyncio
from collections import deque

from passlight.core.entry.presented import Reading
from passlight.core.kernel.clock import Clock
from passlight.gate.ports import Condition, DisplayState, Health

REMEMBERED = 10_000


class _SimulatedPort:
    """A device that works unless it is ``broken``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.broken = False

    def health(self) -> Health:
        """Return that it works, or that it is unplugged."""
        condition = Condition.DOWN if self.broken else Condition.OK
        code = "kiosk.device.gone" if self.broken else ""
        params = {"reason": "unplugged"} if self.broken else {}
        return Health(condition=condition, code=code, params=params)

    async def run(self) -> None:
        """Serve until cancelled."""
        await asyncio.Event().wait()


class SimulatedThermometer(_SimulatedPort):
    """A thermometer that reads ``tenths``, or nothing."""

    def __init__(self, name: str, thermometer: str = "simulated") -> None:
        super().__init__(name)
        self.thermometer = thermometer
        self.tenths: int | None = 365

    async def read(self) -> Reading | None:
        """Return the figure that was set."""
        if self.broken or self.tenths is None:
            return None
        return Reading(tenths=self.tenths, thermometer=self.thermometer)


class SimulatedBarrier(_SimulatedPort):
    """A barrier that remembers when it was opened, and for how long."""

    def __init__(self, name: str, clock: Clock) -> None:
        super().__init__(name)
        self._clock = clock
        self.opened: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)

    async def open(self, seconds: float) -> bool:
        """Open, by the clock that was given."""
        if self.broken:
            return False
        self.opened.append((self._clock.monotonic(), seconds))
        return True

    @property
    def is_open(self) -> bool:
        """Return whether the last pulse still lasts."""
        if not self.opened:
            return False
        at, seconds = self.opened[-1]
        return self._clock.monotonic() < at + seconds


class SimulatedSpeaker(_SimulatedPort):
    """A speaker that remembers what it said."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.said: deque[str] = deque(maxlen=REMEMBERED)

    def say(self, prompt: str) -> None:
        """Remember ``prompt``."""
        if not self.broken and prompt:
            self.said.append(prompt)


class SimulatedDisplay(_SimulatedPort):
    """A screen that remembers what it showed."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.shown: deque[DisplayState] = deque(maxlen=REMEMBERED)

    def show(self, state: DisplayState) -> None:
        """Remember ``state``."""
        if not self.broken:
            self.shown.append(state)
