"""The facts that are known, of everybody in a bucket, as one view or one table of rows.

``p`` is who, as known when: the person, or person × times + which time of knowledge. Knowing is a
comparison of two columns; nothing is ranked or joined for it.
"""
# ruff: noqa: S608 - every part of the SQL is ours; texts go through Dialect.text

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from passlight.city.columns import FACT_COLUMNS
from passlight.city.dialect import NEVER, Dialect
from passlight.city.sql.calendar import DAY_COLUMNS, Calendar
from passlight.city.sql.filters import is_negative, kinds_are
from passlight.city.sql.packs import SAME_THING
from passlight.city.sql.stages import Stages, Statement
from passlight.core.facts.kinds import kind_rank
from passlight.core.rules.pack import AbsenceForm, DuringForm, Pack, TriggerForm
from passlight.core.rules.points import Next, Nth, Point, walk

_WORD = re.compile(r"\w+")
_ALWAYS = ("person.deceased", "code.closed")
_COLUMNS = tuple(name for name in FACT_COLUMNS if name not in {"person", "ver", "superseded_at"})


def kinds_read(packs: Sequence[Pack]) -> set[str]:
    """Return the kinds of fact that any of the packs reads, and those that close a code."""
    found = set(_ALWAYS)
    for pack in packs:
        for rule in pack.rules:
            found.update(_of_form(rule.form))
            for phase in rule.phases:
                found.update(_of_point(phase.starts), _of_point(phase.ends))
        for badge in pack.badges:
            found.update(badge.filter.kinds)
        found.update(("waiver.granted",) if pack.waivers else ())
        found.update(kind for kind in pack.rankings if kind in SAME_THING)
    return found


def _of_form(form: TriggerForm | DuringForm | AbsenceForm) -> Iterator[str]:
    if isinstance(form, DuringForm):
        yield from form.stays
        return
    yield from form.filter.kinds
    if isinstance(form, AbsenceForm):
        yield from form.since_kinds
        yield from ("person.born",) if form.birth is not None else ()


def _of_point(point: Point) -> Iterator[str]:
    for part in walk(point):
        if isinstance(part, Next | Nth):
            yield from part.filter.kinds
        if isinstance(part, Nth) and part.reset_on is not None:
            yield from part.reset_on.kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsView:
    """Writes the views of one bucket; ``linked`` is True when anybody is linked to another."""

    dialect: Dialect
    known_at: Sequence[int | None]
    kinds: set[str]
    linked: bool
    calendars: Sequence[Calendar]

    @property
    def times(self) -> int:
        """Return how many times of knowledge there are."""
        return len(self.known_at)

    def statements(self) -> Iterator[Statement]:
        """Yield the views ``people_now`` and ``facts_now``."""
        times = self.dialect.big(self.times)
        if self.times == 1:
            zero = self.dialect.big(0)
            people = f"SELECT person AS p, {zero} AS kid, person FROM people_of_bucket"
        else:
            people = (
                f"SELECT n.person * {times} + k.kid AS p, k.kid, n.person "
                "FROM people_of_bucket n CROSS JOIN knowledge k"
            )
        yield Statement("people_now", people, kept=False)
        # With several times of knowledge each row would be made anew by everybody who reads it.
        stages = Stages(self._facts())
        days = {
            name: value
            for calendar in self.calendars
            for name, value in calendar.fact_columns(stages.let).items()
        }
        columns = ["p", "kid", *_COLUMNS, *(f"{value} AS {name}" for name, value in days.items())]
        yield Statement("facts_now", stages.select(", ".join(columns)), kept=self.times > 1)

    def few(self, read: Sequence[Statement]) -> Statement:
        """Return what keeps ``facts_few``: the facts but for negative tests, which are most.

        Only the columns that the statements name are kept.
        """
        named = {word for one in read for word in _WORD.findall(one.sql)}
        own = [f"{name}_{one.number}" for one in self.calendars for name in DAY_COLUMNS]
        columns = [f"f.{name}" for name in ("p", "kid", *_COLUMNS, *own) if name in named]
        return Statement(
            "facts_few",
            f"SELECT {', '.join(columns)} FROM facts_now f "
            f"WHERE {kinds_are(tuple(self.kinds), 'f')} AND NOT {is_negative('f')}",
            kept=True,
        )

    def _facts(self) -> str:
        if not self.linked:
            return self._known("facts_of_bucket", "f.person", "")
        # Not by what each row names, where there is one time of knowledge: that costs a join more.
        apart = "f.person NOT IN (SELECT a.person FROM members a)"
        if self.times > 1:
            apart = (
                "NOT EXISTS (SELECT 1 FROM members a WHERE a.person = f.person AND a.kid = k.kid)"
            )
        alone = self._known("facts_of_bucket", "f.person", f" AND {apart}")
        here = "f.person_of IN (SELECT n.person FROM people_of_bucket n)"
        shared = self._known(self._shared(), "f.person_of", f" AND {here}", by_members=True)
        return f"{alone} UNION ALL {shared}"

    def _shared(self) -> str:
        return (
            "(SELECT l.*, a.person AS person_of, a.kid AS kid_of FROM facts_of_linked l "
            "JOIN members a ON a.member = l.person)"
        )

    def _known(self, source: str, person: str, more: str, *, by_members: bool = False) -> str:
        ranks = ", ".join(str(kind_rank(kind)) for kind in sorted(self.kinds))
        columns = ", ".join(f"f.{name}" for name in _COLUMNS)
        only = f"f.kind IN ({ranks})"
        if self.times == 1:
            known_at = self.known_at[0]
            known = "f.superseded_at IS NULL"
            if known_at is not None:
                at = self.dialect.big(known_at)
                known = (
                    f"f.recorded_at <= {at} AND (f.superseded_at IS NULL OR f.superseded_at > {at})"
                )
            zero = self.dialect.big(0)
            # Whoever reads this asks for some kinds, so that all of them are not asked for here.
            return (
                f"SELECT {person} AS p, {zero} AS kid, {columns} FROM {source} f "
                f"WHERE {known}{more}"
            )
        times = self.dialect.big(self.times)
        by = " AND k.kid = f.kid_of" if by_members else ""
        return (
            f"SELECT {person} * {times} + k.kid AS p, k.kid, {columns} FROM {source} f "
            f"JOIN knowledge k ON f.recorded_at <= k.k "
            f"AND k.k < coalesce(f.superseded_at, {self.dialect.big(NEVER + 1)}){by} "
            f"WHERE {only}{more}"
        )
