"""kill -9 of ``passlight feed`` while it lands rows: the next run ends in the same state.

The control is the same file in an installation where nothing is killed.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from passlight.runtime.database import Role
from tests.agencies.files import counts, fact, jsonl

ROWS = 12_000
KILLS = 20 if os.environ.get("PASSLIGHT_FAULTS") == "long" else 3
SEED = 20261122


def _state(installation: Any) -> list[tuple[Any, ...]]:
    """Return every fact of the feed without our times and numbers, which differ by run."""
    with psycopg.connect(installation.urls[Role.OWNER]) as connection:
        return connection.execute(
            "select fact_id, ver, kind, occurred_at, payload::text from facts_fact"
            " where kind = 'case.confirmed' order by fact_id, ver"
        ).fetchall()


def _position(installation: Any) -> int:
    with psycopg.connect(installation.urls[Role.OWNER]) as connection:
        row = connection.execute("select coalesce(max(position), 0) from feeds_batch").fetchone()
        assert row is not None
        return int(row[0])


@pytest.mark.fault
def test_a_feed_that_is_killed_again_and_again_lands_every_row_once(
    installation: Any, tmp_path: Path
) -> None:
    rng = random.Random(SEED)
    bad = {n: {"garbage": n} for n in range(0, ROWS, 20)}
    path = jsonl(tmp_path / "facts.jsonl", *(bad.get(n) or fact(n) for n in range(ROWS)))
    command = [sys.executable, "-m", "passlight.cli.main", "feed", "jsonl", str(path)]
    environment = {**installation.environment, "PASSLIGHT_ROLE": Role.OFFICE.value}
    killed_half_way = 0
    for _ in range(KILLS):
        before = _position(installation)
        running = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 90
        while _position(installation) <= before and running.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.15))
        if running.poll() is None:
            os.kill(running.pid, signal.SIGKILL)
            killed_half_way += 1
        running.wait()
    assert killed_half_way >= 2, "control: the kills must hit a run that is at work"
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1, done.stderr[-2000:]
    summary = json.loads(done.stdout.splitlines()[-1])
    if killed_half_way == KILLS:
        assert summary == counts(declared=ROWS, landed=ROWS - len(bad), quarantined=len(bad))
    assert [row[0] for row in _state(installation)] == sorted(
        f"cdc:case-{n}" for n in range(ROWS) if n not in bad
    )
    with psycopg.connect(installation.urls[Role.OWNER]) as connection:
        aside = connection.execute(
            "select line from feeds_quarantinedrow q join feeds_batch b on b.id = q.batch_id"
            " where b.id = (select min(id) from feeds_batch) order by line"
        ).fetchall()
        unfinished = connection.execute(
            "select count(*) from feeds_batch where state = 'landing'"
        ).fetchone()
    assert [row[0] for row in aside] == [n + 1 for n in sorted(bad)]
    assert unfinished == (0,)
