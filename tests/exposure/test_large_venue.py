"""A venue with a million visits: the work follows what is found, not windows × visits."""

import numpy as np
import pytest

from passlight.city.duckdb_engine import DuckEngine
from passlight.city.trace import FOUND, WINDOWS, TraceTables, trace_windows
from passlight.city.trace_sql import Bounds, bins_sql, keyed_sql

MINUTE = 60_000_000
VISITS = 1_000_000
WINDOW_COUNT = 200
DAYS = 14
TABLES = TraceTables(visits="visits")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    engine = DuckEngine(temporary=tmp_path_factory.mktemp("spill"), threads=2)
    span = DAYS * 1440 * MINUTE
    # Spread evenly by a multiplication that is no period of anything; 5 to 124 minutes each,
    # and one in a thousand overnight or longer.
    engine.keep(
        "visits",
        f"SELECT concat('p', i) AS subject, 'station' AS venue, '' AS zone, t AS entered_at, "
        f"t + CASE WHEN i % 1000 = 0 THEN 1200 ELSE 5 + i % 120 END * {MINUTE} AS left_at "
        f"FROM (SELECT i, CAST(i * 7919 % {VISITS} AS BIGINT) * {span // VISITS} AS t "
        f"FROM range({VISITS}) r(i))",
    )
    engine.keep(
        WINDOWS,
        "SELECT concat('c', i) AS case_id, concat('p', i) AS subject, 'station' AS venue, "
        f"'' AS zone, t AS begun, t + {30 * MINUTE} AS direct_until, t + {60 * MINUTE} AS ended "
        f"FROM (SELECT i, CAST(i AS BIGINT) * {span // WINDOW_COUNT} AS t "
        f"FROM range({WINDOW_COUNT}) r(i))",
    )
    yield engine
    engine.close()


def count(engine, sql):
    [[(number,)]] = list(engine.rows(sql))
    return number


def joined(engine, keys):
    """Return how many pairs a join on ``keys`` looks at before it compares any time."""
    engine.keep("binned", bins_sql(engine.dialect, WINDOWS, 0))
    keyed = keyed_sql(engine.dialect, TABLES, Bounds(since=-1, until=2**60), 0)
    same = " AND ".join(f"w.{key} = v.{key}" for key in keys)
    windows = "binned" if "bin" in keys else f"(SELECT * FROM {WINDOWS} LIMIT 10)"
    return count(engine, f"SELECT count(*) FROM {windows} w JOIN ({keyed}) v ON {same}")


def test_a_million_visits_in_one_venue(engine):
    traced = trace_windows(engine, TABLES, minutes_min=0)
    # Counted another way: who came before a window's end, less who left before its beginning.
    times = engine.connection.execute("SELECT entered_at, left_at FROM visits").fetchnumpy()
    edges = engine.connection.execute(f"SELECT begun, ended FROM {WINDOWS}").fetchnumpy()
    came = np.searchsorted(np.sort(times["entered_at"]), edges["ended"], side="left")
    left = np.searchsorted(np.sort(times["left_at"]), edges["begun"], side="right")
    overlaps = int((came - left).sum())
    own = count(
        engine,
        f"SELECT count(*) FROM {WINDOWS} w JOIN visits v ON v.subject = w.subject "
        "AND v.entered_at < w.ended AND w.begun < v.left_at",
    )
    assert traced.exposures == overlaps - own > 100 * WINDOW_COUNT
    # Nobody twice.
    assert count(engine, f"SELECT count(*) FROM (SELECT DISTINCT * FROM {FOUND})") == overlaps - own
    # Between one and three pairs looked at for one that is found, however many visits there are.
    looked = joined(engine, ("venue", "zone", "level", "bin"))
    assert overlaps <= looked <= 3 * overlaps
    # The control: without bins every window meets every visit; ten windows are enough to see it.
    assert joined(engine, ("venue", "zone")) == 10 * VISITS
    assert 50 * looked < WINDOW_COUNT * VISITS
