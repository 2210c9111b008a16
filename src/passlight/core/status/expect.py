"""Compares one expectation of a scenario with what evaluation gives."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from passlight.core.rules.source import did_you_mean
from passlight.core.status.measures import Measure
from passlight.core.status.status import Status, need_texts
from passlight.core.status.timeline import Timeline

Read = Callable[[str], datetime]
KNOWN = frozenset(
    {
        *("at", "known", "who", "colour", "measures", "from", "until", "next", "valid_until"),
        *("needs", "badges", "questions", "reason", "facts", "pack", "late", "waived", "stale"),
        *("segments", "conflicts"),
    }
)


def differences(entry: Mapping[str, Any], timeline: Timeline, *, read: Read) -> Iterable[str]:
    """Yield a sentence for everything that is not as ``entry`` expects."""
    unknown = sorted(set(entry) - KNOWN)
    if unknown:
        near = "".join(did_you_mean(key, KNOWN) for key in unknown).strip()
        yield f"unknown expectation {', '.join(unknown)}. {near}".strip()
        return
    if "segments" in entry:
        yield from _segments(entry, timeline, read)
        return
    status = timeline.status(read(entry["at"]))
    where = f"at {entry['at']}, known {entry.get('known', 'everything')}"
    for key, found, wanted in _comparisons(entry, status, timeline, read):
        if found != wanted:
            yield f"{where}: {key} is {found!r}, expected {wanted!r}"
    yield from (f"{where}: {text}" for text in _texts(entry, status))


def _segments(entry: Mapping[str, Any], timeline: Timeline, read: Read) -> Iterable[str]:
    found = [
        (one.start.astimezone(UTC) if one.start else None, one.colour.value)
        for one in timeline.segments()
    ]
    wanted = [_change(text, read) for text in entry["segments"]]
    if found != wanted:
        yield f"segments are {_shown(found)}, expected {_shown(wanted)}"


def _shown(segments: list[tuple[datetime | None, str]]) -> str:
    return "; ".join(f"{start or 'from ever'} {colour}" for start, colour in segments)


def _change(text: str, read: Read) -> tuple[datetime | None, str]:
    when, _, colour = text.rpartition(" ")
    return (None if when == "always" else read(when).astimezone(UTC)), colour


def _comparisons(
    entry: Mapping[str, Any], status: Status, timeline: Timeline, read: Read
) -> Iterable[tuple[str, Any, Any]]:
    """Yield (name, found, wanted) for each plain expectation of the entry."""
    first = status.reason
    change = status.next_change
    found: dict[str, Any] = {
        "colour": status.colour.value,
        "measures": [_name(measure) for measure in status.measures],
        "waived": [_name(measure) for measure in status.waived],
        "facts": list(first.facts) if first else None,
        "badges": [badge.id for badge in status.badges],
        "questions": [question.rule.id for question in status.questions],
        "stale": list(status.stale_sources),
        "conflicts": [conflict.key for conflict in status.conflicts],
        "pack": status.pack.key if status.pack else None,
        "late": sorted({_name(one) for one in _late(timeline)}),
    }
    for key, value in found.items():
        if key in entry:
            wanted = entry[key]
            yield key, value, ([] if wanted is None and isinstance(value, list) else wanted)
    instants = {
        "from": first.when.start if first else None,
        "until": first.when.end if first else None,
        "valid_until": status.valid_until,
    }
    for key, instant in instants.items():
        if key in entry:
            wanted = entry[key]
            yield key, instant, (read(wanted) if wanted is not None else None)
    if "next" in entry:
        wanted = _change(entry["next"], read) if entry["next"] else None
        yield "next", ((change.at, change.colour.value) if change else None), wanted


def _texts(entry: Mapping[str, Any], status: Status) -> Iterable[str]:
    """Yield what is missing in the sentences: each expected part must stand in one of them."""
    first = status.reason
    needs = (
        [f"{text.zh} {text.en}" for text in need_texts(first, zone=status.zone)] if first else []
    )
    for part in entry.get("needs") or ():
        if not any(part in need for need in needs):
            yield f"no open condition says {part!r}: {needs}"
    if "needs" in entry and not entry["needs"] and needs:
        yield f"there are open conditions: {needs}"
    reason = entry.get("reason")
    text = f"{first.phase.reason.zh} {first.phase.reason.en}" if first else ""
    if reason and reason not in text:
        yield f"the reason is {text!r}, expected {reason!r} in it"


def _name(measure: Measure) -> str:
    return f"{measure.rule.id}/{measure.phase.index}"


def _late(timeline: Timeline) -> Iterable[Measure]:
    """Return the measures that were over before their trigger was known (E17)."""
    return (
        measure
        for span in timeline.spans
        for measure in span.outcome.measures
        if measure.trigger
        and measure.when.end is not None
        and measure.when.end <= measure.trigger[0].recorded_at
    )
