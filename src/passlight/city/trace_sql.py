# ruff: noqa: S608 - every text here is ours; names of tables are the only thing put in
"""The SQL of a trace, written once for every engine: windows, their bins, and the pairs.

A visit belongs to one level by its length and to one bin of that level by its start. A window is
spread over the bins in which a visit of each level must begin to overlap it. So the join is an
equality on venue, zone, level and bin: its work follows the visits that begin near a window, never
windows × visits of a venue; every visit is found once, however long it stayed.
"""

from dataclasses import dataclass
from typing import Final

from passlight.city.columns import micros
from passlight.city.dialect import NEVER, Dialect
from passlight.core.kernel.limits import FACT_EARLIEST, FACT_LATEST

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
_EVERYTHING: Final = micros(FACT_LATEST) - micros(FACT_EARLIEST)

#: The longest stay of each level; the last takes whatever there is.
SIZES: Final = (15 * MINUTE, HOUR, 4 * HOUR, 16 * HOUR, 64 * HOUR, 1024 * HOUR, _EVERYTHING)
#: From how long on a window starts at a coarser level, so that it never has very many bins.
_SPREAD: Final = 64
#: The levels at which windows start; between them there are few enough bins anyway.
STARTS: Final = (0, 3, 5, 6)
# No instant is negative after this, which is what whole quotients need.
_SHIFT: Final = _EVERYTHING - micros(FACT_EARLIEST)
_SHIFT_DAYS: Final = _SHIFT // DAY + 1

