"""Worlds of people for any rule pack, full of boundaries, from one seed.

What a pack names decides what is made: its kinds, the values of its conditions, its levels and
areas, and above all its durations. Events stand on a grid of six hours or exactly one duration
after another event, half of them one second beside it: uniform minutes find boundary bugs hardly
ever (field/08 0.5). Nothing here knows what a rule would make of a fact.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from passlight.core.facts.book import FactBook
from passlight.core.facts.fact import Fact, Op
from passlight.core.facts.kinds import KINDS, FieldType
from passlight.core.kernel.calendar import CalendarDays, Elapsed
from passlight.core.rules.pack import (
    AbsenceForm,
    AreaCondition,
    DuringForm,
    Pack,
)
from passlight.core.rules.points import Condition, Filter, Test
from passlight.core.rules.schedule import PackSchedule
from passlight.core.rules.terms import DatedParameter

SECOND = timedelta(seconds=1)
GRID = timedelta(hours=6)
DAY = timedelta(days=1)
SPAN_DAYS = 30
#: Beside a boundary as often as on it.
BESIDE = (-SECOND, timedelta(0), timedelta(0), SECOND)
AREAS = ("420100", "420106", "420000", "330300", "abroad", "abroad/KR", "b-1", "b-1/3", "110103")
SOURCES = ("cdc", "hospital", "site", "nobody-ranked")
FINDINGS = ("neg", "pos", "invalid")
Moment = tuple[datetime, datetime | None]


@dataclass(kw_only=True)
class World:
    """Everything delivered, in order, and the moments at which boundaries lie."""

    schedule: PackSchedule
    book: FactBook
    facts: list[Fact]
    moments: list[Moment]


@dataclass
class Vocabulary:
    """What the packs of a schedule name."""

    origins: list[datetime]
    filters: list[Filter] = field(default_factory=list)
    durations: set[timedelta] = field(default_factory=set)
    levels: set[str] = field(default_factory=set)
    areas: set[str] = field(default_factory=set)
    rules: list[str] = field(default_factory=list)
    waivable: list[str] = field(default_factory=list)
    deliveries: list[str] = field(default_factory=list)


def parts(value: object) -> Iterator[object]:
    """Yield the value and everything inside it, whatever the language grows to."""
    yield value
    if isinstance(value, dict):
        for one in value.values():
            yield from parts(one)
    elif isinstance(value, tuple | list | frozenset):
        for one in value:
            yield from parts(one)
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from parts(getattr(value, one.name))


def vocabulary(schedule: PackSchedule) -> Vocabulary:
    """Return what there is to say under these packs."""
    found = Vocabulary(origins=_origins(schedule))
    seen: dict[Filter, None] = {}
    for pack in schedule.packs:
        for part in parts((pack.rules, pack.badges, pack.waivers, pack.chained_yellow)):
            _note(found, seen, part)
        for parameter in pack.parameters.values():
            _note_values(found, parameter)
        found.areas.update(row.area for row in list(pack.areas.all_rows())[:12])
        found.rules.extend(rule.id for rule in pack.rules)
        found.waivable.extend(rule for one in pack.waivers for rule in one.rules)
        found.deliveries.extend(source.source for source in pack.mandatory)
    found.filters = list(seen)
    found.areas.update(AREAS)
    return found


def _origins(schedule: PackSchedule) -> list[datetime]:
    """Return where events begin: before each day from which something else is the rule."""
    days: list[datetime] = []
    for pack in schedule.packs:
        days += [edge for edge in (pack.effective.start, pack.effective.end) if edge is not None]
        days += [day for one in pack.parameters.values() for day in one.changes()]
        days += _clock_changes(pack)
    several = len(schedule.packs) > 1
    return [day - 18 * DAY for day in sorted(set(days))[1 if several else 0 :]]


def _clock_changes(pack: Pack) -> list[datetime]:
    """Return the days of the first year on which the clocks of the pack's zone are changed."""
    start = pack.effective.start
    assert start is not None
    days = [start + number * DAY for number in range(366)]
    return [
        one
        for one in days
        if one.astimezone(pack.zone).utcoffset() != (one + DAY).astimezone(pack.zone).utcoffset()
    ]


def _note(found: Vocabulary, seen: dict[Filter, None], part: object) -> None:
    if isinstance(part, Filter):
        seen[part] = None
    elif isinstance(part, DuringForm):
        seen[Filter(kinds=part.stays)] = None
        found.levels.update(part.levels)
    elif isinstance(part, AbsenceForm):
        if part.since_kinds:
            seen[Filter(kinds=part.since_kinds)] = None
        if part.birth is not None:
            seen[Filter(kinds=("person.born",))] = None
    elif isinstance(part, AreaCondition):
        found.levels.update(part.levels)
        if part.within:
            found.areas.update((part.within, f"{part.within}/XX"))
    elif isinstance(part, Elapsed):
        found.durations.add(part.delta)
    elif isinstance(part, CalendarDays):
        found.durations.add(timedelta(days=part.days))


