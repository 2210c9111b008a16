"""Points: the closed algebra of moments from which every rule is made (field/08 1.3).

There are no expressions and no conditions beside these. Each point compiles to a lookup here
and to an aggregate in SQL, and reads facts only, never a colour.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from passlight.core.kernel.calendar import Duration, Elapsed
from passlight.core.rules.terms import Text


class Test(StrEnum):
    """How a condition compares a payload value."""

    IS = "is"
    AT_LEAST = "gte"
    AT_MOST = "lte"
    PRESENT = "present"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One line of ``where``: the field, the comparison, the values that satisfy it."""

    field: str
    test: Test
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Facts of some kinds whose payload meets every condition."""

    kinds: tuple[str, ...]
    where: tuple[Condition, ...] = ()


class Moment(StrEnum):
    """The points that an occurrence has by itself."""

    TRIGGER_OCCURRED = "trigger.occurred"
    TRIGGER_RECORDED = "trigger.recorded"
    TRIGGER_LEFT = "trigger.left"
    TRIGGER_ENDED = "trigger.ended"
    TRIGGER_SAMPLED = "trigger.sampled"
    INTERVAL_FROM = "interval.from"
    INTERVAL_UNTIL = "interval.until"
    STAY_UNTIL = "stay.until"
    LISTING_UNTIL = "listing.until"
    PREV_UNTIL = "prev.until"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A reference to a dated parameter of the pack."""

    name: str


@dataclass(frozen=True, slots=True)
class At:
    """A moment of the occurrence itself."""

    moment: Moment


@dataclass(frozen=True, slots=True)
class After:
    """A duration after another point."""

    point: "Point"
    amount: Duration | Parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """The first fact of a kind since a point; with ``same`` only one that shares that key."""

    filter: Filter
    since: "Point"
    same: str | None
    needs: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Nth:
    """When ``n`` facts are there, each as far from the one before as is asked; a reset restarts.

    ``gap``: each at least so long after the one before. ``every``: each on the local date right
    after that of the one before; a second one on a date adds nothing, a missed date restarts.
    One of the two or neither.
    """

    filter: Filter
    n: int | Parameter
    gap: Duration | Parameter | None
    since: "Point"
    reset_on: Filter | None
    needs: Text
    every: Elapsed | None = None


@dataclass(frozen=True, slots=True)
class Earliest:
    """The first of several points."""

    points: tuple["Point", ...]


@dataclass(frozen=True, slots=True)
class Latest:
    """The last of several points: all of them must be reached."""

    points: tuple["Point", ...]


@dataclass(frozen=True, slots=True)
class Never:
    """No moment at all."""


Point = At | After | Next | Nth | Earliest | Latest | Never


def walk(point: Point) -> Iterator[Point]:
    """Yield the point and every point inside it."""
    yield point
    if isinstance(point, After):
        yield from walk(point.point)
    elif isinstance(point, Next | Nth):
        yield from walk(point.since)
    elif isinstance(point, Earliest | Latest):
        for part in point.points:
            yield from walk(part)


def parameters_of(point: Point) -> frozenset[str]:
    """Return the names of the parameters that the point reads."""
    names: set[str] = set()
    for part in walk(point):
        amounts: tuple[object, ...] = ()
        if isinstance(part, After):
            amounts = (part.amount,)
        elif isinstance(part, Nth):
            amounts = (part.n, part.gap)
        names.update(amount.name for amount in amounts if isinstance(amount, Parameter))
    return frozenset(names)
