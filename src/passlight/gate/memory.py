"""What a door remembers of its visitors: codes just seen, places taken, staff who have begun.

All of it goes to the disk in the same transaction as the record that it belongs to, so a power
cut never lets a code in twice, and never forgets a place. Nobody is named here: a person is the
digest of an index under a secret of this door.
"""

import hashlib
import json
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any, Final

from passlight.core.codes import base45
from passlight.core.codes.layout import PREFIX, SIGNED_LENGTH
from passlight.core.entry.places import DoorPlaces, group_leases
from passlight.core.entry.presented import Room
from passlight.core.entry.record import Who
from passlight.core.verification.answer import Answer
from passlight.core.verification.reading import LINK_OFFSET
from passlight.core.verification.replay import ReplaySet, Sighting
from passlight.gate.spool import Spool, TakenCode

MEMORY: Final = "memory"
VISITS_MAX: Final = 2_000
STARTED_MAX: Final = 500

_RECENT = 10
_AGREEING = 5
_WINDOW_REASONS = frozenset({"slot-old", "slot-ahead"})
_BEFORE_RESTART = "before-restart"


class HashedReplaySet(ReplaySet):
    """A replay set that knows bodies by their digest: what goes to the disk shows no index."""

    def __init__(self) -> None:
        super().__init__()
        self.last: TakenCode | None = None

    def find(self, body: bytes, *, now: int) -> Sighting | None:
        """Return the sighting of a body that still counts."""
        return super().find(_digest(body), now=now)

    def record(self, body: bytes, *, slot: int, interaction: str, now: int) -> Sighting:
        """Keep a body as seen in ``slot``."""
        self.last = TakenCode(body=_digest(body), slot=slot, seen_at=now)
        return super().record(self.last.body, slot=slot, interaction=interaction, now=now)

    def restore(self, taken: TakenCode) -> None:
        """Take a sighting from before a restart; no interaction goes on through one."""
        super().record(taken.body, slot=taken.slot, interaction=_BEFORE_RESTART, now=taken.seen_at)


@dataclass(slots=True)
class SkewWatch:
    """Notices that it is the door's clock that is off, and not everybody's phone (PL1 7)."""

    _recent: deque[tuple[int, int] | None] = field(default_factory=lambda: deque(maxlen=_RECENT))

    def is_off(self, answer: Answer, text: str, *, now: int) -> bool:
        """Return whether five different codes of the last ten were off by the same slots."""
        body = answer.body
        if body is None or answer.reason not in _WINDOW_REASONS:
            self._recent.append(None)
            return False
        raw = base45.decode(text[len(PREFIX) :]) or b""
        slot = int.from_bytes(raw[SIGNED_LENGTH:LINK_OFFSET], "big")
        off = slot - (now - body.starts_at) // body.slot_seconds
        self._recent.append((body.index, off))
        agreeing = {seen[0] for seen in self._recent if seen is not None and seen[1] == off}
        if len(agreeing) < _AGREEING:
            return False
        self._recent.clear()
        return True


class DoorMemory:
    """The door's own memory; restored from the spool that keeps it."""

    def __init__(self, spool: Spool, *, secret: bytes, now: int, monotonic: float) -> None:
        self.replay = HashedReplaySet()
        self.places = DoorPlaces()
        self.has_cap = False
        self._secret = secret
        self._visits: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self._started: OrderedDict[str, None] = OrderedDict()
        for taken in spool.seen(now=now):
            self.replay.restore(taken)
        self._restore(spool.kept(MEMORY), monotonic)

    def taken_code(self, answer: Answer | None) -> TakenCode | None:
        """Return what to keep of a code that was taken just now."""
        last = self.replay.last
        if answer is None or answer.body is None or last is None:
            return None
        return last if last.body == _digest(answer.body.encode()) else None

    # Places.

    def room(self, people: int, *, now: float) -> Room:
        """Return whether there is room for ``people``; no place of our own counts as full."""
        if not self.has_cap:
            return Room.FREE
        if self.places.unused(now) >= people:
            return Room.FREE
        # The server's first reply names the cap and lends nothing yet: that is not a full hall.
        return Room.UNKNOWN if self.places.fresh else Room.FULL

    def enter(self, who: Who | None, visit: str, people: int, *, now: float) -> bool:
        """Take the places of one visit, all or none."""
        if not self.places.take_group(group_leases(visit, people), now):
            return False
        key = self._key(who) if who is not None else visit
        self._visits[key] = (visit, people)
        while len(self._visits) > VISITS_MAX:
            self._visits.popitem(last=False)
        return True

    def leave(self, who: Who | None, *, now: float) -> str:
        """Give back the places of whoever leaves; returns the visit's lease, when it was ours.

        Of somebody unknown the oldest visit ends: who it was does not matter to the count.
        """
        key = self._key(who) if who is not None else next(iter(self._visits), "")
        visit, people = self._visits.pop(key, ("", 0))
        if visit:
            for lease in group_leases(visit, people):
                self.places.give_back(lease, now)
        return visit

    def undo(self, visit: str, *, now: float) -> None:
        """Give back the places of a visit that did not come about."""
        for key, (found, people) in list(self._visits.items()):
            if found == visit:
                del self._visits[key]
                for lease in group_leases(visit, people):
                    self.places.give_back(lease, now)

    # Staff.

    def started(self, who: Who | None) -> None:
        """Remember that this member of staff has begun the day here."""
        if who is not None:
            self._started[self._key(who)] = None
            while len(self._started) > STARTED_MAX:
                self._started.popitem(last=False)

    def not_started(self, who: Who | None) -> None:
        """Forget it again: that entry did not come about."""
        if who is not None:
            self._started.pop(self._key(who), None)

    def has_started(self, who: Who) -> bool:
        """Return whether this member of staff began the day here; an epoch is a day."""
        return self._key(who) in self._started

    # On the disk.

    def kept(self, *, now: float) -> dict[str, bytes]:
        """Return what goes to the disk with the next record."""
        for key in [key for key, (visit, _) in self._visits.items() if not self._holds(visit)]:
            del self._visits[key]  # ended by time, elsewhere or by closing
        value: dict[str, Any] = {
            "started": list(self._started),
            "visits": [[key, visit, people] for key, (visit, people) in self._visits.items()],
            "places": self.places.to_json(now),
        }
        return {MEMORY: json.dumps(value, separators=(",", ":")).encode()}

    def _restore(self, raw: bytes | None, monotonic: float) -> None:
        if raw is None:
            return
        try:
            value = json.loads(raw)
            self.places = DoorPlaces.from_json(value["places"], monotonic)
            self._visits.update(
                (str(key), (str(visit), int(people))) for key, visit, people in value["visits"]
            )
            self._started.update((str(key), None) for key in value["started"])
        except (ValueError, KeyError, TypeError, AttributeError):
            # Damaged: begin again with nothing, which holds no place and knows nobody.
            self.places, self._visits, self._started = DoorPlaces(), OrderedDict(), OrderedDict()

    def _holds(self, visit: str) -> bool:
        return visit in self.places.own or visit in self.places.borrowed

    def _key(self, who: Who) -> str:
        named = f"{who.realm}\x1f{who.epoch}\x1f{who.index}\x1f{who.lookup}\x1f{who.paper}"
        return hashlib.blake2b(named.encode(), key=self._secret, digest_size=16).hexdigest()


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(b"passlight seen\0" + body).digest()
