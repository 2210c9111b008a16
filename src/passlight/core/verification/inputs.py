"""What verification is told besides the text: policy, clock state, a document that was read."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from passlight.core.codes.layout import Suite
from passlight.core.codes.tag import document_tag

DISCIPLINE_SECONDS: Final = 7 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationPolicy:
    """How old a door's knowledge may be, and whether this is an admission point.

    ``suites`` are the signature suites that this verifier knows; one without ES256 says
    ``suite``, one with it ``key-purpose``, to a code that announces it under another key.
    """

    freshness_seconds: int
    admission_point: bool = True
    suites: frozenset[int] = frozenset({int(Suite.ED25519)})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
    """What a verifier knows of its own clock (PL1 7); seconds are POSIX seconds.

    ``floor`` is the latest moment that certainly has passed: the highest ``as_of`` of any
    list, or a stored instant. ``power_cut`` is set on a board that has no clock of its own.
    """

    disciplined_at: int
    floor: int = 0
    power_cut: bool = False

    def is_trusted(self, *, now: int) -> bool:
        """Return whether a time may be judged by this clock."""
        if self.power_cut or now < self.floor:
            return False
        return 0 <= now - self.disciplined_at <= DISCIPLINE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneDocument:
    """A document read by a certified reader beside a phone code, never a typed one (PL1 2.6).

    ``tag_keys`` are those on the device, by epoch; without the code's epoch nothing is compared.
    """

    document_type: str
    number: str
    tag_keys: Mapping[int, bytes] = field(default_factory=dict, repr=False)

    def agrees(self, *, index: int, epoch: int, tag: int) -> bool | None:
        """Return whether the code's tag is this document's; None without the epoch's key."""
        key = self.tag_keys.get(epoch)
        if key is None:
            return None
        return tag == document_tag(
            key, index=index, document_type=self.document_type, number=self.number
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetDocument:
    """The masked name and the birthday (month, day) of a document beside a paper code."""

    masked_name: str
    birth: tuple[int, int] | None = None

    def agrees(self, *, name: str, birth: tuple[int, int]) -> bool:
        """Return whether the signed name, and the birthday where both know it, are the same."""
        same_name = hmac.compare_digest(
            sha256(self.masked_name.encode()).digest(), sha256(name.encode()).digest()
        )
        known = self.birth is not None and birth != (0, 0)
        return same_name and (not known or self.birth == birth)
