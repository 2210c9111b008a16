"""Ends a process that hangs, so that whoever started it starts it again."""

import os
import threading
from collections.abc import Callable
from typing import Final

from passlight.core.kernel.clock import Clock

HANG_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 5.0
EXIT_HANG: Final = 70


class Watchdog:
    """Watches an event loop from a thread of its own: no beat for 30 s is a hang."""

    def __init__(
        self, clock: Clock, *, end: Callable[[int], object] = os._exit, hang: float = HANG_SECONDS
    ) -> None:
        self._clock = clock
        self._end = end
        self._hang = hang
        self._last = clock.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Watch from now on."""
        self.beat()
        self._thread.start()

    def beat(self) -> None:
        """Say that the loop turns."""
        self._last = self._clock.monotonic()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(min(LOOK_SECONDS, self._hang / 4)):
            if self._clock.monotonic() - self._last > self._hang:
                self._end(EXIT_HANG)
                return
