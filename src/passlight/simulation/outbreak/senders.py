"""The sources and what they send: facts with delays, out of order, doubled, wrong, taken back.

Every line says what it is, seen from the truth; so a checker can ask whether what was put aside
is exactly what was spoilt, and a measure how long a mistake was believed.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from passlight.simulation.outbreak.draws import Draws
from passlight.simulation.outbreak.hours import DAY, HOUR, MINUTE, iso
from passlight.simulation.outbreak.sent_log import Sent, SentLog, What
from passlight.simulation.outbreak.town import subject_of

SITE, CDC, HOSPITAL, COMMUNITY = "site", "cdc", "hospital", "community"
TRANSPORT, TRACING = "transport", "tracing"
CAN_FAIL = (SITE, CDC, HOSPITAL, COMMUNITY, TRANSPORT)
#: Minutes from the event to the source's sending it, as equally likely steps.
DELAYS: Mapping[str, tuple[int, ...]] = {
    SITE: (1, 3, 5, 10, 20, 60, 240),
    CDC: (10, 30, 60, 120, 300, 900),
    HOSPITAL: (60, 240, 480, 1440, 2880),
    COMMUNITY: (60, 240, 600, 1440),
    TRANSPORT: (360, 720, 1440, 2880),
    TRACING: (0, 0),
}
#: Seconds between two publications.
PUBLISHES_EVERY = {
    SITE: 10 * MINUTE,
    CDC: 30 * MINUTE,
    HOSPITAL: 6 * HOUR,
    COMMUNITY: 4 * HOUR,
    TRANSPORT: DAY,
    TRACING: MINUTE,
}
DUPLICATE_SHARE, WRONG_ID_SHARE = 0.01, 0.005
RETRACTION_SHARE, SPOILT_SHARE = 0.002, 0.003
DELIVERY_AT = 6 * HOUR + 30 * MINUTE
REPAIR_HOURS = (2, 6, 12, 24, 48)
FUTURE = 3 * DAY
#: Higher than any correction, so that a fact taken back stays so whatever arrives late.
LAST_VERSION = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that a source is to tell, and whether it is true of the world."""

    source: str
    kind: str
    key: str
    person: int
    at: int
    until: int | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    true: bool = True

    @property
    def fact_id(self) -> str:
        """Return the source's key of the fact."""
        return f"{self.source}:{self.key}"


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which one source sends nothing; all of it comes afterwards."""

    source: str
    begins: int
    ends: int


class Senders:
    """All sources of one world, with what is on its way."""

    def __init__(
        self,
        draws: Draws,
        *,
        people: int,
        days: int,
        folder: Path | None = None,
        watched: Callable[[int], bool] = lambda _person: True,
    ) -> None:
        self._draws = draws
        self._people = people
        self._watched = watched
        self._waiting: dict[int, list[Sent]] = defaultdict(list)
        self._number = 0
        self.outage = _outage(draws, days)
        self.sent = SentLog(folder)
        self._anew: dict[str, Happening] = {}
        #: What was true of the watched, told or not, for whoever compares.
        self.truth: list[Happening] = []

    def tell(self, one: Happening, *, not_before: int = 0) -> int:
        """Send ``one`` through its source; return when its first whole line arrives."""
        number = self._count()
        if one.true and self._watched(one.person):
            self.truth.append(one)
        delay = self._draws.between(f"delay {one.source}", DELAYS[one.source], number) * MINUTE
        arrives = self._arrival(one.source, max(one.at + delay, not_before), number)
        what = What.TRUE if one.true else What.MISTAKE
        if one.source == TRACING:
            self._send(one, arrives, number, what)
            return arrives
        if self._draws.chance(SPOILT_SHARE, "spoilt", number):
            self._spoilt(one, arrives, number)
            arrives, number = self._later(one.source, arrives, number), self._count()
            what = What.RESENT
        if self._draws.chance(WRONG_ID_SHARE, "wrong id", number):
            return self._wrong_id(one, arrives, number)
        line = self._send(one, arrives, number, what)
        if self._draws.chance(DUPLICATE_SHARE, "duplicate", number):
            again, twice = self._later(one.source, arrives, number), self._count()
            text = line.text.replace(iso(arrives), iso(again))
            # An instant of the payload may be the same second: then it is not the same fact.
            if line.text.count(iso(arrives)) == 1:
                self._queue(Sent(again, twice, one.source, What.DUPLICATE, one.fact_id, 1, text))
        if self._draws.chance(RETRACTION_SHARE, "mistake", number):
            self._mistake(one, arrives, number)
        return arrives

    def take_back(self, one: Happening, *, at: int) -> int:
        """Send the retraction of ``one``, whatever it was corrected to; return when it arrives."""
        if one.fact_id in self._anew:
            self.take_back(self._anew[one.fact_id], at=at)
        number = self._count()
        arrives = self._arrival(one.source, at, number)
        self._send(one, arrives, number, What.RETRACTION, ver=LAST_VERSION, retracts=True)
        return arrives

    def deliver(self, source: str, day: int) -> None:
        """Send the note that the source's day is complete."""
        number = self._count()
        at = day * DAY + DELIVERY_AT
        arrives = self._arrival(source, at, number)
        text = _line(
            fact_id=f"{source}:delivery-{day}",
            kind="source.delivered",
            subject=f"source:{source}",
            at=min(at, arrives),
            recorded=arrives,
            source=source,
        )
        self._queue(Sent(arrives, number, source, What.TRUE, f"{source}:delivery-{day}", 1, text))

    def arriving(self, day: int) -> list[Sent]:
        """Return the lines that arrive on ``day`` and have not been asked for, in order."""
        lines = self._waiting.pop(day, [])
        return sorted(lines, key=lambda line: (line.arrives, line.number))

    def forget(self) -> None:
        """Drop what was sent: somebody wants the events alone."""
        self.sent.clear()
        self.truth.clear()
        self._waiting.clear()

    def _count(self) -> int:
        self._number += 1
        return self._number

    def _arrival(self, source: str, ready: int, number: int) -> int:
        if self.outage.source == source and self.outage.begins <= ready < self.outage.ends:
            ready = self.outage.ends
        every = PUBLISHES_EVERY[source]
        arrives = -(-ready // every) * every + 20 + number * 7919 % 37
        if self.outage.source == source and self.outage.begins <= arrives < self.outage.ends:
            arrives = self.outage.ends + 20 + number * 7919 % 37
        return arrives

    def _later(self, source: str, arrives: int, number: int) -> int:
        hours = self._draws.between("repair", REPAIR_HOURS, number)
        return self._arrival(source, arrives + hours * HOUR, number)

    def _queue(self, line: Sent) -> None:
        self.sent.append(line)
        self._waiting[line.arrives // DAY].append(line)

    def _send(
        self,
        one: Happening,
        arrives: int,
        number: int,
        what: What,
        *,
        ver: int = 1,
        person: int | None = None,
        retracts: bool = False,
    ) -> Sent:
        text = _line(
            fact_id=one.fact_id,
            ver=ver,
            op="retract" if retracts else "assert",
            kind=one.kind,
            subject=subject_of(one.person if person is None else person),
            at=one.at,
            until=one.until,
            recorded=arrives,
            source=one.source,
            payload=one.payload,
        )
        line = Sent(arrives, number, one.source, what, one.fact_id, ver, text)
        self._queue(line)
        return line

    def _spoilt(self, one: Happening, arrives: int, number: int) -> None:
        text = self._text(one, arrives)
        turn = int(self._draws.one("how spoilt", number) * 3)
        if turn == 0:
            text = text[: len(text) * 2 // 3]
        elif turn == 1:
            text = text.replace('"occurred_at":', '"ocurred_at":')
        else:
            text = text.replace(
                f'"occurred_at":"{iso(one.at)}"', f'"occurred_at":"{iso(arrives + FUTURE)}"'
            )
            text = text.replace('"occurred_until":"', '"left_over":"')
        self._queue(Sent(arrives, number, one.source, What.SPOILT, one.fact_id, 1, text))

    def _text(self, one: Happening, arrives: int) -> str:
        return _line(
            fact_id=one.fact_id,
            kind=one.kind,
            subject=subject_of(one.person),
            at=one.at,
            until=one.until,
            recorded=arrives,
            source=one.source,
            payload=one.payload,
        )

    def _wrong_id(self, one: Happening, arrives: int, number: int) -> int:
        """Send the fact about somebody else; put it right by a new version or by two facts."""
        somebody = int(self._draws.one("somebody", number) * self._people)
        self._send(one, arrives, number, What.WRONG_ID, person=somebody)
        repaired = self._later(one.source, arrives, number)
        if self._draws.chance(0.5, "how repaired", number):
            self._send(one, repaired, self._count(), What.CORRECTION, ver=2)
            return repaired
        self._send(
            one, repaired, self._count(), What.RETRACTION, ver=2, person=somebody, retracts=True
        )
        anew = Happening(
            source=one.source,
            kind=one.kind,
            key=f"{one.key}-anew",
            person=one.person,
            at=one.at,
            until=one.until,
            payload=one.payload,
        )
        self._anew[one.fact_id] = anew
        self._send(anew, repaired, self._count(), What.CORRECTION)
        return repaired

    def _mistake(self, one: Happening, arrives: int, number: int) -> None:
        """Send the same about somebody to whom it never happened, and take it back later."""
        payload = dict(one.payload)
        for name in ("case_id", "order_id", "sample_id"):
            if name in payload:
                payload[name] = f"{payload[name]}-mistake"
        wrong = Happening(
            source=one.source,
            kind=one.kind,
            key=f"{one.key}-mistake",
            person=int(self._draws.one("whom", number) * self._people),
            at=one.at,
            until=one.until,
            payload=payload,
            true=False,
        )
        self._send(wrong, arrives, self._count(), What.MISTAKE)
        self.take_back(wrong, at=self._later(one.source, arrives, number))


def lines_by_source(lines: list[Sent]) -> Iterator[tuple[str, list[Sent]]]:
    """Yield the lines source by source, each in the order of arrival."""
    grouped: dict[str, list[Sent]] = defaultdict(list)
    for line in lines:
        grouped[line.source].append(line)
    for source in sorted(grouped):
        yield source, grouped[source]


def _outage(draws: Draws, days: int) -> Outage:
    source = CAN_FAIL[int(draws.one("outage source") * len(CAN_FAIL))]
    begins = int((0.3 + 0.4 * draws.one("outage begins")) * days) * DAY + 11 * HOUR
    hours = draws.between("outage hours", (20, 40, 60))
    return Outage(source, begins, begins + hours * HOUR)


def _line(
    *,
    fact_id: str,
    kind: str,
    subject: str,
    at: int,
    recorded: int,
    source: str,
    ver: int = 1,
    op: str = "assert",
    until: int | None = None,
    payload: Mapping[str, Any] | None = None,
) -> str:
    value = {
        "fact_id": fact_id,
        "ver": ver,
        "op": op,
        "kind": kind,
        "subject": subject,
        "occurred_at": iso(at),
        "occurred_until": None if until is None else iso(until),
        "recorded_at": iso(recorded),
        "source": source,
        "payload": dict(payload or {}),
    }
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