COLUMNS: Final = (
    *("case_id", "subject", "venue", "zone", "from", "until"),
    *("minutes", "direct_minutes", "lingering_minutes"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The span of time that any case or window touches, as microseconds: what else to skip."""

    since: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceTables:
    """The names of what a trace reads.

    ``visits``: subject, venue, zone, entered_at, left_at, and certain_until when ``certain``.
    ``cases``: case_id, subject, infectious_from, isolated_at (NULL: not yet isolated).
    ``zones``: venue, zone, ventilation (0, 1, 2), each once; others have 1.
    ``apart``: case_subject, subject: households, known by their relation.
    """

    visits: str
    cases: str | None = None
    zones: str | None = None
    apart: str | None = None
    certain: bool = False


def windows_sql(dialect: Dialect, tables: TraceTables, bounds: Bounds, linger_minutes: int) -> str:
    """Return the query of the windows: every case visit, cut to the infectious time."""
    sure = ", v.certain_until" if tables.certain else ""
    factor = "coalesce(z.ventilation, 1)" if tables.zones else dialect.big(1)
    zones = (
        f"LEFT JOIN {tables.zones} z ON z.venue = v.venue AND z.zone = v.zone"
        if tables.zones
        else ""
    )
    cut = f"""
        SELECT c.case_id, c.subject, v.venue, v.zone{sure}, {factor} AS ventilation,
            greatest(v.entered_at, c.infectious_from) AS begun,
            least(v.left_at, coalesce(c.isolated_at, {dialect.big(NEVER)})) AS direct_until
        FROM {tables.visits} v JOIN {tables.cases} c ON v.subject = c.subject {zones}
        WHERE v.left_at > {dialect.big(bounds.since)}
            AND v.entered_at < {dialect.big(bounds.until)}"""
    most = dialect.big(linger_minutes * MINUTE)
    if not tables.certain:
        return f"""
        SELECT case_id, subject, venue, zone, begun, direct_until,
            direct_until + ventilation * least(direct_until - begun, {most}) AS ended
        FROM ({cut}) WHERE begun < direct_until"""
    known = "greatest(begun, least(direct_until, certain_until))"
    return f"""
        SELECT case_id, subject, venue, zone, begun, direct_until,
            direct_until + ventilation * least(direct_until - begun, {most}) AS ended,
            {known} + ventilation * least({known} - begun, {most}) AS certain_until
        FROM ({cut}) WHERE begun < direct_until"""


def first_level_sql(dialect: Dialect) -> str:
    """Return the level at which a window of ``begun`` and ``ended`` starts."""
    steps = " ".join(
        f"WHEN ended - begun <= {dialect.big(SIZES[level] * _SPREAD)} THEN {level}"
        for level in STARTS[:-1]
    )
    return f"CASE {steps} ELSE {STARTS[-1]} END"


def bins_sql(dialect: Dialect, windows: str, start: int) -> str:
    """Return the query of the windows of one first level, a row for each bin to look into.

    A visit of a level is at most ``SIZES[level]`` long, so one that overlaps a window begins
    less than that before it and before its end.
    """
    parts = []
    for level in range(start, len(SIZES)):
        size = SIZES[level]
        low = dialect.quotient(f"begun + {dialect.big(_SHIFT + 1 - size)}", size)
        high = dialect.quotient(f"ended + {dialect.big(_SHIFT - 1)}", size)
        bins = dialect.each(dialect.series(low, high))
        parts.append(
            f"SELECT w.*, {dialect.big(level)} AS level, {bins} AS bin "
            f"FROM {windows} w WHERE {first_level_sql(dialect)} = {start}"
        )
    return " UNION ALL ".join(parts)


def keyed_sql(dialect: Dialect, tables: TraceTables, bounds: Bounds, start: int) -> str:
    """Return the query of the visits near any window, each with its one level and bin."""
    stay = "left_at - entered_at"
    levels = range(start, len(SIZES) - 1)
    last = len(SIZES) - 1
    level = " ".join(
        f"WHEN {stay} <= {dialect.big(SIZES[n])} THEN {dialect.big(n)}" for n in levels
    )
    shifted = f"entered_at + {dialect.big(_SHIFT)}"
    bins = " ".join(
        f"WHEN {stay} <= {dialect.big(SIZES[n])} THEN {dialect.quotient(shifted, SIZES[n])}"
        for n in levels
    )
    ends = f"{dialect.big(last)}", dialect.quotient(shifted, SIZES[last])
    level, bins = (
        f"CASE {steps} ELSE {end} END" if steps else end
        for steps, end in zip((level, bins), ends, strict=True)
    )
    sure = ", certain_until" if tables.certain else ""
    return f"""
        SELECT subject, venue, zone, entered_at, left_at{sure}, {level} AS level, {bins} AS bin
        FROM {tables.visits}
        WHERE left_at > {dialect.big(bounds.since)} AND entered_at < {dialect.big(bounds.until)}"""


def pairs_sql(
    dialect: Dialect, tables: TraceTables, binned: str, keyed: str, *, minutes_min: int
) -> str:
    """Return the query of the exposures: every pair of a window and a visit that share a zone.

    ``keyed`` is a query. Where the certain part of a stay is known, the threshold looks at it
    and at nothing else.
    """
    sure = ", least(w.certain_until, v.certain_until) AS certain_until" if tables.certain else ""
    counted = "least(ended, certain_until)" if tables.certain else "ended"
    apart = (
        f"""AND NOT EXISTS (SELECT 1 FROM {tables.apart} a
            WHERE a.case_subject = p.case_subject AND a.subject = p.subject)"""
        if tables.apart
        else ""
    )
    pairs = f"""
        SELECT w.case_id, w.subject AS case_subject, v.subject, v.venue, v.zone,
            greatest(w.begun, v.entered_at) AS begun, least(w.ended, v.left_at) AS ended,
            least(w.direct_until, v.left_at) AS direct_until{sure}
        FROM {binned} w JOIN ({keyed}) v
            ON w.venue = v.venue AND w.zone = v.zone AND w.level = v.level AND w.bin = v.bin
        WHERE v.entered_at < w.ended AND w.begun < v.left_at
            AND (w.subject IS NULL OR w.subject <> v.subject)"""
    minutes, direct, certain = (
        dialect.quotient(f"greatest({dialect.big(0)}, {end} - begun)", MINUTE)
        for end in ("ended", "direct_until", counted)
    )
    return f"""
        SELECT case_id, subject, venue, zone, begun, ended, {minutes} AS minutes,
            {direct} AS direct_minutes, {certain} AS certain_minutes
        FROM ({pairs}) p
        WHERE ended > begun AND {certain} >= {dialect.big(minutes_min)} {apart}"""


def told_sql(dialect: Dialect, found: str) -> str:
    """Return the query of the columns of a trace, in its order, with times as texts in UTC."""
    return f"""
        SELECT case_id, subject, venue, zone, {_written(dialect, "begun")} AS from,
            {_written(dialect, "ended")} AS until, minutes, direct_minutes,
            minutes - direct_minutes AS lingering_minutes
        FROM {found}
        ORDER BY case_id, subject, begun, venue, zone, ended, minutes, direct_minutes"""


def _written(dialect: Dialect, instant: str) -> str:
    """Return an instant as ISO 8601 in UTC; parts of a second only where there are any."""
    shifted = f"({instant} + {dialect.big(_SHIFT_DAYS * DAY)})"
    day = f"{dialect.quotient(shifted, DAY)} - {dialect.big(_SHIFT_DAYS)}"
    clock = ", ':', ".join(
        _digits(f"({dialect.quotient(shifted, unit)} % {dialect.big(turn)})", 2)
        for unit, turn in ((HOUR, 24), (MINUTE, 60), (SECOND, 60))
    )
    micro = f"({shifted} % {dialect.big(SECOND)})"
    part = f"CASE WHEN {micro} = 0 THEN '' ELSE concat('.', {_digits(micro, 6)}) END"
    return f"concat({dialect.date_of(day)}, 'T', {clock}, {part}, '+00:00')"


def _digits(number: str, width: int) -> str:
    return f"right(concat('{'0' * (width - 1)}', {number}), {width})"
