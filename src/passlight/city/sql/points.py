"""Points as SQL: when each is reached, by which facts, and what is still missing.

A point is compiled for one rule; its rows are the rule's occurrences, each with the lists of the
person's counted facts beside it. One function a kind of point.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from passlight.city.columns import micros
from passlight.city.dialect import BIGINT, EVER, Dialect
from passlight.city.sql.calendar import Calendar, Let, itself
from passlight.city.sql.chains import Linking
from passlight.city.sql.stages import Stages
from passlight.core.kernel.calendar import Duration
from passlight.core.rules.pack import Pack
from passlight.core.rules.points import (
    After,
    At,
    Earliest,
    Filter,
    Latest,
    Moment,
    Never,
    Next,
    Nth,
    Parameter,
    Point,
)
from passlight.core.rules.terms import Text

_TESTS = frozenset({"lab.result", "lab.sampled"})
NEED_FIELDS = {"number": BIGINT, "missing": BIGINT, "from_at": BIGINT}


@dataclass(frozen=True, slots=True)
class Told:
    """A moment that an occurrence has by itself: when, by which facts, the sentence if it has not.

    ``facts`` is a list in SQL or None; ``text`` is what ends it when the instant is NULL.
    """

    at: str
    facts: str | None = None
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """When a point is reached (NULL: not), and the lists of facts and of needs to be joined.

    Where ``at`` is not NULL there are no needs.
    """

    at: str
    facts: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(slots=True)
class NeedTexts:
    """The sentences of open conditions of all packs, by number, and whether they are sampled."""

    numbers: dict[tuple[Text, bool], int] = field(default_factory=dict)

    def number(self, text: Text, *, sampled: bool) -> int:
        """Return the number of a sentence."""
        return self.numbers.setdefault((text, sampled), len(self.numbers))

    def all(self) -> list[tuple[Text, bool]]:
        """Return the sentences in the order of their numbers."""
        return list(self.numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all points of one rule share.

    ``lists`` names the column of each filter's counted facts; ``telling`` is False when nobody
    will read facts and needs; ``trigger`` holds the kinds of the trigger, empty without one.
    """

    dialect: Dialect
    calendar: Calendar
    pack: Pack
    moments: Mapping[Moment, Told]
    lists: Mapping[Filter, str]
    trigger: tuple[str, ...]
    needs: NeedTexts
    telling: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Compiles points at one place of a chain of phases.

    ``as_of`` is the instant whose parameters hold (a whole number when it is known now), and
    ``prev_until`` where the last phase ended.
    """

    setting: Setting
    stages: Stages
    as_of: str | int
    prev_until: str | None = None

    @property
    def dialect(self) -> Dialect:
        """Return the dialect."""
        return self.setting.dialect

    def of(self, point: Point) -> Reached:
        """Return the SQL of when ``point`` is reached."""
        if isinstance(point, At):
            return self._at(point)
        if isinstance(point, After):
            return self._after(point)
        if isinstance(point, Next):
            return self._next(point)
        if isinstance(point, Nth):
            return self._nth(point)
        if isinstance(point, Earliest):
            return self._earliest(point)
        if isinstance(point, Latest):
            return self._latest(point)
        return self._never(point)

    def _never(self, point: Never) -> Reached:  # noqa: ARG002
        return Reached(self.dialect.null(BIGINT))

    def _at(self, point: At) -> Reached:
        if point.moment is Moment.PREV_UNTIL:
            return Reached(self.prev_until or self.dialect.null(BIGINT))
        told = self.setting.moments[point.moment]
        needs: tuple[str, ...] = ()
        if told.text is not None and self.setting.telling:
            need = self._need(told.text, "1", str(EVER), sampled=True)
            needs = (self._if(f"{told.at} IS NULL", need),)
        facts = (told.facts,) if told.facts is not None and self.setting.telling else ()
        return Reached(told.at, facts, needs)

    def _amount(self, amount: Duration | Parameter, instant: str, let: Let = itself) -> str:
        """Return the instant an amount after another one; a parameter's as of this look."""
        calendar = self.setting.calendar
        if not isinstance(amount, Parameter):
            return calendar.add(instant, amount, let)
        values = self._values(amount)
        return self._dated([(at, calendar.add(instant, value, let)) for at, value in values])

    def _values(self, amount: Parameter) -> list[tuple[int, Duration]]:
        parameter = self.setting.pack.parameters[amount.name]
        return [(micros(at), value) for at, value in parameter.values]

    def _dated(self, values: Sequence[tuple[int, str]]) -> str:
        """Return the value in force as of this look; before the first date, the first one."""
        if isinstance(self.as_of, int):
            held = [value for at, value in values[1:] if at <= self.as_of]
            return held[-1] if held else values[0][1]
        if len(values) == 1:
            return values[0][1]
        cases = " ".join(
            f"WHEN {self.as_of} >= {self.dialect.big(at)} THEN {value}"
            for at, value in reversed(values[1:])
        )
        return f"CASE {cases} ELSE {values[0][1]} END"

    def _count(self, amount: int | Parameter) -> str:
        if not isinstance(amount, Parameter):
            return self.dialect.big(amount)
        parameter = self.setting.pack.parameters[amount.name]
        values = [(micros(at), self.dialect.big(value)) for at, value in parameter.values]
        return self._dated(values)

    def _after(self, point: After) -> Reached:
        base = self.of(point.point)
        at = self.stages.let(base.at)
        return replace(base, at=self.stages.let(self._amount(point.amount, at, self.stages.let)))

    def since(self, items: str, since: str, kinds: tuple[str, ...]) -> str:
        """Return what was measured since; the trigger's own kind only after it (field/08 1.6)."""
        own = set(self.setting.trigger) & set(kinds)
        condition = f"x.measured >= {since}"
        if own == set(kinds) and len(self.setting.trigger) == 1:
            condition = f"x.measured > {since}"
        elif own:
            condition = f"(x.measured > {since} OR (x.measured = {since} AND x.kind <> o_kind))"
        return self.dialect.filter(items, "x", condition)

    def _next(self, point: Next) -> Reached:
        since = self.of(point.since)
        base = self.stages.let(since.at)
        found = self.since(self.setting.lists[point.filter], base, point.filter.kinds)
        if point.same is not None:
            mine = f"coalesce('=' || o_{point.same}, '?')"
            found = self.dialect.filter(found, "y", f"y.k_{point.same} = {mine}")
        one = self.stages.let(self.dialect.first(found))
        at = self.stages.let(self.dialect.field(one, "counts"))
        if not self.setting.telling:
            return Reached(at)
        fact = self.dialect.list_of([self.dialect.field(one, "fact")], BIGINT)
        tested = bool(_TESTS.intersection(point.filter.kinds))
        need = self._need(point.needs, "1", base if tested else str(EVER), sampled=True)
        facts = self._facts_since(since, base, at, fact)
        return Reached(at, facts, self._unmet(since, base, at, need))

    def _unmet(self, since: Reached, base: str, at: str, need: str) -> tuple[str, ...]:
        """Return the needs: those of ``since`` while it is not reached, then this point's own."""
        before = self._joined(since.needs, self._need_type)
        own = self.dialect.list_of([need], self._need_type)
        return (
            self.stages.let(
                f"CASE WHEN {base} IS NULL THEN {before} "
                f"WHEN {at} IS NULL THEN {own} ELSE {self._empty(self._need_type)} END"
            ),
        )

    def _nth(self, point: Nth) -> Reached:
        since = self.of(point.since)
        base = self.stages.let(since.at)
        lists = self.setting.lists
        good = self.since(lists[point.filter], base, point.filter.kinds)
        bad = None
        if point.reset_on is not None:
            bad = self.since(lists[point.reset_on], base, point.reset_on.kinds)
        wanted = self.stages.let(self._count(point.n))
        mark = "0"
        if point.gap is not None:
            mark = self._amount(point.gap, "x.measured")
        elif point.every is not None:
            mark = "x.day"
        chain = Linking(
            dialect=self.dialect,
            wanted=wanted,
            mark=mark,
            gap=point.gap is not None,
            every=point.every is not None,
        ).chain(good, bad, self.stages.let)
        if not self.setting.telling:
            return Reached(chain.at)
        from_at = base
        if point.gap is not None:
            from_at = f"CASE WHEN {chain.count} > 0 THEN {chain.mark} ELSE {base} END"
        elif point.every is not None:
            tomorrow = self.setting.calendar.start_of_day(f"({chain.mark} + 1)", self.stages.let)
            from_at = f"CASE WHEN {chain.count} > 0 THEN {tomorrow} ELSE {base} END"
        sampled = not _TESTS.isdisjoint(point.filter.kinds)
        missing = f"{wanted} - {chain.count}"
        need = self._need(point.needs, missing, from_at, sampled=sampled)
        facts = self._facts_since(since, base, chain.at, chain.links)
        return Reached(chain.at, facts, self._unmet(since, base, chain.at, need))

    def _facts_since(self, since: Reached, base: str, at: str, own: str) -> tuple[str, ...]:
        """Return the facts: those of ``since`` while it is not reached, then this point's own."""
        cases = [(f"{at} IS NOT NULL", own)]
        if since.facts:
            cases.insert(0, (f"{base} IS NULL", self._joined(since.facts, BIGINT)))
        return (self.stages.let(self._cases(cases, BIGINT)),)

    def _earliest(self, point: Earliest) -> Reached:
        parts = [self._named(self.of(part)) for part in point.points]
        at = parts[0].at
        if len(parts) > 1:
            at = self.stages.let(f"least({', '.join(part.at for part in parts)})")
        if not self.setting.telling:
            return Reached(at)
        cases = [(f"{part.at} = {at}", self._joined(part.facts, BIGINT)) for part in parts]
        facts: tuple[str, ...] = ()
        if any(part.facts for part in parts):
            facts = (self.stages.let(self._cases(cases, BIGINT)),)
        return Reached(at, facts, self._all_needs(parts, f"{at} IS NULL"))

    def _latest(self, point: Latest) -> Reached:
        parts = [self._named(self.of(part)) for part in point.points]
        if len(parts) == 1:
            return parts[0]
        unmet = " OR ".join(f"{part.at} IS NULL" for part in parts)
        last = f"greatest({', '.join(part.at for part in parts)})"
        at = self.stages.let(f"CASE WHEN {unmet} THEN {self.dialect.null(BIGINT)} ELSE {last} END")
        facts = tuple(one for part in parts for one in part.facts)
        return Reached(at, facts, self._all_needs(parts, f"{at} IS NULL"))

    def _all_needs(self, parts: Sequence[Reached], unmet: str) -> tuple[str, ...]:
        """Return the needs of the parts; a part that is reached has none."""
        needs = tuple(one for part in parts for one in part.needs)
        if not needs:
            return ()
        return (self.stages.let(self._when(unmet, self._joined(needs, self._need_type))),)

    def _named(self, reached: Reached) -> Reached:
        return replace(reached, at=self.stages.let(reached.at))

    # Lists

    @property
    def _need_type(self) -> str:
        return self.dialect.struct_type(NEED_FIELDS)

    def _empty(self, type_: str) -> str:
        return self.dialect.list_of([], type_)

    def _joined(self, lists: Sequence[str], type_: str) -> str:
        return self.dialect.concat(lists) if lists else self._empty(type_)

    def facts_of(self, reached: Reached) -> str:
        """Return the list of the facts behind a point."""
        return self._joined(reached.facts, BIGINT)

    def needs_of(self, reached: Reached) -> str:
        """Return the list of what a point still needs."""
        return self._joined(reached.needs, self._need_type)

    def _need(self, text: Text, missing: str, from_at: str, *, sampled: bool) -> str:
        number = self.setting.needs.number(text, sampled=sampled)
        return self.dialect.struct(
            {
                "number": self.dialect.big(number),
                "missing": f"CAST({missing} AS BIGINT)",
                "from_at": f"CAST({from_at} AS BIGINT)",
            }
        )

    def _if(self, condition: str, need: str) -> str:
        return self._when(condition, self.dialect.list_of([need], self._need_type))

    def _when(self, condition: str, needs: str) -> str:
        return f"CASE WHEN {condition} THEN {needs} ELSE {self._empty(self._need_type)} END"

    def _cases(self, cases: Sequence[tuple[str, str]], type_: str) -> str:
        written = " ".join(f"WHEN {condition} THEN {value}" for condition, value in cases)
        return f"CASE {written} ELSE {self._empty(type_)} END"
