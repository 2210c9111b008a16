"""People with more facts than SQL holds side by side, told by the evaluator of one person.

Set-based rules lay a person's facts beside each of the person's occurrences, so what they hold
grows with the square of one person's facts; reading them in order does not. Nobody really has
so many: a laboratory's number for "nobody in particular" does, and it must not end the run of
a whole city (docs/decisions/0017).
"""
# ruff: noqa: S608 - every part of the SQL is ours; texts go through Dialect.text

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from passlight.city.columns import FACT_COLUMNS, instant, micros, payload_column
from passlight.city.dialect import BIGINT
from passlight.city.identity import members
from passlight.city.others import AreaVersion, Others, known
from passlight.core.facts.fact import AREA_PREFIX, Fact, Op
from passlight.core.facts.kinds import KINDS, FactKind, FieldType
from passlight.core.kernel.interval import Interval
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import evaluate
from passlight.core.status.freshness import Deliveries
from passlight.core.status.line import LineRow, row_of
from passlight.core.status.timeline import Timeline

if TYPE_CHECKING:
    from passlight.city.compiling import Compiled

ALL, HERE, FILE = "crowded_people", "crowded_here", "crowded_file"
ROWS, SEGMENTS = "crowded_rows", "crowded_segments"
_KINDS = tuple(KINDS.values())
_COLUMNS = tuple(FACT_COLUMNS)
_READ = 1_000
_ROW = (
    *("person", "subject", "colour", "valid_until", "next_at", "next_colour", "closed_at"),
    "sampled_at",
)
_SEGMENT = ("person", "place", "from_at", "colour", "pack", "rule", "phase")
_NAMED = ("person", "subject")
_EXPIRES = ("expires_at", FieldType.INSTANT)
_TEXTS = frozenset({"subject", "colour", "next_colour", "pack", "rule"})
Row = Mapping[str, Any]


