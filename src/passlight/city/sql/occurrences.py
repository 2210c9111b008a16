"""Occurrences as SQL: one row each time that a rule's form applies to a person.

All three forms give the same columns: ``p`` (who, as known when), ``t1`` and ``t2`` (the facts
behind it, NONE where there is none), ``o_start``, ``o_expiry``, and one column a moment.
"""
# ruff: noqa: S608 - every part of the SQL is ours; texts go through Dialect.text

from collections.abc import Mapping
from dataclasses import dataclass

from passlight.city.columns import micros, payload_column
from passlight.city.dialect import BIGINT, EVER, NEVER, Dialect
from passlight.city.sql.calendar import Calendar
from passlight.city.sql.filters import kinds_are, measured, no_negatives, passes
from passlight.city.sql.points import Told
from passlight.city.sql.stages import Stages, Statement
from passlight.core.facts.fact import MANUAL_SOURCE
from passlight.core.facts.kinds import KINDS, FieldType, kind_rank
from passlight.core.rules.pack import (
    AbsenceForm,
    AreaCondition,
    AreaMatch,
    DuringForm,
    Pack,
    Rule,
    TriggerForm,
)
from passlight.core.rules.points import At, Filter, Moment, Next, walk
from passlight.core.rules.read_points import DELISTED, lifted_by

