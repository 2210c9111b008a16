"""Places (名额): how a door lets people in up to a cap without asking anybody at that moment.

A zone's cap is shared out as places, and each is in one hand at a time. A door holds two
kinds:

* its **standing share**, its own for ever, on line or off. Who is admitted on one holds it
  until they leave through this door, or the door hears that they left elsewhere, or their
  stay times out; then the door may use it again.
* **tickets**, borrowed in blocks and good for one admission each, until they expire by the
  door's own monotonic clock, counted from when it asked. A ticket that was used belongs to
  the server from then on, and so does the place when that visit ends.

``zone_places`` is the server's side and says why the two never pass the cap together. A place
is held under a lease, a UUID that also stands in the entry record, so nothing counts twice.
Everything a door does twice is the same as once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from passlight.core.places.hall import HallState

TICKETS_MAX = 100
EVENTS_A_REPORT = 400
STAY_SECONDS = 4 * 3600  # until the server has said what the plan says
LEASES_REMEMBERED = 10_000


class ArrivalKind(StrEnum):
    """How somebody came: without an appointment, or with one."""

    WALK_IN = "walk-in"
    APPOINTMENT = "appointment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Somebody at the door; an appointment has the POSIX second at which it is due."""

    kind: ArrivalKind = ArrivalKind.WALK_IN
    due_at: int | None = None

    def __post_init__(self) -> None:
        assert (self.kind is ArrivalKind.APPOINTMENT) == (self.due_at is not None), self

    def is_due(self, now: int, *, early_seconds: int) -> bool:
        """Return whether this is an appointment whose time has come, or nearly."""
        return self.due_at is not None and now >= self.due_at - early_seconds


@dataclass(slots=True)
class _Ticket:
    """Borrowed places that expire together; ``due`` ones are for due appointments alone."""

    expires_at: float
    count: int
    due: bool


