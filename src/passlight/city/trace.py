# ruff: noqa: S608 - every text here is ours; names of tables are the only thing put in
"""Traces everyone at once: who shared a zone with a case or a published window, and how long.

The definition is ``passlight.core.exposure``; the exact contract is design.md 3. Works on any
engine; the caller has registered what ``TraceTables`` names.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from passlight.city.dialect import NEVER
from passlight.city.engine import Engine
from passlight.city.trace_sql import (
    STARTS,
    Bounds,
    TraceTables,
    bins_sql,
    first_level_sql,
    keyed_sql,
    pairs_sql,
    told_sql,
    windows_sql,
)

WINDOWS: Final = "trace_windows"
FOUND: Final = "trace_found"
_BINNED: Final = "trace_binned"

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """What a trace found: so many windows, exposures and people."""

    windows: int
    exposures: int
    people: int


def trace(
    engine: Engine,
    tables: TraceTables,
    *,
    linger_minutes: int,
    minutes_min: int,
    say: Say = lambda _step: None,
) -> Traced:
    """Find the exposures to the cases of ``tables`` and keep them as ``FOUND``.

    ``say`` is told of each step as it begins.
    """
    say("windows")
    find_windows(engine, tables, linger_minutes=linger_minutes)
    return trace_windows(engine, tables, minutes_min=minutes_min, say=say)


def find_windows(engine: Engine, tables: TraceTables, *, linger_minutes: int) -> None:
    """Keep the windows of the cases as ``WINDOWS``."""
    dialect = engine.dialect
    (since, until) = _one(
        engine,
        f"SELECT min(infectious_from), max(coalesce(isolated_at, {dialect.big(NEVER)})) "
        f"FROM {tables.cases}",
    )
    bounds = Bounds(since=since or 0, until=until or 0)
    engine.keep(WINDOWS, windows_sql(dialect, tables, bounds, linger_minutes))


def trace_windows(
    engine: Engine, tables: TraceTables, *, minutes_min: int, say: Say = lambda _step: None
) -> Traced:
    """Find the exposures to the windows kept as ``WINDOWS`` and keep them as ``FOUND``.

    A window has case_id, subject (NULL when published), venue, zone, begun, direct_until and
    ended; and certain_until when the visits have.
    """
    dialect = engine.dialect
    say("bins")
    (windows, since, until) = _one(
        engine,
        f"SELECT count(*), min(begun), max(ended) FROM {WINDOWS}",
    )
    bounds = Bounds(since=since or 0, until=until or 0)
    starts = [
        int(start)
        for batch in engine.rows(f"SELECT DISTINCT {first_level_sql(dialect)} FROM {WINDOWS}")
        for (start,) in batch
    ]
    queries = []
    for start in sorted(starts) or [STARTS[-1]]:
        binned = f"{_BINNED}_{start}"
        engine.keep(binned, bins_sql(dialect, WINDOWS, start))
        keyed = keyed_sql(dialect, tables, bounds, start)
        queries.append(pairs_sql(dialect, tables, binned, keyed, minutes_min=minutes_min))
    say("exposures")
    engine.keep(FOUND, " UNION ALL ".join(queries))
    for start in starts:
        engine.drop(f"{_BINNED}_{start}")
    (exposures, people) = _one(
        engine,
        f"SELECT count(*), count(DISTINCT subject) FROM {FOUND}",
    )
    return Traced(windows=int(windows), exposures=int(exposures), people=int(people))


def told(engine: Engine) -> str:
    """Return the query of what was found, in the columns and the order of a trace."""
    return told_sql(engine.dialect, FOUND)


def _one(engine: Engine, sql: str) -> tuple[int, ...]:
    [row] = [row for batch in engine.rows(sql) for row in batch]
    return row
