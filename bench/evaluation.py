"""Per-person evaluation in µs, beside a bare loop that only sorts and walks the same facts.

A person has five facts: an arrival from a listed area, a suspicion that became a confirmation,
a discharge, a negative test; parsed already, as they lie in the log. Evaluating is the whole
timeline and the status at one instant. All loops run in this process, in turn, several times;
the ratio says what the rules cost on top of touching the facts at all. ``from its first day``
is the same pack in a schedule, as an office runs it. ``machine code`` is the same sources as a
server's package has them (``make wheel``), in a process of its own that takes its own bare loop.

    .venv/bin/python -m bench evaluation
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from bench.row import Row
from passlight.core.facts.fact import Fact, Op
from passlight.core.facts.form import fact_line, parse_line
from passlight.core.facts.history import fact_order
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.load import load_pack
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status import evaluate as evaluate_module
from passlight.core.status.evaluate import evaluate
from passlight.core.status.status import Status
from passlight.runtime.packs import read_pack_folder, shipped_packs

Work = tuple[Callable[[Any], object], list[Any]]
ROOT = Path(__file__).parents[1]
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


def taken(seconds: float) -> dict[str, float]:
    """Return the median µs a person of each work, in this process."""
    people = [person(number) for number in range(500)]
    lines = [[fact_line(one) for one in facts] for facts in people]
    works: dict[str, Work] = {"bare": (bare, people), "parse": (read, lines)}
    for name in PACKS:
        pack = load_pack(read_pack_folder(shipped_packs() / name))
        works[name] = (evaluator(PackSchedule.only(pack)), people)
        works[f"{name}, from its first day"] = (evaluator(PackSchedule.of([pack])), people)
    return timed(works, seconds=2 * seconds)


def taken_compiled(seconds: float) -> dict[str, float] | None:
    """Return the same for the package with machine code, made when it is not there.

    None where it cannot be made; why stands on standard error.
    """
    made = subprocess.run(
        [ROOT / "tools" / "wheel.sh"],
        env={**os.environ, "WHEEL_PYTHON": sys.executable},
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    if made.returncode:
        return None
    unpacked = ROOT / Path(made.stdout.strip()).parent / "unpacked"
    done = subprocess.run(
        [sys.executable, "-m", "bench.evaluation", str(seconds)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{unpacked}:{ROOT}"},
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def run(seconds: float) -> list[Row]:
    """Return the figures; ``seconds`` is how long those of one process are taken together."""
    found = taken(seconds)
    rows = [
        Row(name="sort and walk five facts", value=found["bare"], unit="µs/person"),
        Row(name="parse five fact lines", value=found["parse"], unit="µs/person"),
    ]
    for how, figures in (("", found), (", machine code", taken_compiled(seconds) or {})):
        rows.extend(
            Row(
                name=f"evaluate a person, {name}{how}",
                value=figures[name],
                unit="µs/person",
                compared_with="sorting and walking the same five facts",
                ratio=figures[name] / figures["bare"],
            )
            for name in list(figures)[2:]
        )
    return rows


if __name__ == "__main__":
    assert evaluate_module.__file__.endswith((".so", ".pyd")), "this is not the compiled package"
    print(json.dumps(taken(float(sys.argv[1]))))
