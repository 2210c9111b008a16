"""The status book: everybody's colour in memory, in arrays indexed by ordinal.

What is published about a person is a line of segments. The book keeps the present segment
and the next change of each person in dense arrays (18 bytes a person) and the rare further
segments in a dictionary, so a change that time brings needs no message: a look-up goes by
the time it is asked for. A person who is not in the book is *unknown*, never green by
absence. One thread writes, others read, under one lock, so nobody sees half a line.
"""

import threading
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from passlight.core.kernel.colour import Colour

NEVER = 0
_COLOURS = (Colour.UNKNOWN, Colour.GREEN, Colour.YELLOW, Colour.RED, Colour.CLOSED)
_NUMBERS = {colour: number for number, colour in enumerate(_COLOURS)}
_SECONDS_MAX = 2**32 - 1
CHANGES_KEPT = 100_000
# Green is the one colour without a restriction: unknown and closed are withdrawn on a list.
_RESTRICTS = bytes(colour is not Colour.GREEN for colour in _COLOURS).ljust(256, b"\1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of one colour; ``start`` is POSIX seconds, 0 for "since ever"."""

    start: int
    colour: Colour
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is published about one person."""

    ordinal: int
    segments: Sequence[Segment]
    sampled_at: int | None

    @classmethod
    def of_publication(
        cls,
        *,
        ordinal: int,
        segments: Sequence[dict[str, Any]],
        sampled_at: datetime | None,
        state: str,
    ) -> "Line":
        """Return the line of one row of ``statuses_publication``."""
        if state != "active":
            colour = Colour.CLOSED if state == "closed" else Colour.UNKNOWN
            found = [Segment(start=NEVER, colour=colour, reason=None)]
        else:
            found = [
                Segment(
                    start=int(segment["from"] or NEVER),
                    colour=Colour(segment["colour"]),
                    reason=segment.get("reason"),
                )
                for segment in segments
            ]
        return cls(
            ordinal=ordinal,
            segments=found,
            sampled_at=None if sampled_at is None else _sampling(sampled_at),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One person at one moment."""

    colour: Colour
    reason: str | None = None
    until: int | None = None
    next_colour: Colour | None = None
    sampled_at: int | None = None


UNKNOWN = Standing(colour=Colour.UNKNOWN)


class StatusBook:
    """Colours by ordinal, how far they are known, and from which database."""

    def __init__(self) -> None:
        self.as_of: datetime | None = None
        self.seq = 0
        self.source = ""
        """Which database the lines come from; another one's ordinals are other people."""
        self._lock = threading.Lock()
        self._colour = array("B")
        self._reason = array("I")
        self._until = array("I")
        self._next_colour = array("B")
        self._next_reason = array("I")
        self._sampled = array("I")
        self._further: dict[int, tuple[Segment, ...]] = {}
        self._reasons: list[str | None] = [None]
        self._reason_numbers: dict[str | None, int] = {None: 0}
        self._changes: deque[tuple[int, int]] = deque()
        self._changes_from = 0

    def __len__(self) -> int:
        """Return one more than the highest ordinal that was ever put in."""
        return len(self._colour)

    def put(self, line: Line, *, now: int, seq: int | None = None) -> None:
        """Replace a person's line; what is over at ``now`` is not kept.

        ``seq`` is the number that the book will have when this batch is in it: doors that hold
        an earlier one are told. Without it this is a first reading, before which doors know
        nothing of this book.
        """
        present = max(
            (place for place, segment in enumerate(line.segments) if segment.start <= now),
            default=0,
        )
        kept = line.segments[present:] or [Segment(start=NEVER, colour=Colour.UNKNOWN, reason=None)]
        with self._lock:
            self._grow(line.ordinal + 1)
            self._write(line.ordinal, kept, line.sampled_at)
            if seq is not None:
                self._changes.append((seq, line.ordinal))
                if len(self._changes) > CHANGES_KEPT:
                    self._changes_from = self._changes.popleft()[0]

    def settle(self) -> None:
        """End a first reading: what changes after the present number is remembered."""
        with self._lock:
            self._changes.clear()
            self._changes_from = self.seq

    def changed_since(self, seq: int) -> set[int] | None:
        """Return the ordinals that changed after ``seq``; None when that is too long ago."""
        with self._lock:
            if seq < self._changes_from or seq > self.seq:
                return None
            found = set()
            for number, ordinal in reversed(self._changes):
                if number <= seq:
                    break
                found.add(ordinal)
            return found

    def restricted(self, until: int) -> list[int]:
        """Return the ordinals that are, or before ``until`` become, anything but green."""
        with self._lock:
            colours, following = self._colour.tobytes(), self._next_colour.tobytes()
            ends = self._until[:]
            further = list(self._further)
        found = set(_marked(colours))
        found.update(ordinal for ordinal in _marked(following) if NEVER < ends[ordinal] <= until)
        found.update(further)
        return sorted(found)

    def at(self, ordinal: int, now: int) -> Standing:
        """Return how a person stands at ``now``; unknown when the book has no such line."""
        line = self.line(ordinal)
        return UNKNOWN if line is None else _standing(line, now)

    def line(self, ordinal: int) -> Line | None:
        """Return the person's line from its present segment on; None when there is none."""
        with self._lock:
            if not 0 <= ordinal < len(self._colour):
                return None
            segments = [
                Segment(
                    start=NEVER,
                    colour=_COLOURS[self._colour[ordinal]],
                    reason=self._reasons[self._reason[ordinal]],
                )
            ]
            if self._until[ordinal]:
                following = Segment(
                    start=self._until[ordinal],
                    colour=_COLOURS[self._next_colour[ordinal]],
                    reason=self._reasons[self._next_reason[ordinal]],
                )
                segments += [following, *self._further.get(ordinal, ())]
            sampled = self._sampled[ordinal] or None
        return Line(ordinal=ordinal, segments=segments, sampled_at=sampled)

    def first_worse(self, ordinal: int, now: int) -> int | None:
        """Return the next moment after ``now`` at which the colour gets stricter, or None.

        A change into unknown or closed counts: no code may outlive it either.
        """
        line = self.line(ordinal)
        if line is None:
            return None
        before = _standing(line, now).colour
        for segment in line.segments:
            if segment.start > now:
                if _is_worse(segment.colour, before):
                    return segment.start
                before = segment.colour
        return None

    def _write(self, ordinal: int, kept: Sequence[Segment], sampled_at: int | None) -> None:
        following = kept[1] if len(kept) > 1 else None
        self._colour[ordinal] = _NUMBERS[kept[0].colour]
        self._reason[ordinal] = self._number(kept[0].reason)
        self._until[ordinal] = min(following.start, _SECONDS_MAX) if following else NEVER
        # Without a next change: green, so that a search for restrictions passes over it.
        self._next_colour[ordinal] = _NUMBERS[following.colour if following else Colour.GREEN]
        self._next_reason[ordinal] = self._number(following.reason) if following else 0
        self._sampled[ordinal] = sampled_at or NEVER
        if kept[2:]:
            self._further[ordinal] = tuple(kept[2:])
        else:
            self._further.pop(ordinal, None)

    def _grow(self, size: int) -> None:
        more = size - len(self._colour)
        if more > 0:
            for column in self._columns():
                column.frombytes(bytes(more * column.itemsize))

    def _columns(self) -> tuple["array[int]", ...]:
        return (
            *(self._colour, self._reason, self._until),
            *(self._next_colour, self._next_reason, self._sampled),
        )

    def _number(self, reason: str | None) -> int:
        number = self._reason_numbers.get(reason)
        if number is None:
            number = len(self._reasons)
            self._reasons.append(reason)
            self._reason_numbers[reason] = number
        return number

    def dump(self) -> tuple[dict[str, Any], list[bytes]]:
        """Return what ``restore`` takes: a description and the columns; for the writing thread."""
        description = {
            "as_of": self.as_of.timestamp() if self.as_of else None,
            "seq": self.seq,
            "source": self.source,
            "size": len(self),
            "reasons": self._reasons,
            "further": {
                str(ordinal): [[s.start, s.colour.value, s.reason] for s in segments]
                for ordinal, segments in self._further.items()
            },
        }
        return description, [column.tobytes() for column in self._columns()]

    def restore(self, description: dict[str, Any], columns: Iterable[bytes]) -> None:
        """Fill an empty book.

        Raises:
            ValueError: when the columns do not fit the description.
        """
        for column, data in zip(self._columns(), columns, strict=True):
            column.frombytes(data)
            if len(column) != description["size"]:
                raise ValueError("a column of the book is cut")
        self._reasons = list(description["reasons"])
        self._reason_numbers = {reason: number for number, reason in enumerate(self._reasons)}
        self._further = {
            int(ordinal): tuple(
                Segment(start=start, colour=Colour(colour), reason=reason)
                for start, colour, reason in segments
            )
            for ordinal, segments in description["further"].items()
        }
        self.seq = description["seq"]
        self.source = description["source"]
        self._changes_from = self.seq
        if description["as_of"] is not None:
            self.as_of = datetime.fromtimestamp(description["as_of"], UTC)


def _marked(colours: bytes) -> Iterator[int]:
    """Yield the places of everything but green."""
    marks = colours.translate(_RESTRICTS)
    place = marks.find(1)
    while place >= 0:
        yield place
        place = marks.find(1, place + 1)


def _sampling(sampled_at: datetime) -> int | None:
    """Return POSIX seconds; None for a time that no test of ours can have and no column holds."""
    seconds = int(sampled_at.timestamp())
    return seconds if NEVER < seconds <= _SECONDS_MAX else None


def _standing(line: Line, now: int) -> Standing:
    place = max(
        (place for place, segment in enumerate(line.segments) if segment.start <= now), default=0
    )
    present = line.segments[place]
    following = next(
        (s for s in line.segments[place + 1 :] if s.colour is not present.colour), None
    )
    return Standing(
        colour=present.colour,
        reason=present.reason,
        until=following.start if following else None,
        next_colour=following.colour if following else None,
        sampled_at=line.sampled_at,
    )


def _is_worse(colour: Colour, before: Colour) -> bool:
    if not colour.strictness:
        return True
    return colour.strictness > before.strictness
