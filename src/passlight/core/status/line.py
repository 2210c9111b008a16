"""The shared writer of statuses: every engine writes the same bytes (design.md 3).

It knows no evaluator. ``LineRow`` is what an engine hands over; ``status_line`` hands over a
``Status`` of the person evaluator, ``passlight.city`` makes rows of its own.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from passlight.core.kernel.colour import Colour
from passlight.core.rules.terms import Text

if TYPE_CHECKING:
    from passlight.core.status.measures import Measure
    from passlight.core.status.reach import Need
    from passlight.core.status.status import Status

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LineMeasure:
    """One measure in force, as a line tells it."""

    rule: str
    phase: int
    colour: Colour
    starts: datetime
    ends: datetime | None
    facts: Sequence[str]
    reason: Text
    needs: Sequence[Text]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineBadge:
    """One mark beside the colour, as a line tells it."""

    id: str
    text: Text
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """One line: a person at an instant; ``next_change`` is when the colour differs, and which."""

    subject: str
    at: datetime
    zone: ZoneInfo
    colour: Colour
    valid_until: datetime | None
    next_change: tuple[datetime, Colour] | None
    measures: Sequence[LineMeasure]
    badges: Sequence[LineBadge]


def need_sentence(
    text: Text, *, missing: int, from_at: datetime | None, sampled: bool, zone: ZoneInfo
) -> Text:
    """Return the sentence of an open condition: what, how often, from when on."""
    if from_at is None:
        return text
    local = f"{from_at.astimezone(zone):%Y-%m-%d %H:%M}"
    how_zh, how_en = ("采样", "sampled ") if sampled else ("", "")
    return Text(
        f"{text.zh}（还需{missing}次，{how_zh}不早于{local}）",
        f"{text.en} (still needs {missing}, {how_en}at or after {local})",
    )


def sentences(needs: Iterable["Need"], *, zone: ZoneInfo) -> list[Text]:
    """Return the sentences of open conditions."""
    return [
        need_sentence(
            need.text,
            missing=need.missing,
            from_at=need.from_at,
            sampled=need.sampled,
            zone=zone,
        )
        for need in needs
    ]


def row_to_json(row: LineRow) -> dict[str, Any]:
    """Return the object of one person, keys in the order of the file format."""
    zone = row.zone
    change = row.next_change
    return {
        "subject": row.subject,
        "at": _time(row.at, zone),
        "colour": row.colour.value,
        "valid_until": _time(row.valid_until, zone),
        "next_change": None
        if change is None
        else {"at": _time(change[0], zone), "colour": change[1].value},
        "measures": [_measure(measure, zone) for measure in row.measures],
        "badges": [
            {"id": badge.id, "text": badge.text.to_json(), "until": _time(badge.until, zone)}
            for badge in row.badges
        ],
    }


def _measure(measure: LineMeasure, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "rule": measure.rule,
        "phase": measure.phase,
        "colour": measure.colour.value,
        "from": _time(measure.starts, zone),
        "until": _time(measure.ends, zone),
        "facts": list(measure.facts),
        "reason": measure.reason.to_json(),
        "needs": [text.to_json() for text in measure.needs],
    }


def _time(instant: datetime | None, zone: ZoneInfo) -> str | None:
    if instant is None:
        return None
    return instant.astimezone(zone).isoformat(timespec="seconds")


def row_line(row: LineRow) -> bytes:
    """Return the one line of ``row`` with its newline: UTF-8, no spaces."""
    return _ENCODER.encode(row_to_json(row)).encode() + b"\n"


def line_for(subject: str, line: bytes) -> bytes:
    """Return the line of another person of whom the same is told; ``line`` has an empty subject."""
    return b'{"subject":' + _ENCODER.encode(subject).encode() + line[_AFTER_SUBJECT:]


_AFTER_SUBJECT = len('{"subject":""')


def row_of(status: "Status") -> LineRow:
    """Return the row that tells ``status``."""
    zone = status.zone
    change = status.next_change
    return LineRow(
        subject=status.subject,
        at=status.at,
        zone=zone,
        colour=status.colour,
        valid_until=status.valid_until,
        next_change=(change.at, change.colour) if change is not None else None,
        measures=[_row_of(measure, zone) for measure in status.measures],
        badges=[
            LineBadge(id=badge.id, text=badge.text, until=badge.until) for badge in status.badges
        ],
    )


def _row_of(measure: "Measure", zone: ZoneInfo) -> LineMeasure:
    return LineMeasure(
        rule=measure.rule.id,
        phase=measure.phase.index,
        colour=measure.colour,
        starts=measure.start,
        ends=measure.when.end,
        facts=measure.facts,
        reason=measure.phase.reason,
        needs=sentences(measure.needs, zone=zone),
    )


def status_to_json(status: "Status") -> dict[str, Any]:
    """Return the object of one person, keys in the order of the file format."""
    return row_to_json(row_of(status))


def status_line(status: "Status") -> bytes:
    """Return the one line of ``status`` with its newline: UTF-8, no spaces."""
    return row_line(row_of(status))
