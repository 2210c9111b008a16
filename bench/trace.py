"""Tracing in seconds, beside a bare reading of the row groups that it has to read.

Visits lie in Parquet, a file a day, sorted by venue and time. Venues are skewed: the largest has
one visit in two hundred, which is a million of 200 million. A trace finds the visits of the cases
(a column of subjects, whole) and whoever shared a zone with them (all columns, where the venue
and the time can match); the bare reading does the same two scans and only sums what it sees.

    .venv/bin/python -m bench trace                        a small form
    .venv/bin/python -m bench.trace --visits 200000000     the whole: 3 GB of disk, removed after

Seconds are those of the wall; a ratio is of processor time, so that a neighbour's load falls on
neither side. ``--keep DIR`` leaves the visits there and finds them again.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from bench.row import Row
from passlight.city.duckdb_engine import DuckEngine
from passlight.city.trace import WINDOWS, Traced, find_windows, told, trace_windows
from passlight.city.trace_sql import TraceTables

DAYS = 14
VENUES = 100_000
# The largest venue has 100,000 ** (-1 / SKEW) of all visits: one in 200.
SKEW = 2.173
VISITS_A_PERSON = 8
SECOND = 1_000_000
DAY = 86_400 * SECOND
ORIGIN = 19_052 * DAY  # 2022-03-01
INFECTIOUS_DAYS = 6
CASES = (1, 100, 10_000)
SHORT_VISITS_A_SECOND = 1_000_000
GROUP = 122_880


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of the wall and of processors."""

    wall: float
    cpu: float

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.wall + other.wall, self.cpu + other.cpu)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One trace: what it found and what it cost, and the bare reading beside it."""

    cases: int
    windows: int
    exposures: int
    people: int
    steps: dict[str, Spent]
    bare: Spent
    peak_mb: float

    @property
    def whole(self) -> Spent:
        return sum(self.steps.values(), Spent(0, 0))


def chance(salt: int) -> str:
    """Return SQL for a number in [0, 1) that depends on the row alone."""
    return f"(hash(i * 8 + {salt}) % 4294967296 / 4294967296.0)"


def make_day(engine: DuckEngine, folder: Path, day: int, *, visits: int, people: int) -> None:
    first = day * visits
    begin = (
        f"{ORIGIN + day * DAY} + CAST({6 * 3600} + {chance(2)} * {16 * 3600} AS BIGINT) * {SECOND}"
    )
    query = f"""
        SELECT concat('p', hash(i * 8) % {people}) AS subject, concat('v', rank) AS venue,
            CASE WHEN rank % 3 = 1 THEN concat('z', hash(i * 8 + 4) % 4) ELSE '' END AS zone,
            entered_at,
            entered_at + CAST(300 + pow({chance(3)}, 2) * 7200 AS BIGINT) * {SECOND} AS left_at
        FROM (SELECT i, CAST(floor({VENUES} * pow({chance(1)}, {SKEW})) AS INTEGER) AS rank,
            {begin} AS entered_at FROM range({first}, {first + visits}) r(i))
        ORDER BY venue, entered_at"""
    target = folder / f"day-{day:02}.parquet"
    if target.exists():
        return
    part = folder / "part"
    engine.connection.execute("SET preserve_insertion_order = true")
    engine.connection.execute(
        f"COPY ({query}) TO '{part}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {GROUP})"
    )
    part.rename(target)


def make(folder: Path, visits: int) -> list[Path]:
    """Write the visits and return the files."""
    engine = DuckEngine(temporary=folder / "spill", memory="6GB")
    for day in tqdm(range(DAYS), desc="days", disable=None, file=sys.stderr):
        make_day(engine, folder, day, visits=visits // DAYS, people=people_of(visits))
    engine.close()
    return sorted(folder.glob("day-*.parquet"))


def people_of(visits: int) -> int:
    return max(20, visits // VISITS_A_PERSON)


def clock(work: Callable[[], object]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def high_water() -> float:
    """Return the most memory this process had since ``forget_high_water``, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def forget_high_water() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def one(engine: DuckEngine, sql: str) -> tuple[int, ...]:
    [row] = [row for batch in engine.rows(sql) for row in batch]
    return row


