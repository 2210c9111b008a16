"""Fairness and speed in one simulated outbreak: what a result, an error and a release cost people.

Each figure is of the simulated world, not of this machine, and the same on every one; only the
last row is timed. The world grows with ``seconds``.
"""

import tempfile
import time
from pathlib import Path

from bench.row import Row
from passlight.simulation.outbreak.checks import check_world
from passlight.simulation.outbreak.loop import run_outbreak
from passlight.simulation.outbreak.measures import measure
from passlight.simulation.outbreak.setting import Setting
from passlight.simulation.outbreak.unguarded import infections_unguarded

PEOPLE_A_SECOND, PEOPLE_MIN, PEOPLE_MAX = 1_000, 240, 4_000
DAYS_SHORT, DAYS = 16, 40


def run(seconds: float) -> list[Row]:
    """Run, check and measure one world."""
    people = int(min(PEOPLE_MAX, max(PEOPLE_MIN, seconds * PEOPLE_A_SECOND)))
    setting = Setting(seed=3, people=people, days=DAYS if seconds >= 1 else DAYS_SHORT)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.process_time()
        world = run_outbreak(setting, Path(folder))
        spent = time.process_time() - begun
        findings = check_world(world)
        begun = time.process_time()
        unguarded = infections_unguarded(setting)
        bare = time.process_time() - begun
        found = measure(world, findings, unguarded=unguarded)
    wrong = sum(one.wrong for one in findings)
    assert wrong == 0, "a world that is wrong has nothing to say about fairness"
    refusal, contact = (
        found["result_to_refusal_seconds"],
        found["confirmed_to_contact_coloured_minutes"],
    )
    infected = len(world.disease.truth)
    return [
        Row(name="result recorded → refusal possible, p99", value=refusal["p99"], unit="s"),
        Row(name="case recorded → contact coloured, p50", value=contact["p50"], unit="min"),
        Row(
            name="people-days in red",
            value=found["red_people_days"],
            unit="days",
            compared_with="of these, false by the truth",
            ratio=found["false_red_share"],
        ),
        Row(
            name="people-days in yellow of people not infected",
            value=found["unnecessary_yellow_people_days"],
            unit="days",
            compared_with="all people-days in yellow",
            ratio=found["unnecessary_yellow_people_days"] / max(1, found["yellow_people_days"]),
        ),
        Row(
            name="receipts reproduced to the byte",
            value=found["receipts"],
            unit="receipts",
            compared_with="all receipts",
            ratio=found["receipts_reproduced_share"],
        ),
        Row(
            name="infected with colours",
            value=infected,
            unit="people",
            compared_with="without them",
            ratio=infected / max(1, found["infected_unguarded"]),
        ),
        Row(
            name=f"outbreak of {people:,} people, {setting.days} days, with the product",
            value=spent,
            unit="CPU-s",
            compared_with="the same town without it",
            ratio=spent / max(bare, 1e-9),
        ),
    ]
