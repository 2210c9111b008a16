"""Half-open intervals [start, end): the only kind Passlight knows (field/08 1.1)."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class Interval(NamedTuple):
    """The instants from ``start`` on and before ``end``; None is without a limit on that side."""

    start: datetime | None
    end: datetime | None

    @property
    def empty(self) -> bool:
        """Return whether no instant is inside."""
        return self.start is not None and self.end is not None and self.end <= self.start

    def covers(self, instant: datetime) -> bool:
        """Return whether ``instant`` is inside; the end is not."""
        return (self.start is None or self.start <= instant) and (
            self.end is None or instant < self.end
        )

    def intersection(self, other: "Interval") -> "Interval | None":
        """Return what both cover, or None when that is nothing."""
        both = Interval(later(self.start, other.start), sooner(self.end, other.end))
        return None if both.empty else both

    def contains(self, other: "Interval") -> bool:
        """Return whether every instant of ``other`` is inside."""
        return (self.start is None or (other.start is not None and self.start <= other.start)) and (
            self.end is None or (other.end is not None and other.end <= self.end)
        )

    def without(self, holes: Iterable["Interval"]) -> list["Interval"]:
        """Return what is left of this interval outside ``holes``, in order."""
        left: list[Interval] = [] if self.empty else [self]
        for hole in holes:
            if hole.empty:
                continue
            left = [piece for old in left for piece in _cut(old, hole)]
        return left


def _cut(piece: Interval, hole: Interval) -> list[Interval]:
    if piece.intersection(hole) is None:
        return [piece]
    parts = []
    if hole.start is not None and (piece.start is None or piece.start < hole.start):
        parts.append(Interval(piece.start, hole.start))
    if hole.end is not None and (piece.end is None or hole.end < piece.end):
        parts.append(Interval(hole.end, piece.end))
    return parts


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the later of two starts, where None is before everything."""
    if one is None:
        return other
    return one if other is None or one >= other else other


def sooner(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the sooner of two ends, where None is after everything."""
    if one is None:
        return other
    return one if other is None or one <= other else other


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the same instants as disjoint intervals in order; those that touch become one."""
    merged: list[Interval] = []
    ordered = sorted(
        (interval for interval in intervals if not interval.empty),
        key=lambda interval: (interval.start is not None, interval.start),
    )
    for interval in ordered:
        last = merged[-1] if merged else None
        if last is None or (
            last.end is not None and interval.start is not None and last.end < interval.start
        ):
            merged.append(interval)
        elif last.end is not None:
            end = None if interval.end is None else max(last.end, interval.end)
            merged[-1] = Interval(last.start, end)
    return merged
