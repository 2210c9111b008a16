"""Compact answers as SQL: one row a person, with the segments from the moment on."""
# ruff: noqa: S608 - every part of the SQL is ours; texts go through Dialect.text

from dataclasses import dataclass
from typing import TYPE_CHECKING

from passlight.city.columns import micros
from passlight.city.dialect import BIGINT, NEVER, Dialect
from passlight.city.sql.filters import kinds_are
from passlight.city.sql.standing import CLOSED, GREEN, RED, UNKNOWN, YELLOW
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
        """Return the query: COLUMNS, ordered by person."""
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
            f"FROM people_of_bucket n LEFT JOIN ({told}) t ON t.p = n.person "
            f"LEFT JOIN ({self._sampled()}) c ON c.p = n.person ORDER BY n.person"
        )

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
        dialect, text = self._dialect, self._dialect.text_type
        packs = [queries.pack.key for queries in self.part.packs]

        def named(value: str, names: list[str]) -> str:
            cases = " ".join(
                f"WHEN {number} THEN {dialect.text(name)}" for number, name in enumerate(names)
            )
            return f"CASE {value} {cases} END" if cases else dialect.null(text)

        at = dialect.big(micros(self.asked.at))
        segment = dialect.struct(
            {
                "from_at": f"CASE WHEN x.t > {at} THEN x.t END",
                "colour": self._named("x.colour"),
                "pack": named("x.pack", packs),
                "rule": named("x.rule", self.part.rules),
                "phase": "CASE WHEN x.phase >= 0 THEN x.phase END",
            }
        )
        return dialect.transform("steps", "x", segment)

    def _base_segments(self, at: int) -> str:
        """Return the segments of everybody who has no measure."""
        dialect = self._dialect
        base = self.part.bases[self.asked.known]
        steps = [(None, base.colour(at)), *(step for step in base.steps if step[0] > at)]
        items: list[str] = []
        for start, colour in steps:
            items.append(
                dialect.struct(
                    {
                        "from_at": dialect.null(BIGINT) if start is None else dialect.big(start),
                        "colour": dialect.text(_NAMES[colour].value),
                        "pack": dialect.null(dialect.text_type),
                        "rule": dialect.null(dialect.text_type),
                        "phase": dialect.null(BIGINT),
                    }
                )
            )
        return dialect.list_of(items, self._segment_type())

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
