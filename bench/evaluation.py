"""Per-person evaluation in µs, beside a bare loop that only sorts and walks the same facts.

A person has five facts: an arrival from a listed area, a suspicion that became a confirmation,
a discharge, a negative test; parsed already, as they lie in the log. Evaluating is the whole
timeline and the status at one instant. All loops run in this process, in turn, several times;
the ratio says what the rules cost on top of touching the facts at all. ``from its first day``
is the same pack in a schedule, as an office runs it.

    .venv/bin/python -m bench evaluation
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from bench.row import Row
from passlight.core.facts.fact import Fact, Op
from passlight.core.facts.form import fact_line, parse_line
from passlight.core.facts.history import fact_order
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.load import load_pack
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import evaluate
from passlight.core.status.status import Status
from passlight.runtime.packs import read_pack_folder, shipped_packs

Work = tuple[Callable[[Any], object], list[Any]]
ORIGIN = datetime(2022, 4, 20, tzinfo=UTC)
NOW = ORIGIN + timedelta(days=12)
ROUNDS = 5
PACKS = ("shanghai-2020-02", "jiangsu-2021")


def fact(number: str, kind: str, subject: str, days: float, **payload: object) -> Fact:
    instant = ORIGIN + timedelta(days=days)
    return Fact(
        fact_id=number,
        ver=1,
        op=Op.ASSERT,
        kind=kind,
        subject=subject,
        occurred_at=instant,
        occurred_until=None,
        recorded_at=instant + timedelta(hours=1),
        source="bench",
        payload=payload,
    )


def person(number: int) -> list[Fact]:
    name = f"p-{number}"
    return [
        fact(f"{name}-a", "travel.arrived", name, number % 7, from_area="420106"),
        fact(f"{name}-s", "case.suspected", name, 2 + number % 5, case_id=name),
        fact(f"{name}-c", "case.confirmed", name, 3 + number % 5, case_id=name),
        fact(f"{name}-d", "case.discharged", name, 9 + number % 5, case_id=name),
        fact(f"{name}-t", "lab.result", name, 10, value="neg"),
    ]


def timed(works: dict[str, Work], *, seconds: float) -> dict[str, float]:
    """Return the median µs a person of each work, taken in alternating rounds.

    Processor time of this process: a neighbour's load falls on nobody's figure.
    """
    rounds: dict[str, list[float]] = {name: [] for name in works}
    until = time.process_time() + seconds
    while time.process_time() < until or len(rounds["bare"]) < ROUNDS:
        for name, (run, people) in works.items():
            start = time.process_time()
            for facts in people:
                run(facts)
            rounds[name].append((time.process_time() - start) / len(people) * 1e6)
    return {name: median(found) for name, found in rounds.items()}


def bare(facts: list[Fact]) -> datetime | None:
    """Sort the same facts and walk them once: the least that any evaluator does."""
    last = None
    for one in sorted(facts, key=fact_order):
        if one.occurred_at <= NOW:
            last = one.occurred_at
    return last


def read(lines: list[bytes]) -> list[Fact]:
    return [parse_line(line) for line in lines]


def evaluator(schedule: PackSchedule) -> Callable[[list[Fact]], Status]:
    listings = [
        fact(f"l-{level}", "area.listed", "area:420100", -60, area="420100", level=level)
        for level in ("key", "high")
    ]
    areas = AreaHistory.of(listings)
    return lambda facts: evaluate(schedule, facts, areas=areas).status(NOW)


def run(seconds: float) -> list[Row]:
    """Return the figures; ``seconds`` is how long they are taken together."""
    people = [person(number) for number in range(500)]
    lines = [[fact_line(one) for one in facts] for facts in people]
    works: dict[str, Work] = {"bare": (bare, people), "parse": (read, lines)}
    for name in PACKS:
        pack = load_pack(read_pack_folder(shipped_packs() / name))
        works[name] = (evaluator(PackSchedule.only(pack)), people)
        works[f"{name}, from its first day"] = (evaluator(PackSchedule.of([pack])), people)
    found = timed(works, seconds=2 * seconds)
    rows = [
        Row(name="sort and walk five facts", value=found["bare"], unit="µs/person"),
        Row(name="parse five fact lines", value=found["parse"], unit="µs/person"),
    ]
    rows.extend(
        Row(
            name=f"evaluate a person, {name}",
            value=found[name],
            unit="µs/person",
            compared_with="sorting and walking the same five facts",
            ratio=found[name] / found["bare"],
        )
        for name in list(works)[2:]
    )
    return rows
