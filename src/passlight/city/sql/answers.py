"""Answers as SQL: what everybody is told at each moment asked about, in full or compact."""
# ruff: noqa: S608 - every part of the SQL is ours; texts go through Dialect.text

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from passlight.city.dialect import BIGINT, Dialect
from passlight.city.sql.filters import passes
from passlight.city.sql.packs import PackQueries
from passlight.city.sql.points import NEED_FIELDS
from passlight.city.sql.stages import Stages, Statement
from passlight.city.sql.standing import kid_of

_SHOWN = ("rule", "phase", "pack", "strict", "mstart", "mend", "t1", "t2")
_BADGE = ("form", "granted_at", "waiver", "which", "until")
BADGE, WAIVER = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Writes what is told; ``packs`` are those of the spans, ``times`` the times of knowledge."""

    dialect: Dialect
    packs: Sequence[PackQueries]
    times: int

    def statements(self) -> Iterator[Statement]:
        """Yield the statements of full answers; the query of them is ``full``."""
        yield Statement("answers", self._answers(), kept=True)
        yield Statement("shown", self._shown(), kept=True)
        yield Statement("badges_all", self._badges(), kept=True)

    def _moments_of(self, p: str) -> str:
        return f"JOIN moments m ON m.kid = {kid_of(self.dialect, p, self.times)}"

    def _answers(self) -> str:
        dialect = self.dialect
        now = dialect.last(dialect.filter("s.steps", "x", "x.t <= m.t"))
        at = (
            f"SELECT m.moment, m.t, s.p, s.own, s.steps, {dialect.field(now, 'colour')} AS colour "
            f"FROM standing s {self._moments_of('s.p')}"
        )
        change = dialect.first(dialect.filter("steps", "x", "x.t > t AND x.colour <> colour"))
        edge = dialect.first(dialect.sort(dialect.filter("own", "x", "x > t")))
        ahead = f"SELECT moment, p, colour, {change} AS change, {edge} AS edge FROM ({at}) a"
        change_at = dialect.field("change", "t")
        return (
            f"SELECT moment, p, colour, least(edge, {change_at}) AS valid_until, "
            f"{change_at} AS change_at, {dialect.field('change', 'colour')} AS change_colour "
            f"FROM ({ahead}) h"
        )

    def _shown(self) -> str:
        """Return the query of the measures in force at each moment, by person."""
        dialect = self.dialect
        fields = {name: f"a.{name}" for name in (*_SHOWN, "closing", "needs")}
        types = dict.fromkeys(_SHOWN, BIGINT)
        types["closing"] = dialect.list_type(BIGINT)
        types["needs"] = dialect.list_type(dialect.struct_type(NEED_FIELDS))
        item = dialect.collect(dialect.struct(fields), None, dialect.struct_type(types))
        holds = dialect.size(dialect.filter("a.pieces", "x", "x.s <= m.t AND m.t < x.e"))
        return (
            f"SELECT m.moment, a.p, {item} AS measures FROM measures_all a "
            f"{self._moments_of('a.p')} AND m.span = a.span "
            f"WHERE a.mstart <= m.t AND m.t < a.mend AND {holds} > 0 GROUP BY m.moment, a.p"
        )

    def facts_shown(self) -> str:
        """Return the query of the ids of the facts of what is shown: number, id."""
        each = self.dialect.each("measures")
        measures = f"SELECT {each} AS x FROM shown"
        closing = f"SELECT {self.dialect.each('x.closing')} AS fact FROM ({measures}) c"
        numbers = f"SELECT x.t1 AS fact FROM ({measures}) t UNION {closing}"
        return (
            "SELECT DISTINCT f.fact, f.fact_id FROM facts_now f "
            f"WHERE f.fact IN (SELECT fact FROM ({numbers}) n WHERE fact >= 0)"
        )

    def _badges(self) -> str:
        """Return the query of the marks of packs and waivers at each moment, by person."""
        parts = [part for queries in self.packs for part in self._badges_of(queries)]
        dialect = self.dialect
        types = dialect.struct_type(dict.fromkeys(_BADGE, BIGINT))
        item = dialect.collect(dialect.struct({name: name for name in _BADGE}), None, types)
        if not parts:
            null = dialect.null(BIGINT)
            empty = dialect.list_of([], types)
            return f"SELECT {null} AS moment, {null} AS p, {empty} AS badges WHERE FALSE"
        found = " UNION ALL ".join(parts)
        together = f"SELECT moment, p, {item} AS badges FROM ({found}) b GROUP BY moment, p"
        return f"SELECT moment, p, {dialect.sort('badges')} AS badges FROM ({together}) s"

    def _badges_of(self, queries: PackQueries) -> Iterator[str]:
        dialect, number = self.dialect, self.dialect.big
        for place, badge in enumerate(queries.pack.badges):
            stages = Stages(
                f"SELECT m.moment, f.p, m.t, f.occurred_at FROM facts_now f "
                f"JOIN moments m ON m.kid = f.kid AND f.occurred_at <= m.t "
                f"WHERE m.pack = {queries.number} AND {passes(dialect, badge.filter, 'f')}"
            )
            until = queries.calendar.add("occurred_at", badge.within, stages.let)
            each = stages.select(f"moment, p, t, {until} AS until")
            yield (
                f"SELECT moment, p, {number(BADGE)} AS form, {number(0)} AS granted_at, "
                f"{number(0)} AS waiver, {number(place)} AS which, max(until) AS until "
                f"FROM ({each}) e GROUP BY moment, p, t HAVING max(until) > t"
            )
        if queries.pack.waivers:
            waivers = queries.waivers
            holds = dialect.size(dialect.filter("a.pieces", "x", "x.s <= m.t AND m.t < x.e"))
            yield (
                f"SELECT DISTINCT m.moment, a.p, {number(WAIVER)} AS form, w.granted_at, w.waiver, "
                f"w.permission AS which, w.e AS until FROM measures_all a "
                f"JOIN {waivers.name} w ON w.p = a.p {self._moments_of('a.p')} "
                f"AND m.span = a.span WHERE m.pack = {queries.number} "
                f"AND a.mstart <= m.t AND m.t < a.mend AND {holds} = 0 "
                f"AND w.s <= m.t AND m.t < w.e AND {waivers.applies('w', 'a')}"
            )

    def full(self) -> str:
        """Return the query of everybody at every moment, in the order of the lines."""
        own = f"n.person * {self.dialect.big(self.times)} + m.kid"
        return (
            "SELECT m.moment, n.subject, a.colour, a.valid_until, a.change_at, a.change_colour, "
            "s.measures, b.badges FROM people_of_bucket n CROSS JOIN moments m "
            f"LEFT JOIN answers a ON a.moment = m.moment AND a.p = {own} "
            f"LEFT JOIN shown s ON s.moment = m.moment AND s.p = {own} "
            f"LEFT JOIN badges_all b ON b.moment = m.moment AND b.p = {own} "
            "ORDER BY m.moment, n.person"
        )
