"""Waivers as SQL: which measures each suspends, and what is left of those (E45)."""
# ruff: noqa: S608 - every part of the SQL is ours; texts go through Dialect.text

from collections.abc import Iterator
from dataclasses import dataclass

from passlight.city.dialect import BIGINT, NEVER, Dialect
from passlight.city.sql.calendar import Calendar
from passlight.city.sql.filters import kinds_are
from passlight.city.sql.occurrences import NONE
from passlight.city.sql.phases import MEASURE
from passlight.city.sql.stages import Stages, Statement
from passlight.core.rules.pack import Pack, WaiverPermission

_ANY = NONE + 1
_UNKNOWN = NONE + 2
# A waiver for a phase that there cannot be has -1 in the store: it suspends nothing.
_ANY_PHASE = -2
_HOLE = dict.fromkeys(("rule", "phase", "fact", "s", "e"), BIGINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waivers:
    """Writes the waivers that one pack honours."""

    dialect: Dialect
    calendar: Calendar
    pack: Pack
    number: int
    rule_numbers: dict[str, int]

    @property
    def name(self) -> str:
        """Return the name under which the waivers are kept, one row a rule that one suspends."""
        return f"waivers_{self.number}"

    def statements(self) -> Iterator[Statement]:
        """Yield the statements that find the waivers."""
        parts = [
            self._under(place, permission) for place, permission in enumerate(self.pack.waivers)
        ]
        # Kept: an engine that knows that none names a fact does not read everybody's for it.
        yield Statement(self._granted, " UNION ALL ".join(parts), kept=True)
        yield Statement(self.name, self._found(), kept=True)

    @property
    def _granted(self) -> str:
        return f"granted_{self.number}"

    def _found(self) -> str:
        named = (
            "SELECT w.p, f.fact_id, f.fact FROM facts_now f JOIN "
            f"(SELECT DISTINCT p, named FROM {self._granted} w WHERE named IS NOT NULL) w "
            "ON w.p = f.p AND w.named = f.fact_id"
        )
        big = self.dialect.big
        fact = (
            f"CASE WHEN w.named IS NULL THEN {big(_ANY)} ELSE coalesce(n.fact, {big(_UNKNOWN)}) END"
        )
        return (
            f"SELECT w.p, w.rule, w.phase, {fact} AS fact, w.s, w.e, w.permission, w.granted_at, "
            f"w.waiver FROM {self._granted} w LEFT JOIN ({named}) n "
            "ON n.p = w.p AND n.fact_id = w.named WHERE w.s < w.e"
        )

    def _under(self, place: int, permission: WaiverPermission) -> str:
        big = self.dialect.big
        start = "coalesce(f.p_from, f.occurred_at)"
        until = "coalesce(f.p_until, f.occurred_until)"
        stages = Stages(
            f"SELECT f.p, f.fact AS waiver, f.occurred_at AS granted_at, f.p_waiver_fact AS named, "
            f"CAST(coalesce(f.p_waiver_phase, {_ANY_PHASE}) AS BIGINT) AS phase, "
            f"f.p_waiver_rules AS rules, {start} AS s, "
            f"coalesce({until}, {big(NEVER)}) AS until "
            f"FROM facts_few f WHERE {kinds_are(('waiver.granted',), 'f')}"
        )
        longest = self.calendar.add("s", permission.longest, stages.let)
        granted = stages.select(f"*, {longest} AS longest")
        parts = [
            f"SELECT g.p, {big(self.rule_numbers[rule])} AS rule, g.phase, g.named, g.s, "
            f"least(g.until, g.longest) AS e, {big(place)} AS permission, g.granted_at, "
            f"g.waiver FROM ({granted}) g WHERE {self._names(rule)}"
            for rule in dict.fromkeys(permission.rules)
        ]
        return " UNION ALL ".join(parts)

    def _names(self, rule: str) -> str:
        """Return whether the JSON list holds the rule: as one of its texts, not inside one."""
        # Inside a text every quotation mark has a backslash before it.
        found = (self.dialect.text(f'{before}"{rule}"') for before in "[,")
        return "(" + " OR ".join(self.dialect.contains("g.rules", one) for one in found) + ")"

    def applies(self, waiver: str, measure: str) -> str:
        """Return the condition that a waiver names a measure, the first of whose facts is told."""
        first = self.first_fact(measure)
        return (
            f"{waiver}.rule = {measure}.rule AND ({waiver}.phase = {_ANY_PHASE} "
            f"OR {waiver}.phase = {measure}.phase) "
            f"AND ({waiver}.fact = {_ANY} OR {waiver}.fact = {first})"
        )

    def first_fact(self, measure: str) -> str:
        """Return the first of a measure's facts: of the trigger, else of those that end it."""
        closing = self.dialect.first(f"{measure}.closing")
        none = self.dialect.big(NONE)
        ending = f"coalesce({closing}, {none})"
        return f"CASE WHEN {measure}.t1 <> {none} THEN {measure}.t1 ELSE {ending} END"

    def cut(self, measures: str) -> str:
        """Return the query of the measures with the pieces that the waivers leave of them."""
        dialect = self.dialect
        piece_type = dialect.struct_type({"s": BIGINT, "e": BIGINT})
        hole_type = dialect.struct_type(_HOLE)
        hole = dialect.struct({name: name for name in _HOLE})
        together = dialect.collect(hole, None, hole_type)
        holes = f"SELECT p, {together} AS holes FROM {self.name} GROUP BY p"
        own = dialect.filter("w.holes", "h", self.applies("h", "m"))
        whole = dialect.list_of([dialect.struct({"s": "mstart", "e": "mend"})], piece_type)
        columns = ", ".join(MEASURE)
        with_holes = (
            f"SELECT m.*, coalesce({own}, {dialect.list_of([], hole_type)}) AS holes "
            f"FROM ({measures}) m LEFT JOIN ({holes}) w ON w.p = m.p"
        )
        ends = dialect.transform("holes", "h", "h.e")
        starts = dialect.concat([dialect.list_of(["mstart"], BIGINT), ends])
        under = dialect.size(dialect.filter("holes", "h", "h.s <= x AND x < h.e"))
        free = dialect.filter(
            dialect.distinct(starts), "x", f"x >= mstart AND x < mend AND {under} = 0"
        )
        next_hole = dialect.first(
            dialect.sort(dialect.transform(dialect.filter("holes", "h", "h.s > x"), "h", "h.s"))
        )
        piece = dialect.struct(
            {"s": "x", "e": f"least(mend, coalesce({next_hole}, {dialect.big(NEVER)}))"}
        )
        pieces = dialect.transform(dialect.sort(free), "x", piece)
        return (
            f"SELECT {columns}, CASE WHEN {dialect.size('holes')} = 0 THEN {whole} "
            f"ELSE {pieces} END AS pieces FROM ({with_holes}) m"
        )
