"""Where everybody stands as SQL: the colour from each instant on, and what is ahead.

``steps`` of a person begin at the earliest instant asked about: at each instant at which anything
may change, the colour and the strongest measure. People with no measure and no closed code are
not among them: they all have the colour of the base.
"""
# ruff: noqa: S608 - every part of the SQL is ours; texts go through Dialect.text

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from passlight.city.dialect import BIGINT, NEVER, Dialect
from passlight.city.sql.calendar import Calendar
from passlight.city.sql.filters import kinds_are
from passlight.city.sql.stages import Statement

UNKNOWN, GREEN, YELLOW, RED, CLOSED = range(5)
_CLOSING = ("person.deceased", "code.closed")
_STEP = ("t", "colour", "pack", "rule", "phase")
# The first four are the order of the file format: red first, from, rule, phase.
_HELD = ("c", "since", "rule", "phase", "pack", "s", "e", "first_edge", "last_edge")


# Who is alone: of ``alone a``, those with one piece and no closed code.
ALONE = "pieces = 1 AND NOT EXISTS (SELECT 1 FROM closed_all o WHERE o.p = a.p)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Writes the statements between ``measures_all`` and the answers.

    ``closing`` gives the calendar of the days of a closing fact: (before which instant, which),
    the last one without a limit. ``base`` is the one colour of the base, None when it changes;
    ``merged`` is True when pieces of one measure may touch; ``apart`` leaves those who have one
    piece and no closed code out of ``standing``: the reader takes them from ``alone``.
    ``whole`` is True when every measure is its own one piece.
    """

    dialect: Dialect
    closing: Sequence[tuple[int, Calendar | None]]
    times: int
    since: int
    base: int | None
    merged: bool
    apart: bool
    whole: bool

    def statements(self) -> Iterator[Statement]:
        """Yield the statements; the last one keeps ``standing``."""
        yield Statement("pieces_all", self._pieces(), kept=False)
        yield Statement("closed_all", self._closed(), kept=True)
        if self.base is None:
            yield Statement("standing", self._standing("pieces_all"), kept=True)
            return
        # Most people have one piece at most, and nothing to be weighed against it.
        yield Statement("alone", self._alone(), kept=True)
        more = (
            "SELECT x.* FROM pieces_all x WHERE x.p IN (SELECT p FROM alone WHERE pieces > 1 "
            "UNION SELECT p FROM closed_all)"
        )
        everybody = self._standing(f"({more})")
        if not self.apart:
            everybody += f" UNION ALL {self._standing_alone(self.base)}"
        yield Statement("standing", everybody, kept=True)

    def _alone(self) -> str:
        one = ", ".join(f"max({name}) AS {name}" for name in _HELD)
        return f"SELECT p, count(*) AS pieces, {one} FROM pieces_all GROUP BY p"

    def _standing_alone(self, base: int) -> str:
        """Return where everybody stands who has one piece and no closed code."""
        dialect, big = self.dialect, self.dialect.big
        since, never, none = big(self.since), big(NEVER), big(-1)

        def step(at: str, *, covered: bool) -> str:
            own = {"colour": "-c", "pack": "pack", "rule": "rule", "phase": "phase"}
            under = {"colour": big(base), "pack": none, "rule": none, "phase": none}
            return dialect.struct({"t": at, **(own if covered else under)})

        def listed(*steps: str) -> str:
            return dialect.list_of(steps, dialect.struct_type(dict.fromkeys(_STEP, BIGINT)))

        now, before = step(since, covered=True), step(since, covered=False)
        begun, over = step("s", covered=True), step("e", covered=False)
        cases = {
            f"e <= {since}": listed(before),
            f"s <= {since} AND e < {never}": listed(now, over),
            f"s <= {since}": listed(now),
            f"e < {never}": listed(before, begun, over),
        }
        written = " ".join(f"WHEN {case} THEN {steps}" for case, steps in cases.items())
        edges = dialect.list_of(["first_edge", "last_edge"], BIGINT)
        ahead = dialect.filter(edges, "x", f"x > {since} AND x < {never}")
        return (
            f"SELECT p, {ahead} AS own, {never} AS closed, "
            f"CASE {written} ELSE {listed(before, begun)} END AS steps FROM alone a WHERE {ALONE}"
        )

    def _pieces(self) -> str:
        """Return the query of the pieces; an edge at which nothing begins or ends is NEVER."""
        dialect = self.dialect
        spread = (
            "SELECT p, -strict AS c, mstart AS since, rule, phase, pack, t1, t2, "
            f"{dialect.each('pieces')} AS x FROM measures_all"
        )
        flat = (
            "SELECT p, c, since, rule, phase, pack, t1, t2, x.s AS s, x.e AS e "
            f"FROM ({spread}) a WHERE x.s < x.e"
        )
        if self.whole:
            flat = (
                "SELECT p, -strict AS c, mstart AS since, rule, phase, pack, t1, t2, mstart AS s, "
                "mend AS e FROM measures_all WHERE mstart < mend"
            )
        if not self.merged:
            return f"SELECT *, s AS first_edge, e AS last_edge FROM ({flat}) f"
        names = ("c", "since", "pack", "s", "e")
        type_ = dialect.struct_type(dict.fromkeys(names, BIGINT))
        item = dialect.struct({name: name for name in names})
        together = (
            f"SELECT p, rule, phase, {dialect.collect(item, None, type_)} AS own FROM ({flat}) f "
            "GROUP BY p, rule, phase, t1, t2"
        )
        each = f"SELECT *, {dialect.each('own')} AS x FROM ({together}) g"
        never = dialect.big(NEVER)
        goes_on = dialect.size(dialect.filter("own", "q", "q.s < x.s AND q.e >= x.s"))
        follows = dialect.size(dialect.filter("own", "q", "q.s <= x.e AND q.e > x.e"))
        return (
            "SELECT p, x.c AS c, x.since AS since, rule, phase, x.pack AS pack, x.s AS s, "
            "x.e AS e, "
            f"CASE WHEN {goes_on} > 0 THEN {never} ELSE x.s END AS first_edge, "
            f"CASE WHEN {follows} > 0 THEN {never} ELSE x.e END AS last_edge FROM ({each}) o"
        )

    def _closed(self) -> str:
        """Return when codes close; a date is a day of the pack in force then, or of the next."""
        at = "f.occurred_at"
        cases = ""
        last = at
        for before, calendar in self.closing:
            start = calendar.begins_at("f") if calendar is not None else at
            if before < NEVER:
                cases += f" WHEN {at} < {self.dialect.big(before)} THEN {start}"
            else:
                last = start
        begins = f"CASE{cases} ELSE {last} END" if cases else last
        return (
            f"SELECT f.p, min({begins}) AS closed FROM facts_few f "
            f"WHERE {kinds_are(_CLOSING, 'f')} GROUP BY f.p"
        )

    def _standing(self, pieces: str) -> str:
        dialect, never = self.dialect, self.dialect.big(NEVER)
        held_type = dialect.struct_type(dict.fromkeys(_HELD, BIGINT))
        item = dialect.struct({name: name for name in _HELD})
        held = (
            f"SELECT p, {dialect.collect(item, None, held_type)} AS held FROM {pieces} l GROUP BY p"
        )
        both = (
            f"SELECT coalesce(h.p, c.p) AS p, "
            f"{dialect.sort(f'coalesce(h.held, {dialect.list_of([], held_type)})')} AS held, "
            f"coalesce(c.closed, {never}) AS closed "
            f"FROM ({held}) h FULL JOIN closed_all c ON c.p = h.p"
        )
        based = (
            f"SELECT s.*, b.steps AS base FROM ({both}) s JOIN base_steps b "
            f"ON b.kid = {self._kid('s.p')}"
        )
        edges = dialect.concat(
            [
                dialect.transform("held", "x", "x.first_edge"),
                dialect.transform("held", "x", "x.last_edge"),
                dialect.list_of(["closed"], BIGINT),
            ]
        )
        ahead = (
            f"SELECT p, held, closed, base, {dialect.filter(edges, 'x', self._ahead('x'))} AS own "
            f"FROM ({based}) b"
        )
        base_edges = dialect.filter(dialect.transform("base", "x", "x.t"), "y", self._ahead("y"))
        first = dialect.list_of([dialect.big(self.since)], BIGINT)
        every = dialect.sort(dialect.distinct(dialect.concat([first, "own", base_edges])))
        instants = f"SELECT p, held, closed, base, own, {every} AS instants FROM ({ahead}) a"
        top = dialect.first(dialect.filter("held", "x", "x.s <= i AND i < x.e"))
        under = dialect.field(dialect.last(dialect.filter("base", "b", "b.t <= i")), "colour")
        seen = dialect.struct(
            {
                "t": "i",
                "top": top,
                "base": f"CASE WHEN i >= closed THEN {dialect.big(CLOSED)} ELSE {under} END",
            }
        )
        every_seen = dialect.transform("instants", "i", seen)
        looked = f"SELECT p, own, closed, {every_seen} AS seen FROM ({instants}) n"
        none = dialect.big(-1)
        covered = f"x.base = {CLOSED} OR x.top IS NULL"
        step = dialect.struct(
            {
                "t": "x.t",
                "colour": f"CASE WHEN {covered} THEN x.base ELSE -x.top.c END",
                "pack": f"CASE WHEN {covered} THEN {none} ELSE x.top.pack END",
                "rule": f"CASE WHEN {covered} THEN {none} ELSE x.top.rule END",
                "phase": f"CASE WHEN {covered} THEN {none} ELSE x.top.phase END",
            }
        )
        every_step = dialect.transform("seen", "x", step)
        stepped = f"SELECT p, own, closed, {every_step} AS every_step FROM ({looked}) l"
        return f"SELECT p, own, closed, {self._apart()} AS steps FROM ({stepped}) e"

    def _apart(self) -> str:
        """Return the first step and those at which the colour or its reason becomes another."""
        dialect = self.dialect
        this, last = dialect.at("every_step", "i"), dialect.at("every_step", "i - 1")
        differs = " OR ".join(
            f"{dialect.field(this, name)} <> {dialect.field(last, name)}" for name in _STEP[1:]
        )
        places = dialect.series("CAST(2 AS BIGINT)", dialect.size("every_step"))
        first = dialect.list_of([dialect.big(1)], BIGINT)
        kept = dialect.concat([first, dialect.filter(places, "i", differs)])
        return dialect.transform(kept, "i", this)

    def _ahead(self, at: str) -> str:
        since, never = self.dialect.big(self.since), self.dialect.big(NEVER)
        return f"{at} > {since} AND {at} < {never} AND {at} <= closed"

    def _kid(self, p: str) -> str:
        return kid_of(self.dialect, p, self.times)


def kid_of(dialect: Dialect, p: str, times: int) -> str:
    """Return which time of knowledge is in a key ``p``."""
    if times == 1:
        return dialect.big(0)
    return f"({p} - {person_of(dialect, p, times)} * {dialect.big(times)})"


def person_of(dialect: Dialect, p: str, times: int) -> str:
    """Return who is in a key ``p``."""
    return p if times == 1 else dialect.quotient(p, times)
