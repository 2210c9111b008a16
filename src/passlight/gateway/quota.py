"""How many codes a registration may ask for (PL1 3.6), remembered across a kill -9.

Hot at most every 2 min and 20 an hour; a cold code for each epoch, replaced at most 3 times.
Every code made is in the journal before it is given out, with a note that says hot or cold;
at start the notes are read back.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from passlight.gateway.errors import RefusedError
from passlight.gateway.limits import BoundedMap

HOT_EVERY = timedelta(minutes=2)
HOT_AN_HOUR = 20
COLD_AN_EPOCH = 4
REGISTRATIONS_KEPT = 500_000
REMEMBERED = timedelta(days=5)


@dataclass(slots=True)
class _Registration:
    hot: deque[float] = field(default_factory=lambda: deque(maxlen=HOT_AN_HOUR))
    cold: dict[int, int] = field(default_factory=dict)


class Quota:
    """Counts the codes of each registration."""

    def __init__(self) -> None:
        self._registrations: BoundedMap[str, _Registration] = BoundedMap(REGISTRATIONS_KEPT)

    def restore(self, notes: Iterable[tuple[str, str, datetime]]) -> None:
        """Count again what the journal noted: registration, note, time."""
        for handle, note, at in notes:
            kind, _, epoch = note.partition(":")
            if kind == "hot":
                self._of(handle).hot.append(at.timestamp())
            elif kind == "cold" and epoch.lstrip("-").isdecimal():
                cold = self._of(handle).cold
                cold[int(epoch)] = cold.get(int(epoch), 0) + 1

    def take_hot(self, handle: str, *, now: float) -> None:
        """Count a hot code.

        Raises:
            RefusedError: 429 when it comes too soon.
        """
        hot = self._of(handle).hot
        since = now - hot[-1] if hot else HOT_EVERY.total_seconds()
        # A clock that was set back must not lock anybody out.
        if 0 <= since < HOT_EVERY.total_seconds():
            wait = round(HOT_EVERY.total_seconds() - since)
            raise RefusedError(429, "hot-too-soon", retry_after=max(1, wait))
        if len(hot) == HOT_AN_HOUR and 0 <= now - hot[0] < timedelta(hours=1).total_seconds():
            raise RefusedError(429, "hot-too-soon", retry_after=60)
        hot.append(now)

    def take_cold(self, handle: str, epoch: int, *, present: int) -> None:
        """Count a cold code of an epoch.

        Raises:
            RefusedError: 429 when it was replaced three times already.
        """
        cold = self._of(handle).cold
        for past in [other for other in cold if other < present - 1]:
            del cold[past]
        if cold.get(epoch, 0) >= COLD_AN_EPOCH:
            raise RefusedError(429, "cold-too-many", retry_after=3600)
        cold[epoch] = cold.get(epoch, 0) + 1

    def give_back(self, handle: str, *, epoch: int | None) -> None:
        """Uncount a code that was not given out after all."""
        registration = self._of(handle)
        if epoch is None:
            if registration.hot:
                registration.hot.pop()
        elif registration.cold.get(epoch, 0):
            registration.cold[epoch] -= 1

    def _of(self, handle: str) -> _Registration:
        registration = self._registrations.get(handle)
        if registration is None:
            registration = _Registration()
            self._registrations.put(handle, registration)
        return registration
