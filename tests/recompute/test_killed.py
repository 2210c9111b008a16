"""A switch whose processes are killed ends in the same state as one that was left alone.

Real processes: the worker, and the evaluating process that it starts; either is killed at some
moment, while facts go on landing. What is expected is the evaluator of one person for everybody,
and the rows of a run that nobody disturbed. ``PASSLIGHT_FAULTS=long`` kills at least ten times.
"""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from passlight.office.statuses.models import Heartbeat, Publication, Switch
from passlight.office.statuses.publishing import Publisher
from passlight.runtime.clock import SystemClock
from passlight.runtime.settings import child_environment
from tests.recompute.town import by_person, follow, newest_rows, served
from tests.statuses.cast import confirmed, land, one_rule, people, put_in_force, registered
from tests.statuses.moments import HandClock, fact

LONG = os.environ.get("PASSLIGHT_FAULTS") == "long"
KILLS, PEOPLE, BUCKETS = (14, 300, 30) if LONG else (2, 40, 4)
SECONDS = 400 if LONG else 120


def worker():
    return subprocess.Popen(
        [sys.executable, "-m", "passlight.office.statuses.worker"],
        env=child_environment(),
        stderr=subprocess.DEVNULL,
    )


def evaluating(process):
    """The numbers of the processes that a worker started."""
    try:
        return [
            int(n)
            for n in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        ]
    except FileNotFoundError:
        return []


def switched():
    beat = Heartbeat.objects.get()
    return beat.packs_seq == 2 and beat.sweep_ordinal < 0


@pytest.mark.fault
@pytest.mark.serial
def test_killed_at_any_moment_it_ends_in_the_same_state(city, monkeypatch):
    clock = HandClock(SystemClock().now().replace(microsecond=0) - timedelta(hours=1))
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "1000000")
    monkeypatch.setenv("PASSLIGHT_CITY_BUCKET", str(PEOPLE // BUCKETS))
    persons = people(PEOPLE)
    put_in_force(one_rule("1", "red"), clock)
    registered(persons, clock)
    land(*[confirmed(one, clock.moment) for one in persons[: PEOPLE // 2]], clock=clock)
    follow(Publisher(clock))
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "0")
    put_in_force(one_rule("2", "yellow"), SystemClock(), effective_from=None)
    chance = random.Random(7)
    running, ends, killed = None, time.monotonic() + SECONDS, []
    for kill in range(KILLS):
        running = running or worker()
        # In the export and the first buckets, and then further on each time.
        goal = max(0, kill - 6) * BUCKETS // KILLS if LONG else kill
        while True:
            row = Switch.objects.filter(state="running").first()
            if row is not None and row.bucket >= goal and evaluating(running):
                break
            if switched() or time.monotonic() > ends:
                break
            time.sleep(0.002)
        if switched():
            break
        time.sleep(chance.random() * (1.0 if goal == 0 else 0.1))
        # First the process that evaluates, then the worker with it, and so on in turns.
        if kill % 2 == 0 and evaluating(running):
            os.kill(evaluating(running)[0], signal.SIGKILL)
        else:
            os.kill(running.pid, signal.SIGKILL)
            running.wait()
            running = None
        killed.append(Switch.objects.get().bucket)
        person = persons[chance.randrange(PEOPLE // 2)]
        out = fact(
            f"out:{kill}",
            "case.discharged",
            person.facts_key,
            clock.moment,
            case_id=str(person.ordinal),
        )
        land(out, clock=clock)
    if running is None and not switched():
        running = worker()
    while not switched():
        assert time.monotonic() < ends, Switch.objects.values()
        time.sleep(0.02)
    until = Heartbeat.objects.get().fact_seq
    if running is not None:  # the last kill may have come after the last bucket
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == 0
    assert len(killed) >= (10 if LONG else 1), "control: it was killed, and not only at the end"
    assert Switch.objects.get().state == "done"
    follow(Publisher(SystemClock()))
    now = SystemClock().now()
    assert served(now) == by_person(now)
    assert until <= Heartbeat.objects.get().fact_seq
    rows = Publication.objects.filter(packs_seq=2)
    repeated = rows.count() - rows.values("ordinal", "segments").distinct().count()
    assert repeated == 0, "what was published before a kill is not published again"
    assert len(newest_rows()) == PEOPLE
