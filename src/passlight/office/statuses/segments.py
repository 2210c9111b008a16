"""Segments: a person's colours from now on, in the form that is published."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import ceil, floor
from typing import Any

from passlight.core.kernel.colour import Colour
from passlight.core.status.status import Segment

Published = Mapping[str, Any]


def to_published(segments: Iterable[Segment]) -> list[dict[str, Any]]:
    """Return segments with whole epoch seconds, the first one without a start.

    A start between two seconds goes to the side of caution: down when the colour becomes
    stricter, up when it becomes milder, so nobody is green a moment too early.
    """
    found: list[dict[str, Any]] = []
    for segment in segments:
        start = None
        if found and segment.start is not None:
            seconds = segment.start.timestamp()
            milder = _rank(segment.colour) < _rank(Colour(found[-1]["colour"]))
            start = ceil(seconds) if milder else floor(seconds)
            while len(found) > 1 and found[-1]["from"] >= start:
                found.pop()
        found.append({"from": start, "colour": segment.colour.value, "reason": segment.reason})
    assert found, "a timeline has a segment at every moment"
    return found


def from_moment(segments: Sequence[Published], moment: datetime) -> list[dict[str, Any]]:
    """Return what is left of published segments at ``moment``, as if published then."""
    seconds = moment.timestamp()
    left = [dict(part) for part in segments]
    while len(left) > 1 and left[1]["from"] <= seconds:
        left.pop(0)
    left[0]["from"] = None
    return left


def _rank(colour: Colour) -> int:
    """Return how strict a colour is here: unknown and closed are never milder than red."""
    return colour.strictness or Colour.RED.strictness + 1
