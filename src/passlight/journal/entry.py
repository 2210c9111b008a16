"""What the journal keeps: entries, and what it answers about them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import rfc8785


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record on its way to the office.

    ``claim`` is what the sender said and nothing that we added: a repeated sending is
    recognised by it. ``note`` is a short mark that outlives the draining of the entry, for
    limits that must survive a kill -9.
    """

    key: str
    kind: str
    actor: str
    occurred_at: datetime
    claim: Mapping[str, Any]
    fields: Mapping[str, Any] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 of what the sender said, in canonical JSON (RFC 8785)."""
        return hashlib.sha256(
            rfc8785.dumps({"kind": self.kind, "actor": self.actor, "claim": dict(self.claim)})
        ).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The journal's answer after the entry is on disk."""

    key: str
    acknowledged_at: datetime
    repeated: bool
    """The same entry was there already; ``acknowledged_at`` is the first one's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An entry as the spool holds it, waiting to be drained."""

    seq: int
    key: str
    digest: bytes
    body: bytes
    acknowledged_at: datetime


class JournalError(Exception):
    """The journal did not take an entry; it was not acknowledged and may be sent again."""


class ConflictError(JournalError):
    """The key was used before for something else."""


class FullError(JournalError):
    """The spool has reached its bound, or the disk is full."""


class BusyError(JournalError):
    """More entries wait to be written than the writer may hold."""
