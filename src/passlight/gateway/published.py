"""What the office publishes, as this gateway holds it in memory, and its copy on disk.

The copy lets a gateway start while the database is away; its age goes on counting from its
own ``as_of``, so an old copy answers *undetermined* and never a stale colour.
"""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from passlight.core.codes.trust import unverified_payload
from passlight.core.entry.door_document import DoorDocument, door_from_text
from passlight.gateway.auth import Revocations
from passlight.gateway.book import StatusBook
from passlight.gateway.keys import CodeKeys

MAGIC = b"passlight gateway copy 2\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """One door of a venue."""

    code: str
    zone: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """A venue as far as a gateway needs it."""

    id: str
    name: str
    name_en: str
    address: str
    freshness_seconds: int
    active: bool
    entrances: Mapping[str, Entrance]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """The published words behind a colour."""

    reason: Mapping[str, str]
    advice: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedDoor:
    """A door document as the office signed it, and what it says."""

    version: int
    document: bytes
    door: DoorDocument


def read_door(document: bytes, *, version: int) -> PublishedDoor:
    """Return a signed door document, read; it came from the office's own table.

    Raises:
        ProblemError: it says something that no door understands.
    """
    door = door_from_text(unverified_payload(document))
    return PublishedDoor(version=version, document=document, door=door)


@dataclass(slots=True, kw_only=True)
class Published:
    """All that the office publishes; written by the follower's thread alone."""

    keys: CodeKeys
    book: StatusBook = field(default_factory=StatusBook)
    reasons: dict[str, Reason] = field(default_factory=dict)
    venues: Mapping[str, Venue] = field(default_factory=dict)
    doors: Mapping[tuple[str, str], PublishedDoor] = field(default_factory=dict)
    """By venue and entrance."""
    staff: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Ordinals of the staff of a venue; ``started``: whose day there has begun."""
    started: Mapping[str, frozenset[int]] = field(default_factory=dict)
    staffed: int = 0
    """Counts the changes of the two, for whoever keeps what was made of them."""
    revocations: Revocations = field(default_factory=Revocations)
    connected: bool = False

    def book_age(self, now: datetime) -> float | None:
        """Return how many seconds ago the book was known to be right; None without a book."""
        as_of = self.book.as_of
        return None if as_of is None else max(0.0, (now - as_of).total_seconds())


def save_copy(published: Published, path: Path, *, key: bytes) -> None:
    """Write everything to one file, whole or not at all."""
    book, columns = published.book.dump()
    revocations = published.revocations
    header = {
        "book": book,
        "reasons": {
            name: {"reason": dict(reason.reason), "advice": dict(reason.advice)}
            for name, reason in published.reasons.items()
        },
        "venues": [_venue_to_json(venue) for venue in published.venues.values()],
        "doors": [
            [*place, door.version, base64.b64encode(door.document).decode()]
            for place, door in published.doors.items()
        ],
        "trust": base64.b64encode(published.keys.document).decode(),
        "revoked": {
            "seq": revocations.seq,
            "grants": sorted(revocations.grants),
            "handles": dict(revocations.handles),
        },
        "columns": [len(column) for column in columns],
    }
    head = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    seal = hmac.new(key, digestmod=hashlib.sha256)
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    with draft.open("wb") as file:
        for part in (MAGIC, head, *columns):
            seal.update(part)
            file.write(part)
        file.write(seal.digest())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def load_copy(published: Published, path: Path, *, key: bytes) -> bool:
    """Fill ``published`` from a copy; return whether there was a sound one."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return False
    content, seal = data[:-32], data[-32:]
    if not hmac.compare_digest(seal, hmac.new(key, content, hashlib.sha256).digest()):
        return False  # cut, damaged or not ours: as good as none
    if not content.startswith(MAGIC):
        return False
    end = content.index(b"\n", len(MAGIC)) + 1
    header: dict[str, Any] = json.loads(content[len(MAGIC) : end])
    book = StatusBook()
    columns = []
    for size in header["columns"]:
        columns.append(content[end : end + size])
        end += size
    book.restore(header["book"], columns)
    published.reasons = {
        name: Reason(reason=entry["reason"], advice=entry["advice"])
        for name, entry in header["reasons"].items()
    }
    published.venues = {entry["id"]: _venue_of_json(entry) for entry in header["venues"]}
    published.doors = {
        (venue, entrance): read_door(base64.b64decode(document), version=version)
        for venue, entrance, version, document in header["doors"]
    }
    revoked = header["revoked"]
    published.revocations.grants.update(revoked["grants"])
    published.revocations.handles.update(revoked["handles"])
    if header["trust"]:
        published.keys.take(base64.b64decode(header["trust"]))
    published.book = book
    return True


def _venue_to_json(venue: Venue) -> dict[str, Any]:
    return {
        "id": venue.id,
        "name": venue.name,
        "name_en": venue.name_en,
        "address": venue.address,
        "freshness_seconds": venue.freshness_seconds,
        "active": venue.active,
        "entrances": [
            {"code": e.code, "zone": e.zone, "name": e.name, "name_en": e.name_en}
            for e in venue.entrances.values()
        ],
    }


def _venue_of_json(entry: dict[str, Any]) -> Venue:
    doors = {door["code"]: Entrance(**door) for door in entry["entrances"]}
    return Venue(**{**entry, "entrances": doors})