def crowded_people(others: Others, known_at: Iterable[int | None], *, most: int) -> frozenset[int]:
    """Return who has more than ``most`` versions of facts, alone or with those they are linked to.

    At any of the times of knowledge: whoever is crowded at one is told apart at all of them.
    """
    found = set(others.crowded)
    for moment in known_at if others.links else ():
        held: dict[int, int] = defaultdict(int)
        for person, member in members(others, moment):
            held[person] += others.facts_of.get(member, 0)
        found.update(person for person, count in held.items() if count > most)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Crowded:
    """The people of a store whom SQL leaves out, and what is told of them."""

    part: "Compiled"
    people: frozenset[int]

    def without(self, source: str) -> str:
        """Return the query of the rows of ``source`` that are about nobody of them."""
        return f"SELECT * FROM {source} WHERE person NOT IN (SELECT c.person FROM {ALL} c)"

    def register(self) -> None:
        """Register who they are."""
        self._register(ALL, self.people)

    def _register(self, name: str, people: Collection[int]) -> None:
        rows = [(person,) for person in sorted(people)]
        self.part.engine.register_rows(name, {"person": BIGINT}, rows)

    def in_bucket(self, bucket: int) -> list[int]:
        """Return those of a bucket, in order."""
        size = self.part.store.manifest.people_a_bucket
        return sorted(one for one in self.people if one // size == bucket)

    def rows(self) -> dict[int, list[LineRow]]:
        """Return what is told of them at each place of a moment asked about, in order."""
        found: dict[int, list[LineRow]] = defaultdict(list)
        for bucket in self.part.store.buckets:
            for _, kid, timeline in self._timelines(bucket):
                for asked in self.part.asked:
                    if asked.known == kid:
                        found[asked.place].append(row_of(timeline.status(asked.at)))
        return found

    def register_compact(self, bucket: int) -> str:
        """Register what is told of those of a bucket at the one moment asked about.

        Return the query of it, in the columns of a compact row.
        """
        (asked,) = self.part.asked
        rows: list[tuple[object, ...]] = []
        segments: list[tuple[object, ...]] = []
        for person, _, timeline in self._timelines(bucket):
            status = timeline.status(asked.at)
            change = status.next_change
            rows.append(
                (
                    *(person, timeline.subject, status.colour.value, _micros(status.valid_until)),
                    _micros(change.at) if change is not None else None,
                    change.colour.value if change is not None else None,
                    *(_micros(timeline.closed_at), _micros(timeline.sampled_at(asked.at))),
                )
            )
            for place, one in enumerate(timeline.segments(asked.at)):
                reason = one.reason.rsplit("/", 2) if one.reason is not None else (None,) * 3
                pack, rule, phase = reason
                number = int(phase) if phase is not None else None
                segments.append(
                    (person, place, _micros(one.start), one.colour.value, pack, rule, number)
                )
        return self._compact(rows, segments)

    def _compact(
        self, rows: Sequence[tuple[object, ...]], segments: Sequence[tuple[object, ...]]
    ) -> str:
        engine = self.part.engine
        dialect = engine.dialect
        text = dialect.text_type
        engine.register_rows(ROWS, _typed(_ROW, text), rows)
        engine.register_rows(SEGMENTS, _typed(_SEGMENT, text), segments)
        told = _typed(_SEGMENT[1:], text)
        one = dialect.struct({name: name for name in told})
        listed = dialect.sort(dialect.collect(one, None, dialect.struct_type(told)))
        shown = dialect.struct({name: f"x.{name}" for name in [*told][1:]})
        return (
            f"SELECT {', '.join(_typed(_ROW, text))}, {dialect.transform('listed', 'x', shown)} "
            f"AS segments FROM {ROWS} JOIN (SELECT person AS of, {listed} AS listed "
            f"FROM {SEGMENTS} GROUP BY person) s ON of = person"
        )

    def _timelines(self, bucket: int) -> Iterator[tuple[int, int, Timeline]]:
        """Yield (person, time of knowledge, timeline) of those of a bucket, in order."""
        people = self.in_bucket(bucket)
        if not people:
            return
        store, others = self.part.store, self.part.others
        names = {row[0]: row[1] for row in self._read(store.people(bucket), _NAMED, people)}
        views = [_View.of(others, self.part.codes, at) for at in self.part.known_at]
        linked = self._linked(
            {one for view in views for person in people for one in view.of_person(person)}
        )
        own = groupby(self._facts(store.facts(bucket), people), key=itemgetter("person"))
        ahead = next(own, None)
        for person in people:
            rows: list[Row] = []
            if ahead is not None and ahead[0] == person:
                rows = list(ahead[1])
                ahead = next(own, None)
            for kid, view in enumerate(views):
                told = [row for one in view.of_person(person) for row in linked.get(one, ())]
                yield person, kid, view.timeline(names[person], told or rows)

    def _linked(self, people: Collection[int]) -> dict[int, list[Row]]:
        """Return the facts about those who are linked to somebody."""
        rows = self._facts(self.part.store.linked, people) if people else iter(())
        return {person: list(own) for person, own in groupby(rows, key=itemgetter("person"))}

    def _facts(self, file: Path, people: Collection[int]) -> Iterator[Row]:
        for row in self._read(file, _COLUMNS, people):
            yield dict(zip(_COLUMNS, row, strict=True))

    def _read(
        self, file: Path, columns: Sequence[str], people: Collection[int]
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a file that are about these people, person by person."""
        engine = self.part.engine
        self._register(HERE, people)
        engine.register_parquet(FILE, [file])
        asked = (
            f"SELECT {', '.join(columns)} FROM {FILE} "
            f"WHERE person IN (SELECT c.person FROM {HERE} c) ORDER BY person"
        )
        for batch in engine.rows(asked, batch=_READ):
            yield from batch


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What is known at one time of everything that is not about one person alone."""

    codes: PackSchedule
    known_at: int | None
    areas: AreaHistory
    members: Mapping[int, Sequence[int]]
    deliveries: Deliveries | None

    @classmethod
    def of(cls, others: Others, codes: PackSchedule, known_at: int | None) -> "_View":
        """Return what a store says at a time of knowledge."""
        linked: dict[int, list[int]] = defaultdict(list)
        for person, member in members(others, known_at):
            linked[person].append(member)
        told = [_listing(one) for one in known(others.areas, known_at)]
        deliveries = None
        if others.deliveries is not None:
            deliveries = {
                source: [
                    Interval(instant(at), instant(ended) if ended is not None else None)
                    for at, ended in times
                ]
                for source, times in others.deliveries.items()
            }
        return cls(
            codes=codes,
            known_at=known_at,
            areas=AreaHistory.of(told, codes.area_codes),
            members=linked,
            deliveries=deliveries,
        )

    def of_person(self, person: int) -> Sequence[int]:
        """Return the numbers whose facts are the person's; none where nobody is linked."""
        return self.members.get(person, ())

    def timeline(self, subject: str, rows: Iterable[Row]) -> Timeline:
        """Return the timeline of whom these versions are about."""
        at = self.known_at
        return evaluate(
            self.codes,
            [fact_of(row, subject) for row in rows if _is_known(row, at) and _is_read(row)],
            areas=self.areas,
            known_at=instant(at) if at is not None else None,
            subject=subject,
            deliveries=self.deliveries,
        )


def _is_known(row: Row, known_at: int | None) -> bool:
    """Return whether a version is in force as known at a time."""
    superseded = row["superseded_at"]
    if known_at is None:
        return superseded is None
    return row["recorded_at"] <= known_at and (superseded is None or known_at < superseded)


def _is_read(row: Row) -> bool:
    """Return whether any rule can read the fact: a newer log may have kinds that are not known."""
    return bool(row["kind"] < len(_KINDS))


def fact_of(row: Row, subject: str) -> Fact:
    """Return the fact of a row, with all that rules read of it."""
    kind = _KINDS[row["kind"]]
    return Fact(
        fact_id=row["fact_id"],
        ver=row["ver"],
        op=Op.ASSERT,
        kind=kind.name,
        subject=subject,
        occurred_at=instant(row["occurred_at"]),
        occurred_until=_instant(row["occurred_until"]),
        recorded_at=instant(row["recorded_at"]),
        source=row["source"],
        payload=_payload(row, kind),
    )


def _payload(row: Row, kind: FactKind) -> dict[str, Any]:
    found: dict[str, Any] = {}
    forms = kind.fields.items()
    for name, form in (*((n, f) for n, f in forms if f is not FieldType.OBJECT), _EXPIRES):
        value = row[payload_column(name, form)]
        if value is not None:
            found[name] = instant(value).isoformat() if form is FieldType.INSTANT else value
    if row["dated"]:
        found["precision"] = "date"
    if kind.name == "waiver.granted":
        selector = {
            "rule": json.loads(row["p_waiver_rules"]) if row["p_waiver_rules"] else (),
            "phase": row["p_waiver_phase"],
            "fact": row["p_waiver_fact"],
        }
        found["measure"] = {name: value for name, value in selector.items() if value is not None}
    return found


def _listing(one: AreaVersion) -> Fact:
    """Return the fact of a listing or of a delisting."""
    payload = {"area": one.area, "level": one.level, "list_id": one.list_id, "parent": one.parent}
    payload["precision"] = "date" if one.dated else None
    return Fact(
        fact_id=one.fact_id,
        ver=1,
        op=Op.ASSERT,
        kind="area.listed" if one.listed else "area.delisted",
        subject=f"{AREA_PREFIX}{one.area}",
        occurred_at=instant(one.occurred_at),
        occurred_until=_instant(one.occurred_until),
        recorded_at=instant(one.recorded_at),
        source="",
        payload={name: value for name, value in payload.items() if value is not None},
    )


def _instant(at: int | None) -> datetime | None:
    return instant(at) if at is not None else None


def _micros(at: datetime | None) -> int | None:
    return micros(at) if at is not None else None


def _typed(names: Iterable[str], text: str) -> dict[str, str]:
    return {name: text if name in _TEXTS else BIGINT for name in names}
