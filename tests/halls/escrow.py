"""A hall with doors, a network that loses, repeats and reorders, and people, all in memory.

What is true is counted here by itself: who went in, who came out, whose stay is over. It asks
neither the doors nor the server how many are inside.
"""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from passlight.core.entry.places import DoorPlaces
from passlight.core.entry.zone_places import (
    TICKET_SECONDS,
    Ask,
    DoorAccount,
    LeaseAccount,
    StaleRequestError,
    ZoneAccount,
    greet,
    lent_seconds,
    settle,
)
from passlight.core.places.hall import HallState

STAY = 600.0


@dataclass
class Lease:
    own_of: str
    opened_at: float
    open: bool = True
    told: bool = False


@dataclass
class Server:
    """The server's side on dictionaries: what the gateway does in PostgreSQL."""

    cap: int
    shares: dict[str, int]
    reserved: int = 0
    state: HallState = HallState.OPEN
    reclaim_after: float = lent_seconds(ticket_seconds=TICKET_SECONDS, stay_seconds=STAY)
    believes_old_sessions: bool = False
    holds_for_the_forgetful: bool = True
    doors: dict[str, DoorAccount] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    replies: dict[str, tuple[tuple[int, int], dict[str, Any]]] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    holds: list[tuple[float, int]] = field(default_factory=list)

    def receive(self, name: str, sent: dict[str, Any], now: float) -> dict[str, Any]:
        """Answer one request, as often as it comes."""
        report = sent["report"]
        ask = Ask(
            session=sent["session"],
            request=sent["request"],
            admitted=tuple(report["admitted"]),
            own=tuple(report["own"]),
            left=tuple(report["left"]),
            unused=report["unused"],
            standing=report["standing"],
            fresh=report["fresh"],
            want=sent["want"],
            due=sent["due"],
        )
        if not ask.session:
            self.doors[name] = greet(self.doors.get(name, DoorAccount()), ask)
            self.seen.setdefault(name, now)
            session = self.doors[name].session
            return {"request": ask.request, "session": session, "inside": 0, "cap": self.cap}
        key, kept = self.replies.get(name, ((0, 0), {}))
        if key == (ask.session, ask.request):
            return kept
        door = self.doors.get(name, DoorAccount())
        if self.believes_old_sessions:  # for a control
            door = replace(door, session=ask.session, request=ask.request - 1)
        done = settle(
            self._zone(name, now),
            door,
            ask,
            name=name,
            known={
                x: LeaseAccount(open=self.leases[x].open, own_of=self.leases[x].own_of)
                for x in {*ask.admitted, *ask.own, *ask.left}
                if x in self.leases
            },
        )
        for lease, own_of in done.opened.items():
            self.leases[lease] = Lease(own_of=own_of, opened_at=now)
        for lease in done.departed:
            self.leases[lease] = Lease(own_of="", opened_at=now, open=False)
        for lease in done.adopted:
            self.leases[lease].own_of = name
        for lease in done.ended:
            self.leases[lease].open = False
        for lease in done.told:
            self.leases[lease].told = True
        if done.held and self.holds_for_the_forgetful:
            self.holds.append((now + self.reclaim_after, done.held))
        self.doors[name], self.seen[name] = done.door, now
        reply = {
            "request": ask.request,
            "session": ask.session,
            "granted": done.granted,
            "granted_due": done.granted_due,
            "expires_in": TICKET_SECONDS,
            "standing": done.standing,
            "inside": done.inside,
            "cap": self.cap,
            "state": self.state.value,
            "stay_seconds": STAY,
            "ended": [
                x
                for x, lease in self.leases.items()
                if lease.own_of == name and not lease.open and not lease.told
            ],
        }
        self.replies[name] = ((ask.session, ask.request), reply)
        return reply

    def sweep(self, now: float) -> None:
        """End what is over, and take back what nobody can be using."""
        for lease in self.leases.values():
            if lease.open and now - lease.opened_at >= STAY:
                lease.open = False
        for name, door in self.doors.items():
            if now >= self.seen[name] + self.reclaim_after:
                self.doors[name] = replace(door, lent=0)
        self.holds = [(until, count) for until, count in self.holds if until > now]

    def _zone(self, name: str, now: float) -> ZoneAccount:
        open_leases = [lease for lease in self.leases.values() if lease.open]
        others = sum(door.charged for other, door in self.doors.items() if other != name)
        return ZoneAccount(
            cap=self.cap,
            state=self.state,
            share=self.shares.get(name, 0),
            reserved=self.reserved,
            inside=len(open_leases),
            pooled=sum(not lease.own_of for lease in open_leases),
            elsewhere=others + sum(count for until, count in self.holds if until > now),
        )


