"""``passlight feed`` to a facts file: idempotent, bounded, all or nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.agencies.files import counts, fact, feed, jsonl


def test_the_same_file_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "facts.jsonl", *(fact(n) for n in range(50)))
    feed("jsonl", path, out=tmp_path / "a")
    feed("jsonl", path, out=tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    # What was written is itself a feed that reads the same.
    feed("jsonl", tmp_path / "a", out=tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == (tmp_path / "a").read_bytes()


def test_a_repeated_fact_is_unchanged_and_a_contradiction_is_put_aside(tmp_path: Path) -> None:
    other = fact(1, occurred_at="2020-03-01T09:00:00+08:00")
    later = fact(1, ver=2, occurred_at="2020-03-01T09:00:00+08:00")
    path = jsonl(tmp_path / "facts.jsonl", fact(1), fact(1), other, later)
    run = feed("jsonl", path, out=tmp_path / "out")
    assert run.counts == counts(declared=4, landed=2, unchanged=1, quarantined=1)
    assert run.errors[0].startswith("facts.jsonl:3: fact_id: ")


def test_two_files_are_one_feed(tmp_path: Path) -> None:
    first = jsonl(tmp_path / "1.jsonl", fact(1), fact(2))
    second = jsonl(tmp_path / "2.jsonl", fact(2), fact(3))
    run = feed("jsonl", first, second, out=tmp_path / "out")
    assert run.counts == counts(declared=4, landed=3, unchanged=1)


def test_the_future_is_put_aside_by_the_publication_time(tmp_path: Path) -> None:
    """E18: two days ahead is put aside, five minutes ahead is not."""
    ahead = fact(1, occurred_at="2020-03-03T12:00:00+08:00")
    slightly = fact(2, occurred_at="2020-03-01T12:05:00+08:00")
    path = jsonl(tmp_path / "facts.jsonl", ahead, slightly)
    run = feed("jsonl", path, out=tmp_path / "out")
    assert run.counts == counts(declared=2, landed=1, quarantined=1)
    assert run.facts[0]["fact_id"] == "cdc:case-2"


def test_a_source_cannot_date_its_facts_into_a_year_to_come(tmp_path: Path) -> None:
    years = fact(
        1, occurred_at="2200-03-01T10:00:00+08:00", recorded_at="2200-03-01T12:00:00+08:00"
    )
    run = feed("jsonl", jsonl(tmp_path / "facts.jsonl", years), out=tmp_path / "out")
    assert run.counts == counts(declared=1, quarantined=1)


def test_when_one_input_cannot_be_read_no_file_looks_complete(tmp_path: Path) -> None:
    good = jsonl(tmp_path / "1.jsonl", fact(1))
    run = feed("jsonl", good, tmp_path / "missing.jsonl", out=tmp_path / "out")
    assert run.status == 2
    assert not (tmp_path / "out").exists()
    assert [line.split(":")[0] for line in run.errors] == ["missing.jsonl"]
    # An older result stays as it was.
    feed("jsonl", good, out=tmp_path / "out")
    before = (tmp_path / "out").read_bytes()
    feed("jsonl", good, tmp_path / "missing.jsonl", out=tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.jsonl", "out"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["nobody", "x"],
        ["jsonl"],
        ["jsonl", "x", "--as-of", "yesterday"],
        ["jsonl", "x", "--as-of", "2020-03-01T10:00:00"],
        ["risk-areas", "x", "--max-vanish", "101"],
    ],
)
def test_bad_usage_is_status_2(arguments: list[str], tmp_path: Path) -> None:
    assert feed(arguments[0], *arguments[1:], out=tmp_path / "out").status == 2


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert feed("jsonl", tmp_path / "folder", out=tmp_path / "out").status == 2


@pytest.mark.fault
def test_a_killed_run_leaves_no_half_file_and_the_next_one_is_whole(tmp_path: Path) -> None:
    """kill -9 while rows are written; control: the same command left alone ends with 0."""
    path = tmp_path / "facts.jsonl"
    with path.open("w") as file:
        for n in range(60_000):
            file.write(json.dumps(fact(n)) + "\n")
    out = tmp_path / "out" / "facts"
    out.parent.mkdir()
    command = [sys.executable, "-m", "passlight.cli.main", "feed", "jsonl", path, "--out", out]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not any(draft.stat().st_size for draft in out.parent.iterdir()):
        assert time.monotonic() < deadline
        assert running.poll() is None, "it was too fast to be killed half-way"
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    assert not out.exists()
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout) == counts(declared=60_000, landed=60_000)
    assert out.read_bytes().count(b"\n") == 60_000