def bare(engine: DuckEngine) -> Spent:
    """Return the time of reading what a trace to the kept windows must read."""
    low, high = one(engine, "SELECT min(infectious_from), max(isolated_at) FROM cases")
    begun, ended = one(engine, f"SELECT min(begun), max(ended) FROM {WINDOWS}")
    engine.keep("venues", f"SELECT DISTINCT venue FROM {WINDOWS}")
    engine.keep("people", "SELECT DISTINCT subject FROM cases")
    # The same filters as the trace has, pushed down in the same way, and nothing but sums.
    subjects = (
        "SELECT count(*), sum(entered_at), sum(left_at) FROM visits JOIN people USING (subject) "
        f"WHERE left_at > {low} AND entered_at < {high}"
    )
    places = (
        "SELECT count(*), max(subject), max(zone), sum(entered_at), sum(left_at) FROM visits v "
        f"JOIN venues USING (venue) WHERE left_at > {begun} AND entered_at < {ended}"
    )
    return clock(lambda: one(engine, subjects)) + clock(lambda: one(engine, places))


def measure(files: list[Path], cases: int, *, visits: int, rounds: int) -> Measured:
    """Trace so many cases; the round whose trace was the median of all is told."""
    folder = files[0].parent
    tables = TraceTables(visits="visits", cases="cases")
    engine = DuckEngine(temporary=folder / "spill", memory="8GB")
    engine.register_parquet("visits", files)
    spread = DAYS - INFECTIOUS_DAYS
    engine.keep(
        "cases",
        f"SELECT concat('p', hash(i + 1000) % {people_of(visits)}) AS subject, "
        "concat('c', i) AS case_id, "
        f"begin AS infectious_from, begin + {INFECTIOUS_DAYS * DAY} AS isolated_at FROM (SELECT i, "
        f"{ORIGIN} + CAST(hash(i + 7) % {spread} AS BIGINT) * {DAY} AS begin "
        f"FROM range({cases}) r(i))",
    )
    found: list[Measured] = []
    for _ in range(rounds):
        forget_high_water()
        traced: list[Traced] = []
        steps = {
            "windows": partial(find_windows, engine, tables, linger_minutes=30),
            "exposures": lambda into=traced: into.append(
                trace_windows(engine, tables, minutes_min=10)
            ),
            "sorted and written": lambda: engine.copy(told(engine), folder / "found.parquet"),
        }
        spent = {name: clock(step) for name, step in steps.items()}
        peak = high_water()
        found.append(
            Measured(
                cases=cases,
                windows=traced[0].windows,
                exposures=traced[0].exposures,
                people=traced[0].people,
                steps=spent,
                bare=bare(engine) if traced[0].windows else spent["windows"],
                peak_mb=peak,
            )
        )
    engine.close()
    return sorted(found, key=lambda one: one.whole.cpu)[len(found) // 2]


def rows_of(measured: Measured, visits: int) -> Iterator[Row]:
    name = f"trace {measured.cases:,} cases, {visits:,} visits"
    yield Row(
        name=name,
        value=measured.whole.wall,
        unit="s",
        compared_with=f"reading what must be read ({measured.bare.wall:.2f} s)",
        ratio=measured.whole.cpu / measured.bare.cpu,
    )
    for step, spent in measured.steps.items():
        yield Row(name=f"{name}: {step}", value=spent.wall, unit="s")
    yield Row(name=f"{name}: found", value=max(1, measured.exposures), unit="exposures")
    yield Row(name=f"{name}: peak memory", value=measured.peak_mb, unit="MB")


def measure_all(folder: Path, visits: int, cases: tuple[int, ...], *, rounds: int) -> Iterator[Row]:
    files = make(folder, visits)
    size = sum(file.stat().st_size for file in files)
    yield Row(name="visits on disk", value=size / 1e6, unit="MB")
    yield Row(name="visits of the largest venue", value=count_largest(files), unit="visits")
    for count in cases:
        yield from rows_of(measure(files, count, visits=visits, rounds=rounds), visits)


def count_largest(files: list[Path]) -> int:
    engine = DuckEngine()
    engine.register_parquet("visits", files)
    (number,) = one(engine, "SELECT max(n) FROM (SELECT count(*) AS n FROM visits GROUP BY venue)")
    engine.close()
    return number


def run(seconds: float) -> list[Row]:
    """Return the figures of a small form; ``seconds`` decides how many visits there are."""
    visits = max(DAYS * 1000, int(seconds * SHORT_VISITS_A_SECOND))
    with tempfile.TemporaryDirectory(prefix="passlight-trace-") as scratch:
        return list(measure_all(Path(scratch), visits, (1, 100), rounds=1))


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.trace", description=__doc__)
    parser.add_argument("--visits", type=int, default=2_000_000)
    parser.add_argument("--cases", type=int, nargs="+", default=list(CASES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="where the visits are, or are left")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="passlight-trace-") as scratch:
        folder = asked.keep or Path(scratch)
        for row in measure_all(folder, asked.visits, tuple(asked.cases), rounds=asked.rounds):
            ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
            print(
                f"| {row.name} | {row.value:,.4g} {row.unit} | {row.compared_with} | {ratio} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
