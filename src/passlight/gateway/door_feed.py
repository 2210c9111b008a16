"""The status feed for doors: the book as signed messages, whole or as a change (PL1 6).

What a message says of an index is its line in time up to the epoch's end. Entries are made once
for everybody who holds the same, and a message is signed once for all doors of the same venues:
five hundred gates that poll cost one signature a change. Entries are in the order of indices,
for the order of ordinals would link the days.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from passlight.core.codes.envelope import STATUSES, seal_envelope
from passlight.core.codes.epochs import OVERLAP_MINUTES, epoch_at, epoch_end_seconds
from passlight.core.codes.permutation import EpochPermutation
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.colour import Colour
from passlight.core.verification.feed import SEGMENTS_MAX
from passlight.core.verification.status_source import ListState
from passlight.gateway.auth import Principal
from passlight.gateway.book import Segment, StatusBook
from passlight.gateway.errors import RefusedError
from passlight.gateway.keys import NoKeyError
from passlight.gateway.limits import BoundedMap
from passlight.gateway.published import Published

# A list is given out a little before its epoch begins, so that no door is without one at 04:00.
LEAD_SECONDS: Final = 900
OVERLAP_SECONDS: Final = OVERLAP_MINUTES * 60
MESSAGES_KEPT: Final = 128
WHOLES_KEPT: Final = 4
SMALL_BYTES: Final = 256 * 1024

STATES: Final[Mapping[Colour, ListState]] = {
    Colour.GREEN: ListState.NO_RESTRICTION,
    Colour.YELLOW: ListState.YELLOW,
    Colour.RED: ListState.RED,
    Colour.UNKNOWN: ListState.WITHDRAWN,
    Colour.CLOSED: ListState.WITHDRAWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """When the message of an epoch may be read: changes outside of it are not in it.

    The second of a past change is one person's: in two epochs it would link their two indices.
    """

    begin: int
    end: int

    @classmethod
    def of(cls, epoch: int, *, offset: int) -> "_Span":
        begin = epoch_end_seconds(epoch - 1, offset=offset) - LEAD_SECONDS
        return cls(begin=begin, end=epoch_end_seconds(epoch, offset=offset) + OVERLAP_SECONDS)


@dataclass(slots=True, kw_only=True)
class _Table:
    """The restricted indices of one epoch, up to one number of one book."""

    book: StatusBook
    permutation: EpochPermutation
    seq: int
    entries: dict[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What decides a message: who holds the same and asks for the same gets the same."""

    source: str
    epoch: int
    since: int
    seq: int
    as_of: int
    venues: frozenset[str]
    staffed: int


