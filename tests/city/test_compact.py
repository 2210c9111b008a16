"""Compact answers against the person evaluator's timeline: colours, segments, ends, last test.

The oracle is ``core.status`` and, for the sampling of tests, the office's own definition.
"""

from pathlib import Path

import duckdb
import pytest

from passlight.city.columns import micros
from passlight.city.duckdb_engine import DuckEngine
from passlight.city.evaluate import evaluate_compact
from passlight.city.load import load_facts
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import evaluate
from passlight.core.status.freshness import deliveries_of
from tests.city.differential import CHANGES, pack
from tests.city.generator import Moment, World, make_world

SCHEDULES = {
    "jiangsu-2021": lambda: PackSchedule.only(pack("jiangsu-2021")),
    "weekly-test": lambda: PackSchedule.only(pack("weekly-test")),
    "stale-unknown": lambda: PackSchedule.only(pack("stale-unknown")),
    "town-keep": lambda: PackSchedule.of(CHANGES["town-keep"]()),
    "town-convert": lambda: PackSchedule.of(CHANGES["town-convert"]()),
}


def wanted(world: World, moment: Moment) -> list[dict[str, object]]:
    """Return what the person evaluator says of everybody, in the columns of the compact form."""
    at, known_at = moment
    book = world.book
    areas = AreaHistory.of(book.area_facts, world.schedule.area_codes)
    deliveries = deliveries_of(book.source_facts) or None
    clusters = book.clusters(known_at)
    rows: list[dict[str, object]] = []
    for person, subject in enumerate(sorted(book.persons)):
        members = clusters.get(subject, frozenset((subject,)))
        line = evaluate(
            world.schedule,
            book.versions(sorted(members)),
            areas=areas,
            known_at=known_at,
            subject=subject,
            members=members,
            deliveries=deliveries,
        )
        status = line.status(at)
        change = status.next_change
        segments = [
            (
                micros(one.start) if one.start is not None else None,
                one.colour.value,
                one.reason,
            )
            for one in line.segments(at)
        ]
        rows.append(
            {
                "person": person,
                "subject": subject,
                "colour": status.colour.value,
                "valid_until": micros(status.valid_until) if status.valid_until else None,
                "next_at": micros(change.at) if change else None,
                "next_colour": change.colour.value if change else None,
                "closed_at": micros(line.closed_at) if line.closed_at else None,
                "segments": segments,
            }
        )
    return rows


def given(files: list[Path]) -> list[dict[str, object]]:
    names = [str(path) for path in files]
    found = duckdb.connect().execute("FROM read_parquet(?) ORDER BY person", [names])
    columns = [one[0] for one in found.description]
    rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    for row in rows:
        row.pop("sampled_at")
        row["segments"] = [
            (
                one["from_at"],
                one["colour"],
                f"{one['pack']}/{one['rule']}/{one['phase']}" if one["rule"] else None,
            )
            for one in row["segments"]
        ]
    return rows


@pytest.mark.parametrize("name", SCHEDULES)
def test_compact_rows_are_the_timeline_of_each_person(name: str, tmp_path: Path) -> None:
    world = make_world(SCHEDULES[name](), people=30, seed=11, moments=5, knowledge=3)
    # Small buckets: nobody may be lost between them, whoever is linked to whom.
    store = load_facts(
        enumerate(world.facts), tmp_path / "store", persons=world.book.persons, people_a_bucket=16
    ).store
    assert store.manifest.buckets > 1
    engine = DuckEngine(threads=1)
    for number, (at, known_at) in enumerate(world.moments):
        out = tmp_path / f"out-{number}"
        files = evaluate_compact(
            engine, store, world.schedule, at=at, known_at=known_at, out_folder=out
        )
        assert given(files) == wanted(world, (at, known_at))
    engine.close()


def test_a_broken_off_run_goes_on_and_another_question_starts_anew(tmp_path: Path) -> None:
    world = make_world(SCHEDULES["weekly-test"](), people=30, seed=3, moments=2, knowledge=1)
    store = load_facts(
        enumerate(world.facts), tmp_path / "store", persons=world.book.persons, people_a_bucket=8
    ).store
    engine = DuckEngine(threads=1)
    out = tmp_path / "out"
    (at, _), (later, _) = world.moments

    class KilledError(Exception):
        pass

    done = 0

    def kill(people: int) -> None:
        nonlocal done
        done += people
        if done >= 16:
            raise KilledError

    ask = {"known_at": None, "out_folder": out}
    with pytest.raises(KilledError):
        evaluate_compact(engine, store, world.schedule, at=at, progress=kill, **ask)  # type: ignore[arg-type]
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.parquet")}
    assert len(before) == 2
    files = evaluate_compact(engine, store, world.schedule, at=at, **ask)  # type: ignore[arg-type]
    assert {path: path.stat().st_mtime_ns for path in before} == before, "kept, not made again"
    assert given(files) == wanted(world, (at, None))
    files = evaluate_compact(engine, store, world.schedule, at=later, **ask)  # type: ignore[arg-type]
    assert given(files) == wanted(world, (later, None)), "another moment is another question"
    engine.close()
