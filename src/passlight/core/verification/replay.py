"""The replay set: a code is taken once at an admission point (PL1 5, step 16)."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from passlight.core.verification.answer import Answer

KEPT_SECONDS: Final = 120
BODIES_MAX: Final = 100_000


@dataclass(slots=True, kw_only=True)
class Sighting:
    """One body at this admission point: its highest slot, the interaction, the answer given."""

    slot: int
    interaction: str
    seen_at: int
    answer: Answer | None = None


@dataclass(slots=True)
class ReplaySet:
    """The bodies seen in the last 120 seconds, 100,000 at most, oldest out first.

    Keyed by body, never by signature bytes. Owned by one verifier; not shared between threads.
    """

    bodies_max: int = BODIES_MAX
    _seen: OrderedDict[bytes, Sighting] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._seen)

    def find(self, body: bytes, *, now: int) -> Sighting | None:
        """Return the sighting of a body that still counts."""
        self._forget(now)
        return self._seen.get(body)

    def record(self, body: bytes, *, slot: int, interaction: str, now: int) -> Sighting:
        """Keep a body as seen in ``slot``."""
        sighting = Sighting(slot=slot, interaction=interaction, seen_at=now)
        self._seen[body] = sighting
        self._seen.move_to_end(body)
        while len(self._seen) > self.bodies_max:
            self._seen.popitem(last=False)
        return sighting

    def _forget(self, now: int) -> None:
        # In order of seen_at, so only the front can be old.
        while self._seen:
            body, sighting = next(iter(self._seen.items()))
            if now - sighting.seen_at < KEPT_SECONDS:
                return
            del self._seen[body]
