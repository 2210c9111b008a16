"""The shared writer of statuses: every engine writes the same bytes (design.md 3)."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from passlight.core.status.measures import Measure
from passlight.core.status.status import Status, need_texts

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _time(instant: datetime | None, zone: ZoneInfo) -> str | None:
    if instant is None:
        return None
    return instant.astimezone(zone).isoformat(timespec="seconds")


def status_to_json(status: Status) -> dict[str, Any]:
    """Return the object of one person, keys in the order of the file format."""
    zone = status.zone
    change = status.next_change
    return {
        "subject": status.subject,
        "at": _time(status.at, zone),
        "colour": status.colour.value,
        "valid_until": _time(status.valid_until, zone),
        "next_change": None
        if change is None
        else {"at": _time(change.at, zone), "colour": change.colour.value},
        "measures": [measure_to_json(measure, zone=zone) for measure in status.measures],
        "badges": [
            {"id": badge.id, "text": badge.text.to_json(), "until": _time(badge.until, zone)}
            for badge in status.badges
        ],
    }


def measure_to_json(measure: Measure, *, zone: ZoneInfo) -> dict[str, Any]:
    """Return the object of one measure, keys in the order of the file format."""
    return {
        "rule": measure.rule.id,
        "phase": measure.phase.index,
        "colour": measure.colour.value,
        "from": _time(measure.when.start, zone),
        "until": _time(measure.when.end, zone),
        "facts": list(measure.facts),
        "reason": measure.phase.reason.to_json(),
        "needs": [text.to_json() for text in need_texts(measure, zone=zone)],
    }


def status_line(status: Status) -> bytes:
    """Return the one line of ``status`` with its newline: UTF-8, no spaces."""
    return _ENCODER.encode(status_to_json(status)).encode() + b"\n"
