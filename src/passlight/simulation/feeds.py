"""What agencies send of the true events: files with delays, duplicates and errors.

Every line that is not simply true is written down, so that a test can ask whether what was
put aside is exactly what was spoilt. A spoilt line is sent again, whole, in the source's next
file; so in the end everything true arrives.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any

from passlight.core.kernel.documents import Document, DocumentType
from passlight.simulation.calendar import ZONE, iso, whole_minute
from passlight.simulation.documents import with_wrong_check_digit
from passlight.simulation.histories import Event, Period

PUBLISHES_EVERY = {
    "cdc": timedelta(hours=6),
    "laboratory": timedelta(hours=6),
    "street": timedelta(hours=12),
    "transport": timedelta(hours=24),
    "commission": timedelta(hours=24),
}
DUPLICATE_SHARE = 0.01
ERROR_SHARE = 0.007
CORRECTION_SHARE = 0.004
RETRACTION_SHARE = 0.004


class What(StrEnum):
    """What a line of a feed is, seen from the truth."""

    TRUE = "true"
    DUPLICATE = "duplicate"
    RESENT = "resent"
    MISTAKE = "mistake"  # lands, and is corrected or withdrawn by a later line
    CORRECTION = "correction"
    RETRACTION = "retraction"
    ERROR_CUT = "error-cut"
    ERROR_OFFSET = "error-offset"
    ERROR_MISSING = "error-missing"
    ERROR_FUTURE = "error-future"
    ERROR_DOCUMENT = "error-document"

    @property
    def outcome(self) -> str:
        """Return where the line must end up in the reconciliation."""
        if self is What.DUPLICATE:
            return "unchanged"
        return "quarantined" if self.value.startswith("error-") else "landed"


ERRORS = tuple(what for what in What if what.outcome == "quarantined")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a feed file."""

    text: str
    what: What
    fact_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFile:
    """One file as published."""

    name: str
    source: str
    published_at: datetime
    lines: tuple[Line, ...]

    @property
    def reconciliation(self) -> Mapping[str, int]:
        """Return what must become of the lines."""
        counts = Counter(line.what.outcome for line in self.lines)
        names = ("landed", "unchanged", "quarantined")
        return {"declared": len(self.lines), **{name: counts[name] for name in names}}


@dataclass(slots=True)
class _Outbox:
    """What one source still has to send."""

    now: list[Line] = field(default_factory=list)
    next: list[Line] = field(default_factory=list)


def make_feeds(
    events: list[Event],
    documents: Mapping[str, Document],
    *,
    period: Period,
    seed: int,
    publishes_every: Mapping[str, timedelta] = PUBLISHES_EVERY,
) -> Iterator[FeedFile]:
    """Yield the files of all sources in order of publication; ``events`` by ``known_at``."""
    random = Random(f"passlight feeds {seed}")
    outage = _outage(random, period)
    boxes = {source: _Outbox() for source in publishes_every}
    people = sorted(documents)
    numbers: Counter[str] = Counter()
    position = 0
    for published_at, source in _publications(period, publishes_every):
        while position < len(events) and events[position].known_at < published_at:
            event = events[position]
            numbers[event.source] += 1
            fact_id = _fact_id(event, numbers[event.source], seed=seed)
            writer = _Writer(event, fact_id, documents)
            _send(random, writer, boxes[event.source], people)
            position += 1
        if (source, published_at.date()) == outage and published_at < period.ends_at:
            continue  # the file comes with the next one
        yield from _file(random, boxes[source], source, published_at)
    for source in publishes_every:  # what was to come with the next file comes with a last one
        yield from _file(random, boxes[source], source, period.ends_at, suffix="_rest")


def fact_of_event(event: Event, fact_id: str, *, ver: int = 1) -> dict[str, Any]:
    """Return ``event`` in the order of the file format (design.md 3), subject a stable key."""
    return {
        "fact_id": fact_id,
        "ver": ver,
        "op": "assert",
        "kind": event.kind,
        "subject": event.subject,
        "occurred_at": iso(event.occurred_at),
        "occurred_until": None,
        "recorded_at": iso(event.known_at),
        "source": event.source,
        "payload": event.payload,
    }


def _fact_id(event: Event, number: int, *, seed: int) -> str:
    """Return the agency's key of an event; two districts in one database must not share any."""
    return f"{event.source}:{seed}-{number:07d}"


