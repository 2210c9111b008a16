"""The status feed: what a door holds of the restricted indices of one epoch (PL1 6.1).

A message is whole (``since`` 0) or a change of what is held. An index is named with the line of
its states in time, so a change that time brings needs no message. A message of somebody else,
of another realm or epoch, older than what is held, not joining on to it, or from the future is
refused, and then nothing has changed: knowledge that stays away only grows old.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from passlight.core.codes import envelope
from passlight.core.codes.layout import Purpose
from passlight.core.codes.permutation import SIZE_MAX
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.verification.status_source import ListState

FUTURE_SECONDS: Final = 60
DOCUMENT_BYTES_MAX: Final = 128 * 1024 * 1024
SEGMENTS_MAX: Final = 64

_EPOCH_MAX = 1_000_000
_WHOLE_MAX = 2**53 - 1
_STATES = tuple(ListState)

Line = tuple[tuple[int, ListState], ...]
"""From when on (POSIX seconds, 0 for "since ever") an index has a state."""
Places = Mapping[str, frozenset[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedMessage:
    """One message: whole, or what changed after ``since`` up to ``seq``."""

    realm: str
    epoch: int
    size: int
    as_of: int
    seq: int
    since: int
    entries: Sequence[tuple[int, Line]]
    staff: Places
    """Indices of a venue's staff; ``started``: those whose day at it has begun."""
    started: Places


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFeed:
    """What a door holds of one epoch after the messages it has taken."""

    realm: str
    epoch: int
    size: int
    as_of: int
    seq: int
    lines: Mapping[int, Line]
    staff: Places
    started: Places

    def apply(self, message: FeedMessage, *, now: int) -> "StatusFeed":
        """Return what is held after a message whose signature is good.

        Raises:
            ProblemError: it is of another realm or epoch, falls back, leaves a gap or is from
                the future; what was held stays.
        """
        _check(message, realm=self.realm, epoch=self.epoch, now=now)
        for falls, what in (
            (message.seq < self.seq, "seq"),
            (message.as_of < self.as_of, "as-of"),
            (message.since > self.seq, "gap"),
            (bool(message.since) and message.size != self.size, "size"),
        ):
            if falls:
                raise _refused(what)
        return replace(
            self,
            size=message.size,
            as_of=message.as_of,
            seq=message.seq,
            lines=_applied(self.lines if message.since else {}, message.entries),
            staff=message.staff,
            started=message.started,
        )

    def state(self, index: int, now: int) -> ListState:
        """Return the state of an index at ``now``: the last that has begun."""
        found = ListState.NO_RESTRICTION
        for start, state in self.lines.get(index, ()):
            if start > now:
                break
            found = state
        return found

    def is_staff(self, venue: str, index: int) -> bool:
        """Return whether the index is of a venue's staff."""
        return index in self.staff.get(venue, ())

    def has_started(self, venue: str, index: int) -> bool:
        """Return whether this member of staff was let in today: their day there has begun."""
        return index in self.started.get(venue, ())

    def view(self, now: int) -> "FeedView":
        """Return what is known at one moment."""
        return FeedView(feed=self, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedView:
    """A feed at one moment, as verification asks for it."""

    feed: StatusFeed
    now: int

    @property
    def as_of(self) -> int:
        """Return the moment of this knowledge."""
        return self.feed.as_of

    @property
    def size(self) -> int:
        """Return n."""
        return self.feed.size

    def state(self, index: int) -> ListState:
        """Return the state of an index."""
        return self.feed.state(index, self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSource:
    """All feeds of a door as its source of statuses; a neighbour's epoch never serves."""

    feeds: Sequence[StatusFeed]
    now: int

    def view(self, *, realm: str, purpose: Purpose, epoch: int | None) -> FeedView | None:
        """Return what is known of an epoch of phone codes; of paper nothing is."""
        if purpose is not Purpose.PHONE:
            return None
        found = (feed for feed in self.feeds if (feed.realm, feed.epoch) == (realm, epoch))
        return next((feed.view(self.now) for feed in found), None)


def first_feed(message: FeedMessage, *, realm: str, epoch: int, now: int) -> StatusFeed:
    """Return what is held after the first message of an epoch, which must be a whole one.

    Raises:
        ProblemError: it is of another realm or epoch, a change of something, or from the future.
    """
    _check(message, realm=realm, epoch=epoch, now=now)
    if message.since:
        raise _refused("gap")
    return StatusFeed(
        realm=realm,
        epoch=epoch,
        size=message.size,
        as_of=message.as_of,
        seq=message.seq,
        lines=_applied({}, message.entries),
        staff=message.staff,
        started=message.started,
    )


def open_message(document: bytes, *, realm: str, keys: Iterable[bytes]) -> FeedMessage:
    """Return the message of a signed document; ``keys`` are the realm's list keys.

    Raises:
        ProblemError: none of them signed it for this realm, or it is malformed.
    """
    payload = envelope.open_envelope(
        document, kind=envelope.STATUSES, realm=realm, keys=keys, bytes_max=DOCUMENT_BYTES_MAX
    )
    return read_message(payload)


def read_message(payload: bytes) -> FeedMessage:
    """Return what a payload says, read strictly; the caller has checked who signed it.

    Raises:
        ProblemError: a field is missing or of another kind; the whole is refused.
    """
    try:
        raw = json.loads(payload)
        size = _number(raw["size"], SIZE_MAX)
        return FeedMessage(
            realm=_text(raw["realm"]),
            epoch=_number(raw["epoch"], _EPOCH_MAX),
            size=size,
            as_of=_number(raw["as_of"]),
            seq=_number(raw["seq"]),
            since=_number(raw["since"]),
            entries=[_entry(entry, size) for entry in _list(raw["entries"])],
            staff=_places(raw["staff"], size),
            started=_places(raw["started"], size),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _refused("malformed") from error


def _check(message: FeedMessage, *, realm: str, epoch: int, now: int) -> None:
    for wrong, what in (
        (message.realm != realm, "realm"),
        (message.epoch != epoch, "epoch"),
        (message.as_of > now + FUTURE_SECONDS, "future"),
    ):
        if wrong:
            raise _refused(what)


def _applied(lines: Mapping[int, Line], entries: Iterable[tuple[int, Line]]) -> dict[int, Line]:
    held = dict(lines)
    for index, line in entries:
        # An index that has no restriction any more needs no place.
        if any(state for _, state in line):
            held[index] = line
        else:
            held.pop(index, None)
    return held


def _entry(raw: Any, size: int) -> tuple[int, Line]:
    index, segments = _list(raw)
    found: list[tuple[int, ListState]] = []
    last = -1
    for segment in _list(segments):
        start, state = _list(segment)
        if _number(start) <= last:
            raise ValueError("the segments are not in order")
        last = start
        found.append((start, _STATES[_number(state, len(_STATES) - 1)]))
    if len(found) > SEGMENTS_MAX:
        raise ValueError("too many segments")
    return _number(index, size - 1), tuple(found)


def _places(raw: Any, size: int) -> dict[str, frozenset[int]]:
    if not isinstance(raw, dict):
        raise TypeError("no places")
    return {
        venue: frozenset(_number(index, size - 1) for index in _list(indices))
        for venue, indices in raw.items()
    }


def _number(raw: Any, most: int = _WHOLE_MAX) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= most:
        raise ValueError("not a number in range")
    return raw


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise TypeError("not a text")
    return raw


def _list(raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise TypeError("not a list")
    return raw


def _refused(what: str) -> ProblemError:
    return ProblemError(
        Problem(
            code=f"codes.feed_{what}",
            message=f"A message of the status feed is refused ({what}).",
            remedy="Keep what is held and ask the gateway again.",
        )
    )