def group_leases(lease: str, people: int) -> tuple[str, ...]:
    """Return a lease for each of ``people`` who enter under one scan: the visit's, then others.

    They follow from the first, so that one lease in the record names all of them.
    """
    assert people >= 1, people
    return (lease, *(str(uuid5(UUID(lease), f"companion {n}")) for n in range(1, people)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The request whose reply is awaited: when it was made, and what it reported."""

    at: float
    used: int
    taken: int
    left: frozenset[str]


@dataclass(slots=True, kw_only=True)
class DoorPlaces:
    """The door's side. ``now`` is always the door's monotonic clock, in seconds.

    Keep ``to_json`` on disk before a barrier opens and after every reply: a door that forgot
    whom it admitted must begin again with ``DoorPlaces()``, which holds nothing until the
    server has answered.
    """

    standing: int = 0
    state: HallState = HallState.OPEN
    inside: int = 0
    cap: int | None = None
    stay_seconds: float = STAY_SECONDS
    session: int = 0
    """Which the server gave to this process; 0 until it has, and the next request asks for one."""
    request: int = 0
    fresh: bool = True
    own: dict[str, float] = field(default_factory=dict)
    """Open leases on the standing share, and when each was taken."""
    borrowed: dict[str, None] = field(default_factory=dict)
    """Open leases on tickets, as far as this door knows."""
    _tickets: list[_Ticket] = field(default_factory=list)
    _used: list[str] = field(default_factory=list)
    _taken: list[str] = field(default_factory=list)
    _left: list[str] = field(default_factory=list)
    _gone: dict[str, None] = field(default_factory=dict)
    _asked: _Asked | None = None

    @property
    def tickets(self) -> int:
        """Return how many borrowed places are left."""
        return sum(ticket.count for ticket in self._tickets)

    def unused(self, now: float, *, due: bool = False) -> int:
        """Return how many more people this door may admit by itself now."""
        self.expire(now)
        if self.state is HallState.CLOSED:
            return 0
        tickets = sum(ticket.count for ticket in self._tickets if due or not ticket.due)
        return max(0, self.standing - len(self.own)) + tickets

    def take(self, lease: str, now: float, *, due: bool = False) -> bool:
        """Take a place for ``lease`` and return whether there was one; again is the same.

        ``due``: a due appointment, which may use the places kept for those.
        """
        self.expire(now)
        if lease in self.own or lease in self.borrowed:
            return True
        if lease in self._gone or not self.unused(now, due=due):
            return False
        ticket = self._ticket(due=due)
        if ticket is not None:
            ticket.count -= 1
            self._used.append(lease)
            _remember(self.borrowed, lease)
        else:
            self.own[lease] = now
            self._taken.append(lease)
        return True

    def take_group(self, leases: tuple[str, ...], now: float, *, due: bool = False) -> bool:
        """Take a place for each lease, or none at all when there are too few."""
        missing = [lease for lease in leases if lease not in self.own | self.borrowed]
        if len(missing) > self.unused(now, due=due) or any(x in self._gone for x in missing):
            return False
        for lease in missing:
            self.take(lease, now, due=due)
        return True

    def give_back(self, lease: str, now: float) -> None:
        """End ``lease``: somebody left through this door, whichever door admitted them."""
        self.expire(now)
        self._end(lease)

    def expire(self, now: float) -> None:
        """Drop tickets whose time is over and end stays that are longer than the plan allows."""
        self._tickets = [t for t in self._tickets if t.expires_at > now and t.count > 0]
        for lease, taken_at in list(self.own.items()):
            if now - taken_at < self.stay_seconds:
                break  # they stand in the order in which they were taken
            self._end(lease)

    def report(self, now: float) -> dict[str, Any]:
        """Return what happened since the server last answered, and what is held.

        Every lease on a ticket that the server has not confirmed is in it, so these and
        ``unused`` together are all that was lent.
        """
        self.expire(now)
        later = set(self._taken[EVENTS_A_REPORT:])  # a departure never goes before its arrival
        return {
            "admitted": list(self._used),
            "own": self._taken[:EVENTS_A_REPORT],
            "left": [x for x in self._left if x not in later][:EVENTS_A_REPORT],
            "unused": self.tickets,
            "standing": max(self.standing, len(self.own)),
            "fresh": self.fresh,
        }

    def ask(self, now: float, *, want: int = 0, due: int = 0) -> dict[str, Any]:
        """Return the next request: the report, and how many more places are wanted.

        Only the reply to the latest request is ever taken, so a lost or late one lends nothing.
        """
        report = self.report(now)
        self.request += 1
        self._asked = _Asked(
            at=now,
            used=len(report["admitted"]),
            taken=len(report["own"]),
            left=frozenset(report["left"]),
        )
        want = max(0, min(want, TICKETS_MAX - self.tickets))
        due = max(0, min(due, TICKETS_MAX - self.tickets - want))
        return {
            "session": self.session,
            "request": self.request,
            "report": report,
            "want": want,
            "due": due,
        }

    def stale(self) -> None:
        """Take the server's refusal of a session: the next request asks for a new one."""
        self.session, self._asked = 0, None

    def granted(self, reply: Mapping[str, Any], now: float) -> bool:
        """Take the server's reply; return whether it was to the latest request.

        The reply to a process's first request gives its session and no places: ask again.
        """
        asked = self._asked
        if asked is None or reply["request"] != self.request:
            return False
        self._asked = None
        self.inside, self.cap = reply["inside"], reply["cap"]
        if not self.session:
            self.session = reply["session"]
            return True
        self._take(reply, asked)
        self.expire(now)
        return True

    def _take(self, reply: Mapping[str, Any], asked: _Asked) -> None:
        """Believe what a reply says: what it confirms, lends and ends."""
        self._used = self._used[asked.used :]
        self._taken = self._taken[asked.taken :]
        self._left = [lease for lease in self._left if lease not in asked.left]
        self.fresh = False
        self.standing, self.stay_seconds = reply["standing"], reply["stay_seconds"]
        self.state = HallState(reply["state"])
        expires_at = asked.at + reply["expires_in"]
        for count, due in ((reply["granted"], False), (reply["granted_due"], True)):
            self._tickets.append(_Ticket(expires_at=expires_at, count=count, due=due))
        for lease in reply["ended"]:
            self._end(lease, again=True)
        if self.state is HallState.CLOSED:
            self._close()

    def to_json(self, now: float) -> dict[str, Any]:
        """Return what a door must still know after its power was cut."""
        return {
            "standing": self.standing,
            "state": self.state.value,
            "cap": self.cap,
            "stay_seconds": self.stay_seconds,
            "request": self.request,
            "fresh": self.fresh,
            "own": {lease: now - taken_at for lease, taken_at in self.own.items()},
            "borrowed": list(self.borrowed),
            "used": self._used,
            "taken": self._taken,
            "left": self._left,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any], now: float) -> "DoorPlaces":
        """Return the state that was kept; tickets are gone, for nobody knows how long it was off.

        Stays go on from the age they had, so a place is given back late rather than early.
        """
        return cls(
            standing=kept["standing"],
            state=HallState(kept["state"]),
            cap=kept["cap"],
            stay_seconds=kept["stay_seconds"],
            request=kept["request"],
            fresh=kept["fresh"],
            own={lease: now - age for lease, age in kept["own"].items()},
            borrowed=dict.fromkeys(kept["borrowed"]),
            _used=list(kept["used"]),
            _taken=list(kept["taken"]),
            _left=list(kept["left"]),
            _gone=dict.fromkeys(kept["left"]),
        )

    def _ticket(self, *, due: bool) -> _Ticket | None:
        """Return the ticket to use: one for due appointments first, then the next to expire."""
        good = [t for t in self._tickets if t.count > 0 and (due or not t.due)]
        return min(good, key=lambda t: (not t.due, t.expires_at), default=None)

    def _end(self, lease: str, *, again: bool = False) -> None:
        """End a lease and tell the server; ``again``: also when it was told before."""
        self.own.pop(lease, None)
        self.borrowed.pop(lease, None)
        if (again or lease not in self._gone) and lease not in self._left:
            self._left.append(lease)
        _remember(self._gone, lease)

    def _close(self) -> None:
        """Give every place back: the hall is closed."""
        self._tickets = []
        for lease in [*self.own, *self.borrowed]:
            self._end(lease)


def _remember(leases: dict[str, None], lease: str) -> None:
    leases[lease] = None
    if len(leases) > LEASES_REMEMBERED:
        del leases[next(iter(leases))]
