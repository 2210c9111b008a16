"""Places, the server's side: what a zone lends to its doors, and that it never lends too much.

At every moment, for every zone::

    charged to doors + open leases that no door is charged for  ≤  cap

A door is charged its standing share, used or not, and every ticket it may still use. A lease
on a ticket becomes the zone's own when it is reported; one on a standing share stays inside
the share it was taken from. What a door reports is the whole of what it holds (its request
is numbered and it takes no reply but the latest one's), so each report replaces the charge.
So that no old report does, a door's process begins with a greeting: it changes nothing and
gives a session number, and only reports of the session given last are taken.
Of a door that is silent nothing is taken back until its tickets have expired *and* a stay that
began on the last of them would be over (``lent_seconds``); its standing share only when it may
not decide any more.

This is a pure function: ``settle`` takes what is known and returns what must be written. The
gateway runs it under the lock of the zone's row, the tests on a dictionary.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from passlight.core.places.hall import HallState

TICKET_SECONDS = 60
BLOCK = 20


def lent_seconds(*, ticket_seconds: float, stay_seconds: float) -> float:
    """Return how long after a reply its door may have tickets, or people inside on them."""
    return ticket_seconds + stay_seconds


class EndedBy(StrEnum):
    """What ended a lease."""

    EXIT = "exit"
    TIME_OUT = "time-out"
    CLOSING = "closing"
    CORRECTION = "correction"


class StaleRequestError(Exception):
    """A report that no longer holds: of another session, or older than one that was answered.

    The door greets again (``DoorPlaces.stale``).
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a door asks (``DoorPlaces.ask``); session 0 is a greeting."""

    session: int
    request: int
    admitted: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    unused: int = 0
    standing: int = 0
    fresh: bool = False
    want: int = 0
    due: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorAccount:
    """What the server knows of one door's device in a zone."""

    session: int = 0
    request: int = 0
    greeted: bool = False
    """Whether nothing was reported in this session yet."""
    standing: int = 0
    lent: int = 0

    @property
    def charged(self) -> int:
        """Return how many places this door may be using."""
        return self.standing + self.lent


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseAccount:
    """What is known of a lease: whether it is open, and inside which door's standing share."""

    open: bool
    own_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneAccount:
    """A zone as ``settle`` finds it, without the door that asks.

    ``inside`` counts every open lease, ``pooled`` those in no standing share, ``elsewhere``
    what other doors are charged, and what is held for doors that forgot whom they admitted.
    """

    cap: int
    state: HallState
    share: int
    """The standing share that the plan gives to the door that asks."""
    reserved: int = 0
    """Places that only due appointments may still take."""
    block: int = BLOCK
    """How many are lent at once at most."""
    inside: int
    pooled: int
    elsewhere: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What must be written, and what the door is told."""

    door: DoorAccount
    opened: Mapping[str, str]
    """New open leases, and the door in whose standing share each is (empty: the zone's)."""
    departed: tuple[str, ...]
    """Leases that are not known yet and already over."""
    ended: tuple[str, ...]
    """Known open leases that somebody's leaving ended."""
    adopted: tuple[str, ...]
    """Known leases that turn out to be inside this door's standing share."""
    told: tuple[str, ...]
    """Leases of this door that it knows to be over."""
    held: int
    """Places to hold until everybody whom this door forgot has timed out."""
    standing: int
    granted: int
    granted_due: int
    inside: int


@dataclass(slots=True, kw_only=True)
class _Leases:
    """The leases that a report names, while it is gone through."""

    door: str
    known: Mapping[str, LeaseAccount]
    opened: dict[str, str] = field(default_factory=dict)
    departed: dict[str, None] = field(default_factory=dict)
    ended: dict[str, None] = field(default_factory=dict)
    adopted: dict[str, None] = field(default_factory=dict)
    told: dict[str, None] = field(default_factory=dict)
    pooled: int = 0
    """By how many the open leases of the zone's own have grown."""

    def enter(self, lease: str, *, own_of: str) -> None:
        """Take one admission; a lease that is known already changes hands at most."""
        account = self.known.get(lease)
        if account is None and lease not in self.opened:
            self.opened[lease] = own_of
            self.pooled += not own_of
        elif account is not None and own_of and not account.own_of and lease not in self.adopted:
            self.adopted[lease] = None
            self.pooled -= account.open

    def leave(self, lease: str) -> None:
        """Take one departure, of whomever."""
        account = self.known.get(lease)
        if lease in self.opened:
            self.pooled -= not self.opened.pop(lease)
            self.departed[lease] = self.told[lease] = None
        elif account is None:
            self.departed[lease] = None
        else:
            if account.open and lease not in self.ended:
                self.ended[lease] = None
                self.pooled -= not account.own_of and lease not in self.adopted
            if account.own_of == self.door or lease in self.adopted:
                self.told[lease] = None


def greet(door: DoorAccount, ask: Ask) -> DoorAccount:
    """Return the account after a greeting: a new session, and every charge as it was."""
    assert ask.session == 0, ask.session
    return DoorAccount(
        session=door.session + 1,
        request=ask.request,
        greeted=True,
        standing=door.standing,
        lent=door.lent,
    )


def settle(
    zone: ZoneAccount,
    door: DoorAccount,
    ask: Ask,
    *,
    name: str,
    known: Mapping[str, LeaseAccount],
) -> Settlement:
    """Return what follows from ``ask`` of the door ``name``; ``known``: every lease it names.

    Raises:
        StaleRequestError: for a report that no longer holds. The same request again is
            answered with what was kept, before this is called.
    """
    if ask.session != door.session or ask.request <= door.request:
        raise StaleRequestError
    # A process that forgot whom it admitted: what the door was charged is held for those.
    held = door.charged if door.greeted and ask.fresh else 0
    leases = _Leases(door=name, known=known)
    for lease in ask.admitted:
        leases.enter(lease, own_of="")
    for lease in ask.own:
        leases.enter(lease, own_of=name)
    for lease in ask.left:
        leases.leave(lease)
    free = zone.cap - zone.elsewhere - zone.pooled - leases.pooled
    free -= held + ask.unused + ask.standing
    standing = _standing(zone.share, present=ask.standing, free=free)
    charged = max(standing, ask.standing)  # a smaller share counts once the door has said so
    free = max(0, free - (charged - ask.standing))
    if zone.state is HallState.CLOSED:
        free = 0
    granted = min(ask.want, max(0, free - zone.reserved), zone.block)
    granted_due = min(ask.due, free - granted, zone.block)
    return Settlement(
        door=DoorAccount(
            session=ask.session,
            request=ask.request,
            standing=charged,
            lent=ask.unused + granted + granted_due,
        ),
        opened=leases.opened,
        departed=tuple(leases.departed),
        ended=tuple(leases.ended),
        adopted=tuple(leases.adopted),
        told=tuple(leases.told),
        held=held,
        standing=standing,
        granted=granted,
        granted_due=granted_due,
        inside=zone.inside + len(leases.opened) - len(leases.ended),
    )


def _standing(share: int, *, present: int, free: int) -> int:
    """Return the standing share to give: grown as far as there is room, shrunk at once."""
    if free < 0:
        return min(share, max(0, present + free))
    return min(share, present + free)
