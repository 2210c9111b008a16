"""A reading: one scanned text on its way through the checks, and what they found so far."""

from dataclasses import dataclass, field
from typing import Final

from passlight.core.codes.layout import BODY_LENGTH, SIGNED_LENGTH, Body, CodeKind, Purpose
from passlight.core.codes.trust import TrustedKey, TrustList
from passlight.core.verification.answer import Answer
from passlight.core.verification.inputs import (
    ClockState,
    PhoneDocument,
    SheetDocument,
    VerificationPolicy,
)
from passlight.core.verification.replay import ReplaySet, Sighting
from passlight.core.verification.status_source import ListState, StatusSource, StatusView

# Step 18: a hot code's start must be later than the list by more than this to outrank it.
OUTRANK_SECONDS: Final = 60
LINK_OFFSET: Final = 100


@dataclass(slots=True, kw_only=True)
class Reading:
    """One text on its way through the checks; what earlier checks found, later ones use."""

    text: str
    now: int
    trust: TrustList
    source: StatusSource
    policy: VerificationPolicy
    replay: ReplaySet
    clock: ClockState
    interaction: str
    document: PhoneDocument | SheetDocument | None

    raw: bytes = b""
    body: Body = field(init=False)
    key: TrustedKey = field(init=False)
    view: StatusView = field(init=False)
    state: ListState = ListState.NO_RESTRICTION
    signed: bool = False
    epoch: int | None = None
    known_at: int | None = None
    sighting: Sighting | None = None
    same_interaction: Answer | None = None

    @property
    def is_phone(self) -> bool:
        """Return whether this is a phone code: by its length, which is one of two."""
        return self.body.purpose is Purpose.PHONE

    @property
    def slot(self) -> int:
        """Return the slot that the phone claims."""
        return int.from_bytes(self.raw[SIGNED_LENGTH:LINK_OFFSET], "big")

    @property
    def slot_now(self) -> int:
        """Return the slot that the clock says."""
        return (self.now - self.body.starts_at) // self.body.slot_seconds

    @property
    def outranks(self) -> bool:
        """Return whether the code knows more than the list: hot, and newer by over a minute."""
        newer = self.body.starts_at > self.view.as_of + OUTRANK_SECONDS
        return newer and self.body.kind is CodeKind.HOT

    @property
    def worst(self) -> int:
        """Return the worst of code and list, 1…3; paper has no colour and counts as green."""
        own = self.body.colour if self.is_phone else 1
        if own == 0 or self.state is ListState.WITHDRAWN:
            return 0
        return max(own, self.state + 1)


def take(reading: Reading, raw: bytes) -> None:
    """Give a reading its bytes; the length alone says which layout they have."""
    purpose = Purpose.PHONE if len(raw) > SIGNED_LENGTH else Purpose.PAPER
    reading.raw = raw
    reading.body = Body.decode(raw[:BODY_LENGTH], purpose=purpose)
