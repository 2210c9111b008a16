"""Files for the feed tests, the command as a function, and where the real data is."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from passlight.cli.feed import command

DATA = Path(os.environ.get("PASSLIGHT_DATA", Path(__file__).parents[2] / "../shared/data"))


def real(folder: str) -> Path:
    """Return a folder of the real data, or skip the test."""
    found = DATA / folder
    if not found.is_dir():
        pytest.skip(f"the real data {folder} is not beside the repository (PASSLIGHT_DATA)")
    return found


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one call of ``passlight feed`` did."""

    status: int
    counts: dict[str, int]
    errors: list[str]
    facts: list[dict[str, Any]]


def feed(agency: str, *arguments: object, out: Path | None = None) -> Run:
    """Call ``passlight feed`` in this process and return what it did."""
    options = ["--out", str(out)] if out else []
    done = CliRunner().invoke(command, [agency, *map(str, arguments), *options])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    lines = done.stdout.splitlines()
    facts = (
        [json.loads(line) for line in out.read_text().splitlines()] if out and out.exists() else []
    )
    return Run(
        status=done.exit_code,
        counts=json.loads(lines[-1]) if lines else {},
        errors=done.stderr.splitlines(),
        facts=facts,
    )


def counts(**given: int) -> dict[str, int]:
    """Return a whole summary: what is not given is zero."""
    keys = ("declared", "landed", "unchanged", "quarantined", "held", "closed")
    assert set(given) <= set(keys)
    return {key: given.get(key, 0) for key in keys}


def fact(number: int, **changes: object) -> dict[str, Any]:
    """Return a fact in the file format; ``changes`` replace its fields."""
    return {
        "fact_id": f"cdc:case-{number}",
        "ver": 1,
        "op": "assert",
        "kind": "case.confirmed",
        "subject": f"p-{number:04}",
        "occurred_at": "2020-03-01T10:00:00+08:00",
        "occurred_until": None,
        "recorded_at": "2020-03-01T12:00:00+08:00",
        "source": "cdc",
        "payload": {"case_id": str(number)},
        **changes,
    }


def jsonl(path: Path, *facts: dict[str, Any], encoding: str = "utf-8", end: str = "\n") -> Path:
    """Write facts as JSON Lines and return the path."""
    text = "".join(json.dumps(one, ensure_ascii=False) + end for one in facts)
    path.write_bytes(text.encode(encoding))
    return path


def snapshot(
    path: Path, hour: str, *, high: list[str] | None = None, medium: list[str] | None = None
) -> Path:
    """Write a list of risk areas in the real file's form, every place in one county."""

    def groups(names: list[str]) -> list[dict[str, Any]]:
        county = {"province": "云杉省", "city": "云杉市", "county": "白桦区"}
        return [{"type": "2", **county, "area_name": "云杉省 云杉市 白桦区", "communitys": names}]

    data = {
        "end_update_time": hour,
        "hcount": len(high or []),
        "mcount": len(medium or []),
        "highlist": groups(high) if high else [],
        "middlelist": groups(medium) if medium else [],
    }
    path.write_text(json.dumps({"data": data, "code": 0}, ensure_ascii=False), encoding="utf-8")
    return path