class DoorFeed:
    """Makes the messages; its memory is bounded by the restricted people of three epochs."""

    def __init__(self, published: Published, *, clock: Clock) -> None:
        self._published = published
        self._clock = clock
        self._tables: dict[int, _Table] = {}
        self._small: BoundedMap[_Asked, bytes] = BoundedMap(MESSAGES_KEPT)
        self._large: BoundedMap[_Asked, bytes] = BoundedMap(WHOLES_KEPT)
        self._lock: asyncio.Lock | None = None
        self.signed = 0
        """How many messages were signed; for the health of the peak, and for tests."""

    async def message(self, principal: Principal, *, epoch: int, since: int) -> bytes:
        """Return the signed message of an epoch for a door that holds ``since``.

        Raises:
            RefusedError: 503 without a book or key, 404 for an epoch that no door needs now.
        """
        book = self._published.book
        if book.as_of is None:
            raise RefusedError(503, "no-book", retry_after=2)
        self._check_epoch(epoch)
        # In this order: a book that moves on in between is never said to be younger than it is.
        as_of, seq = int(book.as_of.timestamp()), book.seq
        asked = _Asked(
            source=book.source,
            epoch=epoch,
            since=since,
            seq=seq,
            as_of=as_of,
            venues=principal.venues,
            staffed=self._published.staffed,
        )
        if self._lock is None:
            self._lock = asyncio.Lock()
        async with self._lock:
            found = self._small.get(asked) or self._large.get(asked)
            if found is None:
                found = await asyncio.to_thread(self._make, book, asked)
                (self._small if len(found) <= SMALL_BYTES else self._large).put(asked, found)
        return found

    def _check_epoch(self, epoch: int) -> None:
        now = int(self._clock.now().timestamp())
        try:
            offset = self._published.keys.offset
        except NoKeyError:
            raise RefusedError(503, "no-key", retry_after=2) from None
        moments = (now - OVERLAP_SECONDS, now, now + LEAD_SECONDS)
        if epoch not in {epoch_at(moment, offset=offset) for moment in moments}:
            raise RefusedError(404, "wrong-epoch")

    def _make(self, book: StatusBook, asked: _Asked) -> bytes:
        keys = self._published.keys
        try:
            permutation, signer = keys.permutation(asked.epoch), keys.list_issuer()
            span = _Span.of(asked.epoch, offset=keys.offset)
        except NoKeyError:
            raise RefusedError(503, "no-key", retry_after=2) from None
        changed = book.changed_since(asked.since) if asked.since else None
        since = 0 if changed is None else asked.since
        if changed is None:
            entries = self._whole(book, permutation, span=span, asked=asked)
        else:
            entries = _entries(book, permutation, changed, span=span)
        head = {
            "realm": keys.realm,
            "epoch": asked.epoch,
            "size": permutation.size,
            "as_of": asked.as_of,
            "seq": asked.seq,
            "since": since,
            "staff": _places(self._published.staff, asked.venues, permutation),
            "started": _places(self._published.started, asked.venues, permutation),
        }
        listed = b",".join(entry for _, entry in sorted(entries.items()))
        payload = json.dumps(head, separators=(",", ":")).encode()[:-1]
        self.signed += 1
        return seal_envelope(
            payload + b',"entries":[' + listed + b"]}", kind=STATUSES, signer=signer
        )

    def _whole(
        self, book: StatusBook, permutation: EpochPermutation, *, span: _Span, asked: _Asked
    ) -> dict[int, bytes]:
        """Return all restricted indices, made once an epoch and then kept up."""
        self._forget(asked.epoch)
        table = self._tables.get(asked.epoch)
        changed = None
        if table is not None and table.book is book and table.permutation is permutation:
            changed = book.changed_since(table.seq)
        if table is None or changed is None:
            table = _Table(book=book, permutation=permutation, seq=asked.seq)
            changed = set(book.restricted(span.end))
            self._tables[asked.epoch] = table
        for index, entry in _entries(book, permutation, changed, span=span).items():
            if entry.endswith(_FREE):
                table.entries.pop(index, None)
            else:
                table.entries[index] = entry
        table.seq = asked.seq
        return table.entries

    def _forget(self, epoch: int) -> None:
        """Drop the tables of epochs that are over."""
        for past in [other for other in self._tables if other < epoch - 1]:
            del self._tables[past]


_FREE: Final = b"[[0,0]]]"


def _entries(
    book: StatusBook, permutation: EpochPermutation, ordinals: Iterable[int], *, span: _Span
) -> dict[int, bytes]:
    """Return what a message says of these people, by index."""
    found = {}
    for ordinal in ordinals:
        line = book.line(ordinal)
        if line is not None and ordinal < permutation.size:
            index = permutation.index_of(ordinal)
            states = json.dumps(_line(line.segments, span), separators=(",", ":"))
            found[index] = f"[{index},{states}]".encode()
    return found


def _line(segments: Iterable[Segment], span: _Span) -> list[list[int]]:
    """Return a line as states, each only where it differs from the one before."""
    found: list[list[int]] = []
    for segment in segments:
        state = int(STATES[segment.colour])
        if segment.start <= span.begin:
            found = [[0, state]]
        elif segment.start <= span.end and (not found or found[-1][1] != state):
            found.append([segment.start, state])
    return found[:SEGMENTS_MAX]


def _places(
    people: Mapping[str, frozenset[int]], venues: frozenset[str], permutation: EpochPermutation
) -> dict[str, list[int]]:
    return {
        venue: sorted(
            permutation.index_of(ordinal)
            for ordinal in people.get(venue, ())
            if ordinal < permutation.size
        )
        for venue in sorted(venues)
        if people.get(venue)
    }
