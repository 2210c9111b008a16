"""Reads the scenarios of this folder: what happened in which order, and what must come of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "scenarios"
DAY = datetime(2022, 6, 8, tzinfo=UTC) - timedelta(hours=8)  # 2022-06-08 00:00 in Shanghai


@dataclass(frozen=True, kw_only=True)
class Case:
    """One scenario, as its file says it."""

    name: str
    finding: str
    bodies: tuple[str, ...]
    limits: dict[str, int]
    events: list[dict[str, Any]]
    ends: dict[str, Any]
    late: list[dict[str, Any]]


def instant(text: str) -> datetime:
    """Return ``10:42`` of 8 June 2022 in Shanghai."""
    hours, minutes = map(int, text.split(":"))
    return DAY + timedelta(hours=hours, minutes=minutes)


def cases() -> list[Case]:
    """Return every scenario; one without a clause is an error of the file."""
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert data["clauses"], path.name
        found.append(
            Case(
                name=path.stem,
                finding=data["finding"],
                bodies=tuple(data.get("bodies", ["leading-group"])),
                limits=data["limits"],
                events=data["events"],
                ends=data["ends"],
                late=data.get("late", []),
            )
        )
    return found
