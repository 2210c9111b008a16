"""The comparison must be able to fail: each bug seeded into either evaluator shows a difference.

A bug of the set-based side is one piece of its SQL written otherwise; that the piece was there to
be changed is asserted. A bug of the person's side is one of those that the scenarios have to find
(tests/scenarios/test_seeded_bugs.py). What is compared against is the other evaluator, unharmed.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from passlight.city.duckdb_engine import DuckEngine
from passlight.city.evaluate import told_lines
from passlight.city.load import load_facts
from passlight.city.store import Store
from tests.city.differential import differences, person_lines, schedule
from tests.city.generator import Moment, World, make_world
from tests.scenarios import test_seeded_bugs as persons

PEOPLE, MOMENTS = 90, 24
SEEDS = (3, 4, 5, 6)


@dataclass(frozen=True)
class Wrong:
    """One piece of SQL (a regular expression) and what is written in its place."""

    name: str
    schedule: str
    piece: str
    instead: str


LATER = r"AND k\.k < coalesce\(f\.superseded_at, CAST\(\d+ AS BIGINT\)\)"
WRONG = [
    Wrong(
        "known-a-moment-late", "shanghai-2020-02", r"f\.recorded_at <= k\.k", "f.recorded_at < k.k"
    ),
    Wrong("superseded-a-moment-late", "shanghai-2020-02", r"k\.k < coalesce\(", "k.k <= coalesce("),
    Wrong("retractions-ignored", "shanghai-2020-02", LATER, ""),
    Wrong("closed-end", "shanghai-2020-02", r"x\.s <= i AND i < x\.e", "x.s <= i AND i <= x.e"),
    Wrong("open-start", "shanghai-2020-02", r"x\.s <= i AND i < x\.e", "x.s < i AND i < x.e"),
    Wrong("since-excludes", "shanghai-2020-02", r"x\.measured >= (\w+)", r"x.measured > \1"),
    Wrong("own-kind-included", "test:positives", r"x\.measured > (\w+)\)", r"x.measured >= \1)"),
    Wrong("gap-excludes", "test:positives", r"x\.measured < a\.mark", "x.measured <= a.mark"),
    Wrong("gap-forgotten", "test:positives", r"x\.measured < a\.mark", "FALSE"),
    Wrong("reset-forgotten", "test:positives", r"x\.resets = 1 THEN", "x.resets = 7 THEN"),
    Wrong(
        "missed-day-forgiven", "test:days-in-a-row", r"x\.mark <> a\.mark \+", "x.mark < a.mark +"
    ),
    Wrong(
        "same-day-restarts",
        "test:days-in-a-row",
        r"a\.n > 0 AND x\.mark = a\.mark THEN",
        "FALSE THEN",
    ),
    Wrong(
        "counts-when-sampled",
        "jiangsu-2021",
        r"greatest\(coalesce\((\w+\.p_sampled_at, \w+\.\w+)\), \w+\.occurred_at\)",
        r"coalesce(\1)",
    ),
    Wrong("lookback-dropped", "test:lookback", r"w\.s <= f\.o_reach", "w.s <= f.o_departed"),
    Wrong("delisted-still-counts", "test:first", r"f\.o_departed < w\.e", "f.o_departed <= w.e"),
    Wrong("coarse-areas-colour", "jiangsu-2021", r"WHERE NOT inside AND", "WHERE"),
    Wrong(
        "stay-closed-end",
        "jiangsu-2021",
        r"c\.until_at\) AS o_end",
        "c.until_at) + 1000000 AS o_end",
    ),
    Wrong(
        "no-cap-on-yellow",
        "jiangsu-2021",
        r"\((v\d+_) IS NOT NULL AND \((\w+) IS NULL OR \2 > \1\)\)",
        "FALSE",
    ),
    Wrong(
        "manual-never-expires",
        "shanghai-2020-02",
        r"THEN f\.p_expires_at END",
        "THEN CAST(NULL AS BIGINT) END",
    ),
    Wrong("only-plain-manual", "shanghai-2020-02", r"OR starts_with\(f\.source, 'manual:'\)", ""),
    Wrong(
        "best-source-is-the-last", "test:ranked-positives", r"o\.rank > c\.best", "o.rank = c.best"
    ),
    Wrong(
        "contradiction-ignored",
        "test:ranked-positives",
        r"HAVING min\(told\) <> max\(told\)",
        "HAVING FALSE",
    ),
    Wrong(
        "floor-forgets-its-mark",
        "test:weekly-test",
        r"x\.t <= floor",
        "x.t < floor - 999999999999999",
    ),
    Wrong("waiver-has-no-limit", "jiangsu-2021", r"least\(g\.until, g\.longest\)", "g.until"),
    Wrong(
        "waiver-suspends-all-phases",
        "jiangsu-2021",
        r"h\.phase = -2 OR h\.phase = m\.phase",
        "TRUE",
    ),
    Wrong(
        "waiver-suspends-all-facts",
        "jiangsu-2021",
        r"\(h\.fact = -?\d+ OR h\.fact = ",
        "(TRUE OR h.fact = ",
    ),
    Wrong("closed-a-moment-late", "shanghai-2020-02", r"i >= closed", "i > closed"),
    Wrong(
        "dated-releases-early",
        "shanghai-2020-02",
        r"AS releases_0",
        "- CASE WHEN dated THEN 86400000000 ELSE 0 END AS releases_0",
    ),
    Wrong(
        "kept-though-over",
        "change:jiangsu-keep-late",
        r"(WHERE mstart < CAST\(\d+ AS BIGINT\)) AND mend > CAST\(\d+ AS BIGINT\)",
        r"\1",
    ),
    Wrong(
        "starts-are-not-told",
        "change:jiangsu-convert",
        r"WHEN a\.mend >= CAST\(\d+ AS BIGINT\) THEN a\.mstart",
        "",
    ),
    Wrong(
        "ends-are-not-told",
        "change:jiangsu-convert",
        r"ELSE a\.mend END AS mend",
        "ELSE m.mend END AS mend",
    ),
    Wrong(
        "linked-stay-apart",
        "shanghai-2020-02",
        r"a\.member = l\.person",
        "a.member = l.person AND a.member = a.person",
    ),
    Wrong(
        "the-past-is-changed",
        "test:shortened-convert",
        r"CASE WHEN (\w+) < (CAST\(\d+ AS BIGINT\)) THEN \2 ELSE \1 END",
        r"\1",
    ),
]


class WrongEngine(DuckEngine):
    """DuckDB, asked something else."""

    def __init__(self, wrong: Wrong) -> None:
        super().__init__(threads=1)
        self.wrong = wrong
        self.changed = 0

    def _other(self, sql: str) -> str:
        written, times = re.subn(self.wrong.piece, self.wrong.instead, sql)
        self.changed += times
        return written

    def view(self, name: str, sql: str) -> None:
        super().view(name, self._other(sql))

    def keep(self, name: str, sql: str) -> None:
        super().keep(name, self._other(sql))

    def rows(self, sql: str, *, batch: int = 10_000) -> Iterator[list[tuple[object, ...]]]:
        return super().rows(self._other(sql), batch=batch)


@dataclass
class Bench:
    """A world in both forms, and what the unharmed evaluators say of it."""

    world: World
    store: Store
    person: list[tuple[Moment, list[bytes]]]
    city: list[tuple[Moment, bytes]]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Bench]:
    """Return a world by the name of its packs and its seed, made once."""
    made: dict[tuple[str, int], Bench] = {}

    def of(name: str, seed: int) -> Bench:
        key = (name, seed)
        if key not in made:
            world = make_world(
                schedule(name), people=PEOPLE, seed=seed, moments=MOMENTS, knowledge=5
            )
            folder = tmp_path_factory.mktemp("world") / "store"
            store = load_facts(enumerate(world.facts), folder, persons=world.book.persons).store
            city = list(_told(DuckEngine(threads=1), store, world))
            made[key] = Bench(world, store, list(person_lines(world)), city)
        return made[key]

    return of


def _told(engine: DuckEngine, store: Store, world: World) -> Iterator[tuple[Moment, bytes]]:
    try:
        for moment, _, line in told_lines(engine, store, world.schedule, world.moments):
            yield moment, line
    finally:
        engine.close()


def _flat(told: list[tuple[Moment, list[bytes]]]) -> list[tuple[Moment, bytes]]:
    return [(moment, line) for moment, lines in told for line in lines]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda one: one.name)
def test_a_bug_in_the_sql_shows(wrong: Wrong, bench: Callable[[str, int], Bench]) -> None:
    for seed in SEEDS:
        made = bench(wrong.schedule, seed)
        assert made.city == _flat(made.person), "unharmed, both say the same"
        engine = WrongEngine(wrong)
        found = list(_told(engine, made.store, made.world))
        assert engine.changed, f"{wrong.name}: that piece of SQL is nowhere"
        if found != made.city:
            return
    pytest.fail(f"{wrong.name} survived")


#: In which packs a bug of the person's side can show, where it is not the first two.
WHERE = {
    "gap_a_minute_short": ("test:positives", "test:ranked-positives", "test:guangdong-2022"),
    "gap_a_minute_long": ("test:positives", "test:ranked-positives", "test:guangdong-2022"),
    "parameters_never_change": ("test:shortened-convert", "test:lengthened-convert"),
    "ends_in_the_past": ("test:shortened-convert",),
    "old_packs_are_kept": ("change:town-keep", "change:jiangsu-keep-late"),
    "day_fourteen_included": ("test:calendar-days",),
    "calendar_days_are_24_hours": ("test:calendar-days-berlin",),
    "lookback_dropped": ("test:lookback",),
    "silence_is_ignored": ("test:stale-unknown",),
    "best_source_is_the_last": ("test:ranked-positives",),
    "missed_days_are_forgiven": ("test:days-in-a-row",),
    "two_on_a_day_are_two_days": ("test:days-in-a-row",),
    "two_on_a_day_start_again": ("test:days-in-a-row",),
    "days_are_those_of_utc": ("test:days-in-a-row",),
    "a_dated_day_is_the_next": ("test:days-in-a-row",),
}


@pytest.mark.parametrize("bug", persons.BUGS, ids=lambda one: one.__name__)
def test_a_bug_in_the_person_evaluator_shows(
    bug: Callable[[pytest.MonkeyPatch], None], bench: Callable[[str, int], Bench]
) -> None:
    for seed in SEEDS:
        for name in WHERE.get(bug.__name__, ("jiangsu-2021", "test:positives")):
            made = bench(name, seed)
            with pytest.MonkeyPatch.context() as patch:
                bug(patch)
                _, told = differences(made.world, made.city, most=1)
            if told:
                return
    pytest.fail(f"{bug.__name__} survived")
