"""A traveller in a really listed area on a real date.

The stay is simulated, the list is the national one. Expected times are counted by hand from the
Jiangsu table: 14 days red from the departure, 7 days yellow, green when the test is there.
"""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from passlight.cli.evaluate import command as evaluate
from passlight.cli.feed import command as feed
from passlight.runtime.packs import shipped_packs

DATA = Path(os.environ.get("PASSLIGHT_DATA", Path(__file__).parents[2] / "../shared/data"))
LISTS = DATA / "risk-areas"
DAY = timedelta(days=1)

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not LISTS.is_dir(), reason=f"the real lists are not in {LISTS}"),
]


def fact(
    number: str, kind: str, at: datetime, until: datetime | None = None, **payload: str
) -> str:
    known = until or at
    return json.dumps(
        {
            "fact_id": number,
            "ver": 1,
            "op": "assert",
            "kind": kind,
            "subject": "p",
            "occurred_at": at.isoformat(),
            "occurred_until": until.isoformat() if until else None,
            "recorded_at": known.isoformat(),
            "source": "simulation",
            "payload": payload,
        }
    )


def test_red_then_yellow_then_green_on_the_right_minute(tmp_path: Path) -> None:
    facts = tmp_path / "facts.jsonl"
    fed = CliRunner().invoke(feed, ["risk-areas", str(LISTS), "--out", str(facts)])
    assert fed.exit_code == 0, fed.output
    listed = [json.loads(line) for line in facts.read_text(encoding="utf-8").splitlines()]
    first = next(one for one in listed if one["payload"].get("level") == "high")
    start = datetime.fromisoformat(first["occurred_at"])
    area = first["payload"]["area"]
    left = start + DAY
    tested = left + 16 * DAY
    with facts.open("a", encoding="utf-8") as sink:
        sink.write(fact("stay", "stay", start - DAY, left, area=area) + "\n")
        result = tested + timedelta(hours=8)
        sink.write(fact("test", "lab.result", result, value="neg", sampled_at=tested.isoformat()))
    minute = timedelta(minutes=1)
    wanted = [
        (start - minute, "green"),
        (start, "red"),
        (left, "red"),
        (left + 14 * DAY - minute, "red"),
        (left + 14 * DAY, "yellow"),
        (left + 21 * DAY - minute, "yellow"),
        (left + 21 * DAY, "green"),
    ]
    points = tmp_path / "points.csv"
    points.write_text("\n".join(at.isoformat() for at, _ in wanted), encoding="utf-8")
    pack = str(shipped_packs() / "jiangsu-2021")
    told = CliRunner().invoke(
        evaluate, ["--pack", pack, "--facts", str(facts), "--points", str(points)]
    )
    assert told.exit_code == 0, told.stderr
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert [line["colour"] for line in lines] == [colour for _, colour in wanted]
    assert lines[1]["measures"][0]["rule"] == "in-listed-area"
    assert lines[2]["measures"][0]["rule"] == "left-listed-area"
