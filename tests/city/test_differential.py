"""The two evaluators agree on every byte, at boundaries and one second beside them.

Over every shipped pack, every pack of the scenarios, and changes from one pack to the next: more
than 100,000 points. The long form (``make soak``, PASSLIGHT_SOAK=200) takes four seeds and more
people: more than two million.
"""

import os
from pathlib import Path

import pytest

from passlight.city.duckdb_engine import DuckEngine
from passlight.city.evaluate import told_lines
from passlight.city.load import load_facts
from tests.city.differential import differences, schedule, schedules, shipped
from tests.city.generator import World, make_world

SOAK = int(os.environ.get("PASSLIGHT_SOAK", "0"))
SHIPPED = shipped()
PEOPLE, MOMENTS = (1_800, 48) if SOAK else (620, 24)


def city_lines(world: World, folder: Path) -> list[tuple[object, bytes]]:
    """Return what the set-based evaluator says of a world, on DuckDB."""
    store = load_facts(enumerate(world.facts), folder / "store", persons=world.book.persons).store
    engine = DuckEngine(threads=1)
    try:
        told = told_lines(engine, store, world.schedule, world.moments)
        return [(moment, line) for moment, _, line in told]
    finally:
        engine.close()


@pytest.mark.parametrize("seed", range(1, 1 + max(1, SOAK // 50)))
@pytest.mark.parametrize("name", schedules())
def test_both_evaluators_say_the_same(name: str, seed: int, tmp_path: Path) -> None:
    people, moments = (PEOPLE, MOMENTS) if name in SHIPPED else (40, 12)
    world = make_world(schedule(name), people=people, seed=seed, moments=moments, knowledge=5)
    points, told = differences(world, city_lines(world, tmp_path))
    assert not told, f"{name}, seed {seed}:\n" + "\n".join(told)
    # Nobody is left out: the worlds are as large as they say, but for moments drawn twice.
    assert points > people * moments * 0.8
