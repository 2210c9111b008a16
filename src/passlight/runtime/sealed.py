"""Sealed handles: what a checker holds to name a person without knowing who it is.

AES-256-GCM under the key of purpose ``lookup``; the gateway seals and the office opens, or
the other way round. A handle names an ordinal, the checker it was made for and the venue,
and lives 120 s at most, so a copied one is worth nothing to anybody else and soon to nobody.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from passlight.core.kernel.base64url import base64url, from_base64url
from passlight.core.kernel.entropy import Entropy
from passlight.runtime.keys import KeyFolder

PURPOSE = "lookup"
LIFE = timedelta(seconds=120)
NONCE = 12
LONGEST = 1024


class Use(StrEnum):
    """What a handle is good for; one is never accepted in the other's place."""

    LOOKUP = "lookup"
    """Gateway to office: show this person's masked identity."""
    SUBJECT = "subject"
    """Office to gateway: answer for this person, found by document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """What a sealed handle says."""

    ordinal: int
    checker: str
    venue: str
    expires_at: datetime


class SealedError(ValueError):
    """A handle that is not good; ``reason`` is ``broken``, ``expired`` or ``other-checker``."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Sealer:
    """Seals and opens handles under one key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def of(cls, keys: KeyFolder, entropy: Entropy) -> "Sealer":
        """Return the sealer of this installation, making its key first when there is none."""
        return cls(keys.read_or_make(PURPOSE, entropy))

    def seal(
        self, use: Use, *, ordinal: int, checker: str, venue: str, now: datetime, entropy: Entropy
    ) -> str:
        """Return a handle for ``checker`` at ``venue`` that lives 120 s from ``now``."""
        expires = int((now + LIFE).timestamp())
        content = json.dumps([ordinal, checker, venue, expires], separators=(",", ":"))
        nonce = entropy.token(NONCE)
        sealed = self._cipher.encrypt(nonce, content.encode(), _context(use))
        return base64url(nonce + sealed)

    def open(self, use: Use, text: str, *, checker: str, now: datetime | None) -> Handle:
        """Return what the handle says, when it is ours, of this use, this checker's and alive.

        Without ``now`` its age does not count: for a record that waited for the network.

        Raises:
            SealedError: otherwise.
        """
        if not text or len(text) > LONGEST:
            raise SealedError("broken")
        try:
            data = from_base64url(text)
            content = self._cipher.decrypt(data[:NONCE], data[NONCE:], _context(use))
        except (InvalidTag, ValueError):
            raise SealedError("broken") from None
        ordinal, owner, venue, expires = json.loads(content)
        handle = Handle(
            ordinal=ordinal,
            checker=owner,
            venue=venue,
            expires_at=datetime.fromtimestamp(expires, UTC),
        )
        if now is not None and now >= handle.expires_at:
            raise SealedError("expired")
        if owner != checker:
            raise SealedError("other-checker")
        return handle


def _context(use: Use) -> bytes:
    return f"passlight/sealed/{use}/1".encode()
