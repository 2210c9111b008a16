"""What a door knows without asking anybody: trust list, door document, status feed (PL1 6, 8).

Everything is taken only with the realm's signature, and never older than what was held before:
the sequence of the trust list, the moment of the door document and the place in the feed are
kept and do not fall, also through a restart. What is refused leaves what is held as it was.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from nacl.public import PublicKey

from passlight.core.codes import envelope
from passlight.core.codes.epochs import OVERLAP_MINUTES, epoch_at
from passlight.core.codes.layout import Purpose
from passlight.core.codes.trust import TrustList, open_trust_list
from passlight.core.entry.door_document import DoorDocument, door_from_json
from passlight.core.kernel.base64url import base64url, from_base64url
from passlight.core.kernel.limits import DOOR_DOCUMENT_BYTES_MAX
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.verification.feed import (
    FeedMessage,
    FeedSource,
    StatusFeed,
    first_feed,
    open_message,
)
from passlight.gate.files import StateFolder
from passlight.gate.timekeeping import TimeKeeper

TRUST: Final = "trust.json"
DOOR: Final = "door.json"
FEEDS: Final = "feeds.json"
FLOORS: Final = "floors.json"
# After so many changes the whole is fetched again, so that a restart reads little.
CHANGES_MAX: Final = 500

_LEAD_SECONDS = 600


@dataclass(slots=True)
class _Held:
    """One epoch's feed, and the signed messages that it was made of."""

    feed: StatusFeed
    messages: list[bytes] = field(default_factory=list)
    idle: bool = False
    """Whether the last message changed nothing but the age: the next takes its place."""