def _note_values(found: Vocabulary, parameter: DatedParameter) -> None:
    for _, value in parameter.values:
        if isinstance(value, Elapsed):
            found.durations.add(value.delta)
        elif isinstance(value, CalendarDays):
            found.durations.add(timedelta(days=value.days))


class Maker:
    """Makes one world; ``random`` is its only source of chance."""

    def __init__(self, schedule: PackSchedule, *, seed: int) -> None:
        self.random = Random(f"{[pack.hash for pack in schedule.packs]}/{seed}")
        self.words = vocabulary(schedule)
        self.durations = sorted(self.words.durations) or [DAY]
        self.filters = self.words.filters or [Filter(kinds=("lab.result",))]
        self.facts: list[Fact] = []
        self.instants: set[datetime] = set()
        self.number = 0

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def instant(self, near: list[datetime]) -> datetime:
        """Return an instant on the grid, or exactly a duration from one before; or just beside."""
        if near and self.chance(0.6):
            base = self.random.choice(near)
            step = self.random.choice(
                (timedelta(0), *self.durations, self.random.choice(self.durations))
            )
            base += step if self.chance(0.8) else -step
        else:
            base = (
                self.random.choice(self.words.origins) + self.random.randrange(SPAN_DAYS * 4) * GRID
            )
        found = base + self.random.choice(BESIDE)
        self.instants.add(found)
        return found

    def fact(
        self, subject: str, kind: str, payload: dict[str, Any], at: datetime, **more: Any
    ) -> None:
        """Add a fact, with what befalls facts: doubles, corrections, retractions, twins."""
        self.number += 1
        delay = self.random.choice(
            (timedelta(0), timedelta(0), timedelta(minutes=20), GRID, DAY, 9 * DAY)
        )
        if self.chance(0.12):
            payload = {**payload, "precision": "date"}
        source = more.pop("source", None) or self.random.choice(SOURCES)
        made = Fact(
            # Identifiers whose order is not that of the numbers, nor of bytes in every alphabet.
            fact_id=f"{self.random.choice(('a', 'Z', 'é', '病', '10', '9'))}-{self.number}",
            ver=1,
            op=Op.ASSERT,
            kind=kind,
            subject=subject,
            occurred_at=at,
            occurred_until=more.get("until"),
            recorded_at=at + delay,
            source=source,
            payload=payload,
        )
        self.deliver(made)
        if self.chance(0.1):
            self._befall(made)

    def deliver(self, fact: Fact) -> None:
        self.facts.append(fact)
        self.instants.add(fact.recorded_at)

    def _befall(self, made: Fact) -> None:
        later = made.recorded_at + self.random.choice((timedelta(0), SECOND, GRID, DAY))
        what = self.random.randrange(7)
        if what == 0:
            self.deliver(replace(made, recorded_at=later))
        elif what == 1:
            self.deliver(replace(made, ver=2, op=Op.RETRACT, payload={}, recorded_at=later))
        elif what == 2:
            moved = made.occurred_at + self.random.choice((-DAY, -SECOND, SECOND))
            until = made.occurred_until
            if until is not None and until < moved:
                until = moved
            self.deliver(
                replace(
                    made,
                    ver=2,
                    occurred_at=moved,
                    occurred_until=until,
                    recorded_at=max(later, moved),
                )
            )
        elif what == 3:
            other = f"p-{self.random.randrange(40):03}"
            self.deliver(replace(made, ver=2, subject=other, recorded_at=later))
        elif what == 4:  # The correction comes before what it corrects.
            self.deliver(replace(made, ver=2, source="site", recorded_at=made.recorded_at))
            self.deliver(replace(made, ver=4, op=Op.RETRACT, payload={}, recorded_at=later + GRID))
            self.deliver(replace(made, ver=3, recorded_at=later + DAY))
        elif what == 5:
            self.deliver(replace(made, source="another", recorded_at=later))
        else:
            self.deliver(replace(made, ver=2, op=Op.RETRACT, payload={}, recorded_at=later))
            self.deliver(
                replace(made, ver=3, recorded_at=later + self.random.choice((SECOND, GRID)))
            )

    def person(self, subject: str) -> None:
        near: list[datetime] = []
        cases = [f"{subject}/{number}" for number in range(2)]
        for _ in range(self.random.choice((0, 1, 1, 2, 3, 3, 4, 5, 6, 8, 12))):
            wanted = self.random.choice(self.filters)
            kind = self.random.choice(wanted.kinds)
            at = self.instant(near)
            near.append(at)
            until = None
            if kind in {
                "stay",
                "residence",
                "exposure.derived",
                "exposure.assessed",
            } and self.chance(0.7):
                until = max(at, self.instant([at]))
                near.append(until)
            self.fact(subject, kind, self.payload(kind, wanted, at, cases), at, until=until)
        if self.chance(0.25):
            self.series(subject, near)
        if self.chance(0.35 if self.words.waivable else 0.05):
            self.waiver(subject, near)
        if self.chance(0.15):
            at = self.instant(near)
            self.manual(subject, at)
        if self.chance(0.04):
            self.fact(
                subject,
                self.random.choice(("person.deceased", "code.closed")),
                {},
                self.instant(near),
            )
        if self.chance(0.05):
            at = self.words.origins[0] - timedelta(
                days=self.random.choice((3 * 365, 3 * 365 + 1, 1090, 40))
            )
            self.fact(subject, "person.born", {}, at)

    def series(self, subject: str, near: list[datetime]) -> None:
        """Add facts of one filter at one distance, as daily or weekly tests come."""
        wanted = self.random.choice(self.filters)
        step = self.random.choice((DAY, *self.durations))
        at = self.instant(near)
        for _ in range(self.random.randrange(2, 9)):
            kind = self.random.choice(wanted.kinds)
            self.fact(subject, kind, self.payload(kind, wanted, at, [subject]), at)
            at += step + self.random.choice((*BESIDE, GRID))

    def payload(self, kind: str, wanted: Filter, at: datetime, cases: list[str]) -> dict[str, Any]:
        known = KINDS[kind].fields
        found: dict[str, Any] = {}
        for name, form in known.items():
            if name in KINDS[kind].required or self.chance(0.5):
                found[name] = self.value(kind, name, form, at, cases)
        for condition in wanted.where:
            if condition.field in known and self.chance(0.85):
                self.meet(found, condition, known[condition.field])
        return {name: value for name, value in found.items() if value is not None}

    def value(self, kind: str, name: str, form: FieldType, at: datetime, cases: list[str]) -> Any:
        if form is FieldType.AREA:
            return self.random.choice(sorted(self.words.areas))
        if form is FieldType.INSTANT:
            back = self.random.choice((timedelta(0), SECOND, GRID, DAY, *self.durations))
            return (at - back).isoformat() if self.chance(0.8) else (at + GRID).isoformat()
        if form is FieldType.NUMBER:
            return self.random.choice((0, 1, 9, 9.5, 10, 11, 60))
        if form is FieldType.FLAG:
            return self.chance(0.5)
        if form is FieldType.OBJECT:
            return {"rule": "none"}
        if kind.startswith("lab.") and name == "value":
            return self.random.choice(FINDINGS)
        if kind.startswith("lab.") and name == "sample_id":
            return self.random.choice((None, f"{cases[0]}-{self.random.randrange(3)}"))
        if name in {"case_id", "order_id", "pool_id"}:
            return self.random.choice(cases)
        return self.random.choice(("some", "close", "other", "central"))

    def meet(self, found: dict[str, Any], condition: Condition, form: FieldType) -> None:
        if condition.test is Test.IS:
            found[condition.field] = self.random.choice(condition.values)
        elif condition.test is Test.PRESENT:
            if not condition.values[0]:
                found.pop(condition.field, None)
            elif condition.field not in found:
                found[condition.field] = "here" if form is FieldType.TEXT else 1
        else:
            found[condition.field] = condition.values[0] + self.random.choice(
                (-1, -0.5, 0, 0, 0.5, 1)
            )

    def waiver(self, subject: str, near: list[datetime]) -> None:
        mine = [one for one in self.facts[-8:] if one.subject == subject]
        start = self.instant(near)
        if mine and self.chance(0.7):
            start = self.random.choice(mine).occurred_at + self.random.choice((SECOND, GRID, DAY))
        until = start + self.random.choice((GRID, DAY, 3 * DAY, *self.durations))
        known = (
            self.words.waivable if self.words.waivable and self.chance(0.9) else self.words.rules
        )
        rules = self.random.sample(known, k=min(len(known), self.random.choice((1, 1, 2))))
        selector: dict[str, Any] = {
            "rule": rules if len(rules) > 1 or self.chance(0.5) else rules[0]
        }
        if self.chance(0.5):
            selector["phase"] = self.random.choice((0, 1))
        if mine and self.chance(0.3):
            selector["fact"] = self.random.choice(mine).fact_id
        payload: dict[str, Any] = {"measure": selector, "officer": "o", "basis": "b"}
        if self.chance(0.5):
            payload |= {"from": start.isoformat(), "until": until.isoformat()}
            self.fact(
                subject, "waiver.granted", payload, start - self.random.choice((timedelta(0), GRID))
            )
        else:
            self.fact(subject, "waiver.granted", payload, start, until=until)
        self.instants.update((start, until))

    def manual(self, subject: str, at: datetime) -> None:
        expires = at + self.random.choice((SECOND, GRID, DAY, 5 * DAY))
        wanted = self.random.choice(self.filters)
        kind = self.random.choice(wanted.kinds)
        payload = self.payload(kind, wanted, at, [subject])
        payload |= {
            "basis": "b",
            "officer": "o",
            "approver": "a",
            "expires_at": expires.isoformat(),
        }
        self.fact(
            subject,
            kind,
            payload,
            at,
            source=self.random.choice(("manual", "manual:street", "manually")),
        )
        self.instants.add(expires)

    def lists(self) -> None:
        levels = sorted(self.words.levels | {"other-level"})
        areas = sorted(self.words.areas)
        near: list[datetime] = []
        for number in range(24):
            area = self.random.choice(areas)
            at = self.instant(near)
            near.append(at)
            level = self.random.choice(levels)
            payload: dict[str, Any] = {"area": area, "level": level}
            if self.chance(0.4):
                payload["list_id"] = self.random.choice(("l-1", "l-2"))
            if self.chance(0.3):
                payload["parent"] = self.random.choice([one for one in areas if one != area])
            until = self.instant([at]) if self.chance(0.2) else None
            self.fact(
                f"area:{area}", "area.listed", payload, at, until=max(at, until) if until else None
            )
            for _ in range(self.random.choice((0, 1, 1, 2))):
                ended = {"area": area}
                if self.chance(0.5):
                    ended["level"] = level
                if self.chance(0.3):
                    ended["list_id"] = self.random.choice(("l-1", "l-2"))
                over = self.instant([at])
                near.append(over)
                self.fact(f"area:{area}", "area.delisted", ended, over)
            if number % 8 == 7:
                near = near[-2:]

    def links(self, people: int) -> None:
        for _ in range(max(1, people // 25)):
            a, b = (f"p-{self.random.randrange(people):03}" for _ in range(2))
            if a == b:
                continue
            at = self.instant([])
            kind = self.random.choice(
                ("identity.link", "identity.link", "identity.link", "identity.not_same")
            )
            self.fact(a, kind, {"a": a, "b": b}, at)
            if self.chance(0.5):
                over = at + self.random.choice((SECOND, DAY, 5 * DAY))
                self.fact(b, "identity.unlink", {"a": b, "b": a}, over)

    def sources(self) -> None:
        for source in sorted(set(self.words.deliveries)):
            at = self.words.origins[0]
            for _ in range(40):
                at += self.random.choice((GRID, GRID, DAY, 2 * DAY, 2 * DAY + SECOND))
                self.fact(f"source:{source}", "source.delivered", {}, at, source=source)


def make_world(
    schedule: PackSchedule, *, people: int, seed: int, moments: int, knowledge: int
) -> World:
    """Return a world of ``people`` with about ``moments`` moments on its boundaries.

    The boundaries are the events' own instants, those one duration later, and their neighbours:
    no evaluator is asked where they are. ``knowledge`` distinct times of knowledge are used, one
    of them None.
    """
    maker = Maker(schedule, seed=seed)
    return world_of(maker, schedule, people=people, moments=moments, knowledge=knowledge)


def world_of(
    maker: Maker, schedule: PackSchedule, *, people: int, moments: int, knowledge: int
) -> World:
    """Return the world that a maker makes."""
    maker.lists()
    for number in range(people):
        maker.person(f"p-{number:03}")
    maker.links(people)
    maker.sources()
    maker.random.shuffle(maker.facts)
    book = FactBook()
    for fact in maker.facts:
        book.add(fact)
    random = maker.random
    recorded = sorted({fact.recorded_at for fact in maker.facts})
    changed = sorted({fact.recorded_at for fact in maker.facts if fact.ver > 1})
    known: list[datetime | None] = [None]
    while len(known) < knowledge:
        # Where something was corrected or taken back, rather than where it only came in.
        told = changed if changed and random.random() < 0.6 else recorded
        known.append(random.choice(told) + random.choice((-SECOND, timedelta(0), timedelta(0))))
    instants = sorted(maker.instants)
    chosen: list[Moment] = []
    while len(chosen) < moments:
        at = random.choice(instants)
        if random.random() < 0.6:
            at += random.choice(maker.durations)
        chosen.append((at + random.choice(BESIDE), known[len(chosen) % len(known)]))
    return World(
        schedule=schedule, book=book, facts=maker.facts, moments=sorted(set(chosen), key=str)
    )