def converse(
    door: DoorPlaces, server: Server, name: str, now: float, *, want: int = 0, due: int = 0
) -> None:
    """Let a door and the server speak with nothing between, until the door has a real reply."""
    for _ in range(4):
        greeting = not door.session
        sent = door.ask(now, want=want, due=due)
        try:
            reply = server.receive(name, sent, now)
        except StaleRequestError:
            door.stale()
            continue
        assert door.granted(reply, now)
        if not greeting:
            return
    raise AssertionError("no answer in four requests")


class LateDoor(DoorPlaces):
    """A wrong door, for the control: it takes every reply, however late and however often."""

    def granted(self, reply: Any, now: float) -> bool:
        asked = self._asked
        if self.session and "granted" not in reply:
            return False
        taken = super().granted({**reply, "request": self.request}, now)
        self._asked = asked
        return taken


@dataclass
class World:
    """Doors, server, network, people; every step is an integer's worth of choice."""

    server: Server
    make_door: type[DoorPlaces] = DoorPlaces
    now: float = 0.0
    doors: dict[str, DoorPlaces] = field(default_factory=dict)
    boots: dict[str, int] = field(default_factory=dict)
    requests: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    replies: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    entered: dict[str, float] = field(default_factory=dict)
    out: set[str] = field(default_factory=set)
    worst: int = 0
    admitted: int = 0

    def __post_init__(self) -> None:
        for name in self.server.shares:
            self.doors[name], self.boots[name] = self.make_door(), 1

    def step(self, what: str, a: int, b: int) -> None:
        """Do one thing; ``a`` and ``b`` choose which."""
        getattr(self, what)(a, b)
        inside = sum(
            1
            for lease, at in self.entered.items()
            if lease not in self.out and self.now - at < STAY
        )
        unused = sum(door.unused(self.now, due=True) for door in self.doors.values())
        self.worst = max(self.worst, inside + unused)

    def ask(self, a: int, b: int) -> None:
        name = self._name(a)
        sent = self.doors[name].ask(self.now, want=b % 5, due=b % 2)
        self.requests.append((name, self.boots[name], sent))

    def receive(self, a: int, b: int) -> None:
        """A request arrives, perhaps an old one; with odd ``b`` it stays and arrives again."""
        if not self.requests:
            return
        at = a % len(self.requests)
        name, number, sent = self.requests[at]
        if b % 2 == 0:
            del self.requests[at]
        try:
            reply = self.server.receive(name, sent, self.now)
        except StaleRequestError:
            if number == self.boots[name]:
                self.doors[name].stale()
            return
        self.replies.append((name, number, reply))

    def reply(self, a: int, b: int) -> None:
        """A reply arrives at the process that asked; with odd ``b`` it arrives again later."""
        if not self.replies:
            return
        at = a % len(self.replies)
        name, number, reply = self.replies[at]
        if b % 2 == 0:
            del self.replies[at]
        if number == self.boots[name]:
            self.doors[name].granted(reply, self.now)

    def talk(self, a: int, b: int) -> None:
        """Ask, receive and reply with nothing between."""
        name = self._name(a)
        converse(self.doors[name], self.server, name, self.now, want=b % 6)

    def enter(self, a: int, b: int) -> None:
        lease = str(UUID(int=len(self.entered) + 1))
        if self.doors[self._name(a)].take(lease, self.now, due=b % 3 == 0):
            self.entered[lease] = self.now
            self.admitted += 1

    def leave(self, a: int, b: int) -> None:
        """Somebody leaves by any door; now and then the same person twice."""
        here = [x for x in self.entered if b % 4 == 0 or x not in self.out]
        if here:
            lease = here[a % len(here)]
            self.out.add(lease)
            self.doors[self._name(b)].give_back(lease, self.now)

    def wait(self, a: int, b: int) -> None:
        self.now += (1, 20, 61, 700)[a % 4] * (1 + b % 2)

    def sweep(self, _: int, __: int) -> None:
        self.server.sweep(self.now)

    def restart(self, a: int, _: int) -> None:
        """A power cut: what was kept comes back under a new boot."""
        name = self._name(a)
        kept = self.doors[name].to_json(self.now)
        self.doors[name] = self.make_door.from_json(kept, self.now)
        self.boots[name] += 1

    def forget(self, a: int, _: int) -> None:
        """A new disk: nothing comes back."""
        name = self._name(a)
        self.doors[name] = self.make_door()
        self.boots[name] += 1

    def _name(self, number: int) -> str:
        return sorted(self.doors)[number % len(self.doors)]


STEPS = (
    *("enter", "enter", "enter", "leave", "talk", "talk", "ask", "receive", "reply"),
    *("wait", "sweep", "restart", "forget"),
)