class Knowledge:
    """The signed knowledge of one door, in memory and on its disk."""

    def __init__(
        self,
        folder: StateFolder,
        keeper: TimeKeeper,
        *,
        realm: str,
        roots: tuple[bytes, ...],
        venue: str,
        entrance: str,
    ) -> None:
        self.realm = realm
        self.trust: TrustList | None = None
        self.door: DoorDocument | None = None
        self.seal: PublicKey | None = None
        self._folder = folder
        self._keeper = keeper
        self._roots = roots
        self._place = (venue, entrance)
        self._feeds: dict[int, _Held] = {}
        self._feeds_stored = True
        floors = folder.read_json(FLOORS) or {}
        self._trust_least = _whole(floors, "trust_sequence")
        self._door_least = _whole(floors, "door_made_at")
        self._feed_least: dict[int, tuple[int, int]] = {
            int(epoch): (int(pair[0]), int(pair[1]))
            for epoch, pair in dict(floors.get("feeds", {})).items()
        }
        self._restore()

    # What the door asks.

    def source(self, now: int) -> FeedSource:
        """Return the feeds as a source of statuses at ``now``."""
        return FeedSource(feeds=[held.feed for held in self._feeds.values()], now=now)

    def feed(self, epoch: int) -> StatusFeed | None:
        """Return what is held of an epoch."""
        held = self._feeds.get(epoch)
        return held.feed if held is not None else None

    @property
    def as_of(self) -> int | None:
        """Return the moment of the newest knowledge of statuses."""
        return max((held.feed.as_of for held in self._feeds.values()), default=None)

    def gap(self, now: int) -> Literal["no-door", "no-seal", "door-old"] | None:
        """Return what is missing for a decision by rules that are in force, or None."""
        if self.door is None:
            return "no-door"
        if self.seal is None:
            return "no-seal"
        return None if in_force(self.door, now) else "door-old"

    @property
    def freshness_seconds(self) -> int:
        """Return how old statuses may be here: the strictest policy's; nought without a door."""
        if self.door is None:
            return 0
        return min(policy.freshness_seconds for policy in self.door.policies)

    @property
    def offset(self) -> int | None:
        """Return the realm's offset from UTC in minutes, once a trust list said so."""
        realm = self.trust.realms.get(self.realm) if self.trust is not None else None
        return realm.offset if realm is not None else None

    # What the uplink brings.

    def epochs(self, now: int) -> list[int]:
        """Return the epochs whose codes may be shown at ``now`` or in ten minutes."""
        if self.offset is None:
            return []
        moments = (now - OVERLAP_MINUTES * 60, now, now + _LEAD_SECONDS)
        return sorted({max(0, epoch_at(moment, offset=self.offset)) for moment in moments})

    def since(self, epoch: int) -> int:
        """Return from where the gateway shall tell the changes; 0 for the whole."""
        held = self._feeds.get(epoch)
        return held.feed.seq if held and len(held.messages) <= CHANGES_MAX else 0

    def take_trust(self, document: bytes) -> None:
        """Use a trust list from now on.

        Raises:
            ProblemError: nobody known signed it, it is malformed, or an older one.
            OSError: it cannot be kept.
        """
        trust = open_trust_list(
            document, realm=self.realm, roots=self._roots, sequence_min=self._trust_least
        )
        if self.trust is not None and trust.sequence == self.trust.sequence:
            return
        self._folder.write(TRUST, document)
        self._trust_least = trust.sequence
        self.trust = trust
        self.store_floors()

    def take_door(self, document: bytes) -> None:
        """Use a door document from now on.

        Raises:
            ProblemError: nobody known signed it, it is for another door, older than the one
                held, from the future, or its policies have a gap.
            OSError: it cannot be kept.
        """
        door, seal = self._opened_door(document)
        made_at = int(door.made_at.timestamp())
        if made_at < self._door_least:
            raise _refused("door-older", "The door document is older than the one held.")
        if not self._keeper.allows(made_at):
            raise _refused("door-future", "The door document is from the future.")
        if made_at > self._door_least or self.door is None:
            self._folder.write(DOOR, document)
            self._door_least = made_at
            self.store_floors()
        self.door, self.seal = door, seal

    def take_feed(self, document: bytes, *, epoch: int) -> int:
        """Apply a message of the status feed and return the moment it is of.

        Raises:
            ProblemError: nobody known signed it, it falls back, leaves a gap or is from the
                future; what is held stays, and only grows old.
        """
        message = open_message(document, realm=self.realm, keys=self._list_keys())
        if not self._keeper.allows(message.as_of):
            raise _refused("feed-future", "The status feed is from the future.")
        least_seq, least_as_of = self._feed_least.get(epoch, (0, 0))
        if message.seq < least_seq or message.as_of < least_as_of:
            raise _refused("feed-older", "The status feed is older than what was held.")
        self._apply(message, document, epoch=epoch, now=message.as_of)
        self._feed_least[epoch] = (message.seq, message.as_of)
        self._keeper.raise_floor(message.as_of)
        self._feeds_stored = False
        return message.as_of

    def store(self) -> None:
        """Keep feeds and floors for the next start; called every minute, not at every change.

        Raises:
            OSError: the disk is full or broken.
        """
        self.write(self.prepared())

    def prepared(self) -> dict[str, Any]:
        """Return the files to write, as they are at this moment; the loop goes on meanwhile."""
        self._forget_epochs()
        files: dict[str, Any] = {}
        if not self._feeds_stored:
            files[FEEDS] = {
                str(epoch): [base64url(message) for message in held.messages]
                for epoch, held in self._feeds.items()
            }
        files[FLOORS] = self._floors()
        return files

    def write(self, files: Mapping[str, Any]) -> None:
        """Write what was prepared; in a thread, for a card may stall.

        Raises:
            OSError: the disk is full or broken.
        """
        for name, value in files.items():
            self._folder.write_json(name, value)
        if FEEDS in files:
            self._feeds_stored = True

    def store_floors(self) -> None:
        """Keep what must never fall.

        Raises:
            OSError: the disk is full or broken.
        """
        self._folder.write_json(FLOORS, self._floors())

    def _floors(self) -> dict[str, Any]:
        return {
            "trust_sequence": self._trust_least,
            "door_made_at": self._door_least,
            "feeds": {str(epoch): list(pair) for epoch, pair in self._feed_least.items()},
        }

    def _opened_door(self, document: bytes) -> tuple[DoorDocument, PublicKey]:
        payload = envelope.open_envelope(
            document,
            kind=envelope.DOOR,
            realm=self.realm,
            keys=self._list_keys(),
            bytes_max=DOOR_DOCUMENT_BYTES_MAX,
        )
        try:
            raw = json.loads(payload)
            seal = PublicKey(from_base64url(raw["seal"]))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise _refused("door-malformed", "The door document has no key to seal to.") from error
        door = door_from_json(raw)
        if (door.realm, str(door.venue), door.entrance) != (self.realm, *self._place):
            raise _refused("door-other", "The door document is for another door.")
        return door, seal

    def _list_keys(self) -> list[bytes]:
        """Return who may sign: the pinned roots, and the list keys that their list names."""
        named = self.trust.of_purpose(Purpose.LIST, realm=self.realm) if self.trust else []
        return [*self._roots, *(key.public_key for key in named)]

    def _apply(self, message: FeedMessage, document: bytes, *, epoch: int, now: int) -> None:
        held = self._feeds.get(epoch)
        if held is None:
            feed = first_feed(message, realm=self.realm, epoch=epoch, now=now)
            self._feeds[epoch] = _Held(feed=feed, messages=[document])
            return
        before = held.feed.seq
        held.feed = held.feed.apply(message, now=now)
        kept = held.messages[:-1] if held.idle else held.messages
        held.messages = [*kept, document] if message.since else [document]
        held.idle = bool(message.since) and message.seq == before and not message.entries

    def _forget_epochs(self) -> None:
        """Drop the arrays of epochs that are over: indices of former days stay nowhere."""
        wanted = self.epochs(self._keeper.now()) if self._keeper.is_sure else None
        if not wanted:
            return
        for epoch in [epoch for epoch in self._feeds if epoch < wanted[0]]:
            del self._feeds[epoch]
            self._feeds_stored = False
        for epoch in [epoch for epoch in self._feed_least if epoch < wanted[0]]:
            del self._feed_least[epoch]

    def _restore(self) -> None:
        """Read what was held; everything is checked as if it had just come."""
        for name, take in ((TRUST, self._restore_trust), (DOOR, self._restore_door)):
            document = self._folder.read(name)
            try:
                if document is not None:
                    take(document)
            except ProblemError:
                self._folder.put_aside(name)
        self._restore_feeds(self._folder.read_json(FEEDS) or {})

    def _restore_trust(self, document: bytes) -> None:
        self.trust = open_trust_list(
            document, realm=self.realm, roots=self._roots, sequence_min=self._trust_least
        )
        self._trust_least = self.trust.sequence

    def _restore_door(self, document: bytes) -> None:
        self.door, self.seal = self._opened_door(document)
        self._door_least = max(self._door_least, int(self.door.made_at.timestamp()))

    def _restore_feeds(self, stored: Mapping[str, Any]) -> None:
        for epoch, messages in stored.items():
            try:
                for text in messages:
                    document = from_base64url(text)
                    message = open_message(document, realm=self.realm, keys=self._list_keys())
                    self._apply(message, document, epoch=int(epoch), now=message.as_of)
                    self._keeper.raise_floor(message.as_of)
            except (ProblemError, ValueError, TypeError):
                self._feeds.pop(int(epoch), None)
        for epoch_held, held in self._feeds.items():
            least = self._feed_least.get(epoch_held, (0, 0))
            found = (held.feed.seq, held.feed.as_of)
            self._feed_least[epoch_held] = (max(least[0], found[0]), max(least[1], found[1]))


def in_force(door: DoorDocument, now: int) -> bool:
    """Return whether a door may still decide by its document."""
    return door.is_in_force(datetime.fromtimestamp(now, UTC))


def _whole(floors: Mapping[str, Any], name: str) -> int:
    value = floors.get(name, 0)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _refused(code: str, message: str) -> ProblemError:
    return ProblemError(
        Problem(code=f"gate.{code}", message=message, remedy="What was held stays in use.")
    )
