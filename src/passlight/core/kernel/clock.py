"""The clock as a parameter: only ``passlight.runtime`` reads a real one."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; every instant in Passlight is aware and in UTC."""

    def now(self) -> datetime:
        """Return the present instant, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards, from an arbitrary start."""
        ...