NONE = EVER
_TRAVEL = "travel.arrived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The views that occurrences are read from; ``few`` are the facts but for negative tests."""

    facts: str
    few: str
    people: str
    cover: str
    identity: str

    def read(self, wanted: Filter) -> str:
        """Return where to read what passes a filter."""
        return self.few if no_negatives(wanted) else self.facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurring:
    """The query of a rule's occurrences and what its points can refer to.

    ``several`` is True when two occurrences may be behind the same facts, one after the other;
    ``before`` is what is run before it.
    """

    sql: str
    moments: Mapping[Moment, Told]
    trigger: tuple[str, ...]
    several: bool
    before: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """Writes the occurrences of the rules of one pack.

    ``since`` is the earliest instant asked about: what was over before it may be left out.
    ``keyed`` is False when nobody asks which facts are behind an occurrence.
    """

    dialect: Dialect
    calendar: Calendar
    pack: Pack
    names: Names
    number: int
    since: int
    keyed: bool

    def of(self, rule: Rule) -> Occurring:
        """Return the occurrences of a rule."""
        if isinstance(rule.form, TriggerForm):
            return self._triggered(rule, rule.form)
        if isinstance(rule.form, DuringForm):
            return self._stays(rule.form)
        return self._gaps(rule, rule.form)

    # Triggers

    def _triggered(self, rule: Rule, form: TriggerForm) -> Occurring:
        kinds = form.filter.kinds
        columns = {
            "p": "f.p",
            "t1": "f.fact",
            "t2": self.dialect.big(NONE),
            "o_kind": "f.kind",
            "o_start": self.calendar.begins_at("f"),
            "o_expiry": self._expiry(),
            "kid": "f.kid",
        }
        moments = self._trigger_moments(kinds)
        for moment, value in moments.items():
            columns[_column(moment)] = value
        for key in sorted(_same_keys(rule)):
            columns[f"o_{key}"] = self.same_key(key, kinds, "f")
        condition = passes(self.dialect, form.filter, "f")
        if form.area is not None:
            columns |= {
                "o_area": self._area(kinds),
                "o_begins": self.calendar.begins_at("f"),
                "o_ended": self.calendar.until("f"),
                "o_occurred": "f.occurred_at",
            }
            columns["o_departed"] = self._departed(kinds, columns["o_ended"])
        written = ", ".join(f"{value} AS {name}" for name, value in columns.items())
        sql = f"SELECT {written} FROM {self.names.read(form.filter)} f WHERE {condition}"
        if form.area is not None:
            sql = self._in_area(sql, form.area, tuple(columns))
        told = {moment: Told(_column(moment)) for moment in moments}
        return Occurring(sql=sql, moments=told, trigger=kinds, several=False)

    def _expiry(self) -> str:
        """Return when a fact entered by hand stops counting (E46: it has an expiry)."""
        own = self.dialect.text(MANUAL_SOURCE)
        below = self.dialect.starts_with("f.source", self.dialect.text(f"{MANUAL_SOURCE}:"))
        return f"CASE WHEN f.source = {own} OR {below} THEN f.p_expires_at END"

    def _trigger_moments(self, kinds: tuple[str, ...]) -> dict[Moment, str]:
        at, end = "f.occurred_at", "f.occurred_until"
        found = {
            Moment.TRIGGER_OCCURRED: self.calendar.begins_at("f"),
            Moment.TRIGGER_RECORDED: "f.recorded_at",
            Moment.TRIGGER_ENDED: self._dated(f"coalesce({end}, {at})", kinds),
            Moment.TRIGGER_LEFT: self._dated(self._departed(kinds, end), kinds),
        }
        if {"lab.result", "lab.sampled"} >= set(kinds):
            found[Moment.TRIGGER_SAMPLED] = f"coalesce(f.p_sampled_at, {at})"
        return found

    def _departed(self, kinds: tuple[str, ...], ended: str) -> str:
        """Return when a traveller or guest left; NULL while inside."""
        if _TRAVEL not in kinds:
            return ended
        left = "coalesce(f.p_left_at, f.p_arrived_at, f.occurred_at)"
        if len(kinds) == 1:
            return left
        return f"CASE WHEN {kinds_are((_TRAVEL,), 'f')} THEN {left} ELSE {ended} END"

    def _dated(self, told: str, kinds: tuple[str, ...]) -> str:
        """Return a moment; of a fact known by its date, when that day was over, or the day."""
        over = "f.occurred_until IS NOT NULL"
        if _TRAVEL in kinds:
            over = f"{over} AND f.kind <> {kind_rank(_TRAVEL)}"
        end, day = self.calendar.until("f"), self.calendar.begins_at("f")
        return (
            f"CASE WHEN NOT f.dated THEN {told} WHEN {over} THEN {end} "
            f"WHEN {told} = f.occurred_at THEN {day} ELSE {told} END"
        )

    def same_key(self, key: str, kinds: tuple[str, ...], row: str) -> str:
        """Return the value by which two facts belong together, as a text."""
        for kind in kinds:
            form = KINDS[kind].fields[key]
            if form is not FieldType.OBJECT:
                return f"CAST({row}.{payload_column(key, form)} AS {self.dialect.text_type})"
        return self.dialect.null(self.dialect.text_type)

    # Areas

    def _area(self, kinds: tuple[str, ...]) -> str:
        if _TRAVEL not in kinds:
            return "f.p_area"
        if len(kinds) == 1:
            return "f.p_from_area"
        return f"CASE WHEN {kinds_are((_TRAVEL,), 'f')} THEN f.p_from_area ELSE f.p_area END"

    def _in_area(self, occurred: str, condition: AreaCondition, columns: tuple[str, ...]) -> str:
        when = self.dialect.struct({"s": "from_at", "e": "until_at"})
        type_ = self.dialect.struct_type({"s": BIGINT, "e": BIGINT})
        source, only = self.names.cover, f"NOT inside AND {self._levels(condition.levels)}"
        if condition.within is not None:
            source = self.names.identity
            only = f"identity = {self.dialect.text(condition.within)}"
        listed = (
            f"SELECT kid, area, {self.dialect.collect(when, None, type_)} AS listed "
            f"FROM {source} WHERE {only} GROUP BY kid, area"
        )
        concerned = self.dialect.filter("c.listed", "w", self._concerns(condition))
        stages = Stages(occurred)
        reach = "o_departed"
        if condition.lookback is not None:
            reach = self.calendar.add(reach, condition.lookback, stages.let)
        occurred = stages.select(f"*, {reach} AS o_reach")
        # By name: the values that the stages named are theirs, and are named alike further on.
        kept = ", ".join(f"f.{name}" for name in columns)
        return (
            f"SELECT {kept} FROM ({occurred}) f JOIN ({listed}) c "
            f"ON c.kid = f.kid AND c.area = f.o_area WHERE {self.dialect.size(concerned)} > 0"
        )

    def _levels(self, levels: tuple[str, ...]) -> str:
        return f"level IN ({', '.join(self.dialect.text(level) for level in levels)})"

    def _concerns(self, condition: AreaCondition) -> str:
        if condition.within is not None:
            at = "coalesce(f.o_departed, f.o_occurred)"
            return f"w.s <= {at} AND {at} < w.e"
        if condition.match is AreaMatch.DURING_STAY:
            end = f"least(w.e, coalesce(f.o_ended, {self.dialect.big(NEVER)}))"
            return f"greatest(w.s, f.o_begins) < {end}"
        return "coalesce(w.s <= f.o_reach AND f.o_departed < w.e, FALSE)"

    # Stays in listed areas

    def _stays(self, form: DuringForm) -> Occurring:
        big, never = self.dialect.big, self.dialect.big(NEVER)
        stays = (
            f"SELECT f.p, f.kid, f.fact, f.p_area, {self.calendar.begins_at('f')} AS begins, "
            f"coalesce({self.calendar.until('f')}, {never}) AS ended "
            f"FROM {self.names.few} f WHERE {kinds_are(form.stays, 'f')}"
        )
        start, end = "greatest(f.begins, c.from_at)", "least(f.ended, c.until_at)"
        inside = (
            f"SELECT f.p, f.fact AS t1, c.listing AS t2, {start} AS o_start, {end} AS o_end, "
            "f.ended AS o_left, c.until_at AS o_unlisted, c.listing_until AS o_listing_until, "
            f"c.delisting AS o_delisting FROM ({stays}) f JOIN {self.names.cover} c "
            f"ON c.kid = f.kid AND c.area = f.p_area "
            f"WHERE NOT c.inside AND c.{self._levels(form.levels)} AND {start} < {end}"
        )
        own = self.dialect.list_of(["o_delisting"], BIGINT)
        none = self.dialect.list_of([], BIGINT)
        gone = f"CASE WHEN o_delisting = {big(NONE)} THEN {none} ELSE {own} END"
        by_list = f"o_end < {never} AND o_end = o_listing_until AND o_delisting <> {big(NONE)}"
        columns = {
            _column(Moment.INTERVAL_FROM): "o_start",
            _column(Moment.INTERVAL_UNTIL): f"nullif(o_end, {never})",
            _column(Moment.STAY_UNTIL): f"nullif(o_left, {never})",
            _column(Moment.LISTING_UNTIL): f"nullif(o_unlisted, {never})",
            "f_interval": f"CASE WHEN {by_list} THEN {own} ELSE {none} END",
            "f_listing": gone,
            "o_expiry": self.dialect.null(BIGINT),
        }
        written = ", ".join(f"{value} AS {name}" for name, value in columns.items())
        moments = {
            Moment.INTERVAL_FROM: Told(_column(Moment.INTERVAL_FROM)),
            Moment.INTERVAL_UNTIL: Told(_column(Moment.INTERVAL_UNTIL), "f_interval", DELISTED),
            # No sentence: nobody is told to leave in order to be released.
            Moment.STAY_UNTIL: Told(_column(Moment.STAY_UNTIL)),
            Moment.LISTING_UNTIL: Told(_column(Moment.LISTING_UNTIL), "f_listing", DELISTED),
        }
        sql = f"SELECT p, t1, t2, o_start, {written} FROM ({inside}) i"
        return Occurring(sql=sql, moments=moments, trigger=(), several=True)

    # Absences

    def _gaps(self, rule: Rule, form: AbsenceForm) -> Occurring:
        """Return each stretch without the fact that is longer than the rule allows."""
        dialect, big = self.dialect, self.dialect.big
        clocks = f"clocks_{self.number}_{rule.id.replace('-', '_')}"
        stages = Stages(
            f"SELECT p, since, t1, m_until, closer FROM ({self._going_on(clocks)}) c "
            f"UNION ALL {self._gaps_between(clocks)}"
        )
        due = self.calendar.add("since", form.max_gap, stages.let)
        closed = dialect.list_of(["closer"], BIGINT)
        facts = f"CASE WHEN closer IS NULL THEN {dialect.list_of([], BIGINT)} ELSE {closed} END"
        begun = f"o_start AS {_column(Moment.INTERVAL_FROM)}"
        sql = (
            f"SELECT p, t1, {big(NONE)} AS t2, o_start, {begun}, "
            f"m_until AS {_column(Moment.INTERVAL_UNTIL)}, {facts} AS f_interval, "
            f"{dialect.null(BIGINT)} AS o_expiry "
            f"FROM ({stages.select(f'*, {due} AS o_start')}) d "
            "WHERE m_until IS NULL OR o_start < m_until"
        )
        until = Told(_column(Moment.INTERVAL_UNTIL), "f_interval", lifted_by(form.filter))
        moments = {
            Moment.INTERVAL_FROM: Told(_column(Moment.INTERVAL_FROM)),
            Moment.INTERVAL_UNTIL: until,
        }
        return Occurring(
            sql=sql,
            moments=moments,
            trigger=(),
            several=False,
            before=(Statement(clocks, self._clocks(rule, form), kept=True),),
        )

    def _clocks(self, rule: Rule, form: AbsenceForm) -> str:
        """Return from when each person's clock runs, and what has restarted it.

        ``last`` is the last mark that is taken alone, ``marks`` are those that are looked at one
        by one; neither for most people.
        """
        mark_type = self.dialect.struct_type(dict.fromkeys(_MARK, BIGINT))
        none = self.dialect.list_of([], mark_type)
        stages = Stages(
            f"SELECT n.p, a.born, a.last, coalesce(a.marks, {none}) AS marks "
            f"FROM {self.names.people} n LEFT JOIN ({self._marks(rule, form)}) a ON a.p = n.p"
        )
        floor = self._floor(form, stages)
        return stages.select(f"p, last, {self.dialect.sort('marks')} AS marks, {floor} AS floor")

    def _going_on(self, clocks: str) -> str:
        """Return the stretch of everybody whose clock nothing restarts any more."""
        dialect = self.dialect
        at, fact = dialect.field("last", "t"), dialect.field("last", "fact")
        null = dialect.null(BIGINT)
        return (
            f"SELECT p, greatest(floor, coalesce({at}, floor)) AS since, "
            f"coalesce({fact}, {dialect.big(NONE)}) AS t1, {null} AS m_until, {null} AS closer "
            f"FROM {clocks} WHERE {dialect.size('marks')} = 0"
        )

    def _gaps_between(self, clocks: str) -> str:
        """Return the stretches of everybody else, mark by mark."""
        dialect, big = self.dialect, self.dialect.big
        mark_type = dialect.struct_type(dict.fromkeys(_MARK, BIGINT))
        one = dialect.list_of(["last"], mark_type)
        every = f"CASE WHEN last IS NULL THEN marks ELSE {dialect.concat([one, 'marks'])} END"
        marks = f"SELECT p, floor, {every} AS marks FROM {clocks} WHERE {dialect.size('marks')} > 0"
        before = dialect.last(dialect.filter("marks", "x", "x.t <= floor"))
        after = dialect.filter("marks", "x", "x.t > floor")
        parted = (
            f"SELECT p, floor, {after} AS after, coalesce({dialect.field(before, 'fact')}, "
            f"{big(NONE)}) AS before FROM ({marks}) m"
        )
        begin = dialect.struct({"t": "floor", "fact": "before"})
        pair = dialect.struct({"t": "x.t", "fact": "x.fact"})
        pair_type = dialect.struct_type({"t": BIGINT, "fact": BIGINT})
        begins = dialect.concat(
            [dialect.list_of([begin], pair_type), dialect.transform("after", "x", pair)]
        )
        place = dialect.series("CAST(1 AS BIGINT)", f"{dialect.size('after')} + 1")
        spread = (
            f"SELECT p, after, {begins} AS begins, {dialect.each(place)} AS i FROM ({parted}) m"
        )
        this, that = dialect.at("begins", "i"), dialect.at("after", "i")
        return (
            f"SELECT p, {dialect.field(this, 't')} AS since, {dialect.field(this, 'fact')} AS t1, "
            f"{dialect.field(that, 't')} AS m_until, {dialect.field(that, 'fact')} AS closer "
            f"FROM ({spread}) m"
        )

    def _floor(self, form: AbsenceForm, stages: Stages) -> str:
        start = self.pack.effective.start
        effective = self.dialect.big(micros(start) if start is not None else EVER)
        if form.birth is None:
            return effective
        return f"greatest({effective}, {self.calendar.add('born', form.birth, stages.let)})"

    def _marks(self, rule: Rule, form: AbsenceForm) -> str:
        """Return what restarts the clock, by person, in the order in which it was measured."""
        dialect = self.dialect
        mark_type = dialect.struct_type(dict.fromkeys(_MARK, BIGINT))
        wanted = [form.filter]
        if form.since_kinds:
            wanted.append(Filter(kinds=form.since_kinds))
        parts = [self._marks_of(one) for one in wanted]
        # A fact that restarts the clock on both accounts does so once.
        twice = not set(form.filter.kinds).isdisjoint(form.since_kinds)
        both = " UNION " if twice else " UNION ALL "
        born = dialect.null(BIGINT)
        if form.birth is not None:
            parts.append(
                f"SELECT f.p, {dialect.null(BIGINT)} AS t, f.occurred_at, "
                f"CAST(f.kind AS BIGINT) AS kind, f.fact FROM {self.names.few} f "
                f"WHERE {kinds_are(('person.born',), 'f')}"
            )
            born = "max(CASE WHEN t IS NULL THEN occurred_at END)"
        mark = dialect.struct({name: name for name in _MARK})
        last, kept = dialect.null(mark_type), "t IS NOT NULL"
        if self._over_with_the_gap(rule):
            # Whatever was over before the first moment asked about ends before it: of the marks
            # until then the last one is enough.
            last = self._last_mark(mark, f"t <= {dialect.big(self.since)}")
            kept = f"t > {dialect.big(self.since)}"
        return (
            f"SELECT p, {born} AS born, {last} AS last, "
            f"{dialect.collect(mark, kept, mark_type)} AS marks "
            f"FROM ({both.join(parts)}) m GROUP BY p"
        )

    def _last_mark(self, mark: str, early: str) -> str:
        """Return the last mark; where nobody asks for its fact, just when it was."""
        if self.keyed:
            return self.dialect.greatest_by(mark, mark, early)
        at = f"max(CASE WHEN {early} THEN t END)"
        none, zero = self.dialect.big(NONE), self.dialect.big(0)
        whole = self.dialect.struct({"t": at, "occurred_at": zero, "kind": zero, "fact": none})
        return f"CASE WHEN {at} IS NOT NULL THEN {whole} END"

    def _marks_of(self, wanted: Filter) -> str:
        at = measured(self.calendar, wanted.kinds, "f")
        return (
            f"SELECT f.p, {at} AS t, f.occurred_at, CAST(f.kind AS BIGINT) AS kind, f.fact "
            f"FROM {self.names.read(wanted)} f WHERE {passes(self.dialect, wanted, 'f')}"
        )

    def _over_with_the_gap(self, rule: Rule) -> bool:
        """Return whether every phase ends where the gap does, if not before."""
        if self.since <= EVER:
            return False
        return all(phase.ends == At(Moment.INTERVAL_UNTIL) for phase in rule.phases)


_MARK = ("t", "occurred_at", "kind", "fact")


def _column(moment: Moment) -> str:
    return "m_" + moment.value.replace(".", "_")


def _same_keys(rule: Rule) -> set[str]:
    """Return the keys by which points of the rule look for facts like the trigger."""
    return {
        part.same
        for phase in rule.phases
        for point in (phase.starts, phase.ends)
        for part in walk(point)
        if isinstance(part, Next) and part.same is not None
    }
