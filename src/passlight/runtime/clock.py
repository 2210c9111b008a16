"""The real clock and the real entropy of this machine."""

import os
import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()


class SystemEntropy:
    """The operating system's random generator."""

    def token(self, size: int) -> bytes:
        """Return ``size`` bytes from the operating system."""
        return os.urandom(size)


def sleep(seconds: float) -> None:
    """Wait; the only place that does, so that a search for it finds every wait."""
    time.sleep(seconds)
