"""Compact answers as SQL: one row a person, with the segments from the moment on."""
# ruff: noqa: S608 - every part of the SQL is ours; texts go through Dialect.text

from dataclasses import dataclass
from typing import TYPE_CHECKING

from passlight.city.columns import micros
from passlight.city.dialect import BIGINT, NEVER, Dialect
from passlight.city.sql.filters import kinds_are
from passlight.city.sql.standing import ALONE, CLOSED, GREEN, RED, UNKNOWN, YELLOW
from passlight.core.kernel.colour import Colour

if TYPE_CHECKING:
    from passlight.city.compiling import Asked, Compiled

_NAMES = {
    UNKNOWN: Colour.UNKNOWN,
    GREEN: Colour.GREEN,
    YELLOW: Colour.YELLOW,
    RED: Colour.RED,
    CLOSED: Colour.CLOSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compact:
    """Writes the query of compact answers at one moment, over ``standing``."""

    part: "Compiled"
    asked: "Asked"

    @property
    def _dialect(self) -> Dialect:
        return self.part.engine.dialect

    def sql(self) -> str:
        """Return the query: COLUMNS, a row a person of the bucket, in no order that is promised."""
        dialect, at = self._dialect, micros(self.asked.at)
        now = dialect.field(dialect.first("s.steps"), "colour")
        change = dialect.first(dialect.filter("steps", "x", "x.colour <> colour"))
        edge = dialect.first(dialect.sort("own"))
        standing = f"SELECT s.*, {now} AS colour FROM standing s"
        ahead = f"SELECT *, {change} AS change, {edge} AS edge FROM ({standing}) c"
        change_at = dialect.field("change", "t")
        told = (
            f"SELECT p, colour, least(edge, {change_at}) AS valid_until, {change_at} AS next_at, "
            f"{dialect.field('change', 'colour')} AS next_colour, closed, "
            f"{self._segments()} AS segments FROM ({ahead}) a"
        )
        base = self.part.bases[self.asked.known]
        following = base.change(at)
        null = dialect.null(BIGINT)
        next_at, next_colour = (
            (dialect.big(following[0]), dialect.big(following[1])) if following else (null, null)
        )
        here = "t.p IS NOT NULL"
        colour = f"coalesce(t.colour, {dialect.big(base.colour(at))})"
        after = f"CASE WHEN {here} THEN t.next_colour ELSE {next_colour} END"
        return (
            f"SELECT n.person, n.subject, {self._named(colour)} AS colour, "
            f"CASE WHEN {here} THEN t.valid_until ELSE {next_at} END AS valid_until, "
            f"CASE WHEN {here} THEN t.next_at ELSE {next_at} END AS next_at, "
            f"{self._named(after)} AS next_colour, "
            f"nullif(t.closed, {dialect.big(NEVER)}) AS closed_at, c.sampled_at, "
            f"coalesce(t.segments, {self._base_segments(at)}) AS segments "
            f"FROM people_of_bucket n LEFT JOIN ({told}{self._alone()}) t ON t.p = n.person "
            f"LEFT JOIN ({self._sampled()}) c ON c.p = n.person"
        )

    def _alone(self) -> str:
        """Return what is told of those who have one piece, to be added to what is told of others.

        Nothing needs to be found in lists for them: the piece begins, and it ends.
        """
        base, dialect = self.part.only_base(), self._dialect
        if base is None:
            return ""
        at, under = dialect.big(micros(self.asked.at)), dialect.big(base)
        begun, open_ = f"s <= {at}", f"e = {dialect.big(NEVER)}"
        first = (
            f"SELECT p, s, e, -c AS colour, phase, {self._named('-c')} AS colour_named, "
            f"{self._pack('pack')} AS pack_named, {self._rule('rule')} AS rule_named, "
            f"CASE WHEN s > {at} THEN s WHEN e < {dialect.big(NEVER)} THEN e END AS valid_until "
            f"FROM alone a WHERE {ALONE} AND e > {at}"
        )

        def own(start: str) -> str:
            names = {"colour": "colour_named", "pack": "pack_named", "rule": "rule_named"}
            return dialect.struct({"from_at": start, **names, "phase": "phase"})

        def listed(*items: str) -> str:
            return dialect.list_of(items, self._segment_type())

        null = dialect.null(BIGINT)
        now, later = own(null), own("s")
        before, after = self._base_segment(null, base), self._base_segment("e", base)
        return (
            f" UNION ALL SELECT p, CASE WHEN {begun} THEN colour ELSE {under} END AS colour, "
            f"valid_until, CASE WHEN colour <> {under} THEN valid_until END AS next_at, "
            f"CASE WHEN valid_until IS NULL OR colour = {under} THEN NULL "
            f"WHEN {begun} THEN {under} ELSE colour END AS next_colour, "
            f"{dialect.big(NEVER)} AS closed, "
            f"CASE WHEN {begun} AND {open_} THEN {listed(now)} "
            f"WHEN {begun} THEN {listed(now, after)} "
            f"WHEN {open_} THEN {listed(before, later)} "
            f"ELSE {listed(before, later, after)} END AS segments FROM ({first}) a"
        )

    def _pack(self, value: str) -> str:
        return self._among(value, [queries.pack.key for queries in self.part.packs])

    def _rule(self, value: str) -> str:
        return self._among(value, self.part.rules)

    def _among(self, value: str, names: list[str]) -> str:
        """Return the name of a number."""
        cases = " ".join(
            f"WHEN {number} THEN {self._dialect.text(name)}" for number, name in enumerate(names)
        )
        if not cases:
            return self._dialect.null(self._dialect.text_type)
        return f"CASE {value} {cases} END"

    def _named(self, colour: str) -> str:
        cases = " ".join(
            f"WHEN {number} THEN {self._dialect.text(name.value)}"
            for number, name in _NAMES.items()
        )
        return f"CASE {colour} {cases} END"

    def _segment_type(self) -> str:
        text = self._dialect.text_type
        return self._dialect.struct_type(
            {"from_at": BIGINT, "colour": text, "pack": text, "rule": text, "phase": BIGINT}
        )

    def _segments(self) -> str:
        """Return the steps by name; the first one is what holds at the moment, since ever."""
        dialect = self._dialect
        at = dialect.big(micros(self.asked.at))
        segment = dialect.struct(
            {
                "from_at": f"CASE WHEN x.t > {at} THEN x.t END",
                "colour": self._named("x.colour"),
                "pack": self._pack("x.pack"),
                "rule": self._rule("x.rule"),
                "phase": "CASE WHEN x.phase >= 0 THEN x.phase END",
            }
        )
        return dialect.transform("steps", "x", segment)

    def _base_segments(self, at: int) -> str:
        """Return the segments of everybody who has no measure."""
        dialect = self._dialect
        base = self.part.bases[self.asked.known]
        last = base.colour(at)
        items = [self._base_segment(dialect.null(BIGINT), last)]
        for start, colour in base.steps:
            if start > at and colour != last:
                items.append(self._base_segment(dialect.big(start), colour))
                last = colour
        return dialect.list_of(items, self._segment_type())

    def _base_segment(self, start: str, colour: int) -> str:
        dialect = self._dialect
        null = dialect.null(dialect.text_type)
        return dialect.struct(
            {
                "from_at": start,
                "colour": dialect.text(_NAMES[colour].value),
                "pack": null,
                "rule": null,
                "phase": dialect.null(BIGINT),
            }
        )

    def _sampled(self) -> str:
        """Return when the newest negative test was sampled, of the facts that count now."""
        pack = self.part.epochs[self.asked.span].pack
        source = "facts_now"
        if pack is not None and pack.rankings:
            source = f"facts_{self.part.number(pack)}"
        at = "least(coalesce(f.p_sampled_at, f.occurred_at), f.occurred_at)"
        return (
            f"SELECT f.p, max({at}) AS sampled_at FROM {source} f "
            f"WHERE {kinds_are(('lab.result',), 'f')} AND f.p_value = 'neg' GROUP BY f.p"
        )
