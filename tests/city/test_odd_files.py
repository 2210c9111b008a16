"""``passlight evaluate`` on files that nobody means to send: one answer, whoever evaluates.

Each was a difference between the engines once. What is expected is worked by hand.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from passlight.cli.evaluate import command as evaluate
from passlight.runtime.packs import shipped_packs

JIANGSU = shipped_packs() / "jiangsu-2021"
LOOKBACK = Path(__file__).parent / "packs" / "calendar-lookback"
ENGINES = ("person", "duckdb")


def fact(kind: str, subject: str, at: str, *, until: str | None = None, **payload: Any) -> bytes:
    """Return one line of a facts file, recorded as it happens."""
    told = {
        "fact_id": f"{kind}/{subject}",
        "ver": 1,
        "op": "assert",
        "kind": kind,
        "subject": subject,
        "occurred_at": at,
        "occurred_until": until,
        "recorded_at": at,
        "source": "site",
        "payload": payload,
    }
    return json.dumps(told).encode() + b"\n"


def run(folder: Path, lines: list[bytes], pack: Path, *options: str) -> Result:
    facts = folder / "facts.jsonl"
    facts.write_bytes(b"".join(lines))
    command = ["--pack", str(pack), "--facts", str(facts), *options]
    found = CliRunner().invoke(evaluate, command)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_a_file_that_names_no_person_has_no_line(engine: str, tmp_path: Path) -> None:
    lines = [
        fact("area.listed", "area:420100", "2021-08-01T00:00:00Z", area="420100", level="high"),
        fact("source.delivered", "source:cdc", "2021-08-01T00:00:00Z"),
    ]
    at = "2021-08-15T10:00:00+08:00"
    found = run(tmp_path, lines, JIANGSU, "--at", at, "--engine", engine)
    assert (found.exit_code, found.stdout_bytes) == (0, b"")
    assert "facts 2, refused 0, lines 0" in found.stderr


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("named", "colour"),
    [
        ({"rule": "spacetime-companion"}, "green"),
        ({"rule": ["another", "spacetime-companion"], "phase": 0}, "green"),
        # No rule has a phase before the first: a wrong number is no leave to suspend them all.
        ({"rule": "spacetime-companion", "phase": -1}, "yellow"),
        ({"rule": "spacetime-companion", "phase": 2**40}, "yellow"),
        # The name of a rule within another text names no rule.
        ({"rule": ['not "spacetime-companion'], "phase": 0}, "yellow"),
        ({"rule": 'x,"spacetime-companion'}, "yellow"),
    ],
)
def test_a_waiver_suspends_what_it_names(
    named: dict[str, Any], colour: str, engine: str, tmp_path: Path
) -> None:
    day = "2021-08-10T10:00:00+08:00"
    lines = [
        fact("exposure.derived", "p", day, minutes=30),
        fact("waiver.granted", "p", day, until="2021-08-20T00:00:00Z", measure=named),
    ]
    at = "2021-08-11T10:00:00+08:00"
    found = run(tmp_path, lines, JIANGSU, "--at", at, "--engine", engine)
    assert json.loads(found.stdout)["colour"] == colour


@pytest.mark.parametrize("engine", ENGINES)
def test_a_lookback_by_the_calendar_leaves_the_phases_alone(engine: str, tmp_path: Path) -> None:
    """Left on the 12th, the third day being the 14th; listed at the last instant before it."""
    left = "2019-02-12T10:00:00-02:00"
    lines = [
        fact("travel.arrived", "p", left, from_area="420100"),
        fact(
            "area.listed", "area:420100", "2019-02-13T23:59:59-02:00", area="420100", level="high"
        ),
    ]
    at = "2019-02-13T12:00:00-02:00"
    found = run(tmp_path, lines, LOOKBACK, "--at", at, "--engine", engine)
    told = json.loads(found.stdout)
    assert (told["colour"], told["valid_until"]) == ("yellow", "2019-02-14T00:00:00-02:00")
    assert [one["from"] for one in told["measures"]] == [left]


def test_a_store_is_not_made_where_something_else_is_kept(tmp_path: Path) -> None:
    """The parts of an unfinished store are cleared away: never a folder of the same name."""
    lines = [fact("exposure.derived", "p", "2021-08-10T10:00:00+08:00", minutes=30)]
    mine = tmp_path / "mine" / "facts" / "kept.csv"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    options = ("--at", "2021-08-15T10:00:00+08:00", "--engine", "duckdb", "--store")
    found = run(tmp_path, lines, JIANGSU, *options, str(tmp_path / "mine"))
    assert found.exit_code == 2
    assert "holds something else" in found.stderr
    assert mine.read_text() == "mine"
    found = run(tmp_path, lines, JIANGSU, *options, str(tmp_path / "facts.jsonl"))
    assert found.exit_code == 2
    assert "cannot hold a store" in found.stderr
    # What a broken-off run left is its own to clear.
    (tmp_path / "begun" / ".work").mkdir(parents=True)
    assert run(tmp_path, lines, JIANGSU, *options, str(tmp_path / "begun")).exit_code == 0