def true_facts(events: list[Event], *, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the true facts under the ids that the feeds give them."""
    numbers: Counter[str] = Counter()
    for event in events:
        numbers[event.source] += 1
        yield fact_of_event(event, _fact_id(event, numbers[event.source], seed=seed))


def as_line(value: Mapping[str, Any]) -> str:
    """Return one JSON line as agencies write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class _Writer:
    """Writes one event as a line, true or spoilt."""

    def __init__(self, event: Event, fact_id: str, documents: Mapping[str, Document]) -> None:
        self.event = event
        self.fact_id = fact_id
        self.documents = documents

    @property
    def document(self) -> Document | None:
        """Return the document of the event's subject, None for an area."""
        return self.documents.get(self.event.subject)

    def line(self, what: What = What.TRUE, **changes: Any) -> Line:
        """Return the event with ``changes``, its subject as a document."""
        return Line(text=as_line(self._value(**changes)), what=what, fact_id=self.fact_id)

    def spoilt(self, what: What) -> Line:
        """Return the event as a line that cannot be taken."""
        value = self._value()
        text = as_line(value)
        if what is What.ERROR_CUT:
            text = text[: len(text) // 2]
        else:
            _SPOIL[what](value)
            text = as_line(value)
        return Line(text=text, what=what, fact_id=self.fact_id)

    def _value(self, **changes: Any) -> dict[str, Any]:
        value = {**fact_of_event(self.event, self.fact_id), **changes}
        document = self.documents.get(value["subject"])
        if document is not None:
            value["subject"] = {"type": document.type.value, "number": document.number}
        return value


def _send(random: Random, writer: _Writer, box: _Outbox, people: list[str]) -> None:
    """Put one event into the outbox of its source, now and then not as it should be."""
    draw, event = random.random(), writer.event
    if draw < ERROR_SHARE:
        what = random.choice(_errors_of(writer))
        box.now.append(writer.spoilt(what))
        box.next.append(writer.line(What.RESENT))
        return
    if draw < ERROR_SHARE + DUPLICATE_SHARE:
        box.now.append(writer.line())
        (box.now if random.random() < 0.5 else box.next).append(writer.line(What.DUPLICATE))
        return
    if event.kind == "travel.arrived" and random.random() < CORRECTION_SHARE:
        shift = timedelta(days=random.randint(1, 10))
        left = iso(datetime.fromisoformat(event.payload["left_at"]) - shift)
        earlier = iso(whole_minute(event.occurred_at - shift))
        payload = {**event.payload, "left_at": left, "arrived_at": earlier}
        box.now.append(writer.line(What.MISTAKE, occurred_at=earlier, payload=payload))
        box.next.append(writer.line(What.CORRECTION, ver=2))
        return
    box.now.append(writer.line())
    if event.kind == "travel.arrived" and random.random() < RETRACTION_SHARE:
        wrong = _Writer(event, f"{writer.fact_id}-x", writer.documents)
        other = random.choice(people)
        box.now.append(wrong.line(What.MISTAKE, subject=other))
        box.next.append(wrong.line(What.RETRACTION, subject=other, op="retract", ver=2))


def _errors_of(writer: _Writer) -> list[What]:
    """Return the errors that can befall this event."""
    document = writer.document
    checked = document is not None and document.type is DocumentType.RESIDENT_ID
    return [what for what in ERRORS if checked or what is not What.ERROR_DOCUMENT]


def _without_offset(value: dict[str, Any]) -> None:
    value["occurred_at"] = value["occurred_at"].removesuffix("+08:00")


def _without_time(value: dict[str, Any]) -> None:
    del value["occurred_at"]


def _in_the_future(value: dict[str, Any]) -> None:
    recorded = datetime.fromisoformat(value["recorded_at"])
    value["occurred_at"] = iso(recorded + timedelta(days=2))


def _misread(value: dict[str, Any]) -> None:
    value["subject"]["number"] = with_wrong_check_digit(value["subject"]["number"])


_SPOIL: dict[What, Callable[[dict[str, Any]], None]] = {
    What.ERROR_OFFSET: _without_offset,
    What.ERROR_MISSING: _without_time,
    What.ERROR_FUTURE: _in_the_future,
    What.ERROR_DOCUMENT: _misread,
}


def _publications(
    period: Period, publishes_every: Mapping[str, timedelta]
) -> list[tuple[datetime, str]]:
    """Return when each source publishes, the last time at the end of the period."""
    found = {(period.ends_at, source) for source in publishes_every}
    midnight = period.starts_at.astimezone(ZONE).replace(hour=0, minute=0)
    for source, every in publishes_every.items():
        at = midnight + every
        while at < period.ends_at:
            if at > period.starts_at:
                found.add((at, source))
            at += every
    return sorted(found)


def _outage(random: Random, period: Period) -> tuple[str, object]:
    """Return the source and the day on which it sends nothing."""
    day = period.starts_at.astimezone(ZONE).date() + timedelta(days=random.randrange(period.days))
    return random.choice(("cdc", "laboratory")), day


def _file(
    random: Random, box: _Outbox, source: str, published_at: datetime, *, suffix: str = ""
) -> Iterator[FeedFile]:
    """Yield the file with all that is waiting, out of order as agencies send it."""
    lines, box.now, box.next = box.now, box.next, []
    if lines:
        random.shuffle(lines)
        name = f"{published_at.astimezone(ZONE):%Y%m%dT%H%M}-{source}{suffix}.jsonl"
        lines = _originals_first(lines)
        yield FeedFile(name=name, source=source, published_at=published_at, lines=tuple(lines))


def _originals_first(lines: list[Line]) -> list[Line]:
    """Return ``lines`` with every duplicate behind its original, so that it is the duplicate."""
    at = {line.fact_id: i for i, line in enumerate(lines) if line.what is What.TRUE}
    for i, line in enumerate(lines):
        first = at.get(line.fact_id, i)
        if line.what is What.DUPLICATE and first > i:
            lines[i], lines[first] = lines[first], lines[i]
    return lines
