"""A resident's code on a phone: the chain made there, and what it shows (PL1 2.4, 3, 4)."""

from dataclasses import dataclass
from typing import Any

from passlight.core.codes.chain import VALUE_LENGTH, chain
from passlight.core.codes.issuing import phone_text
from passlight.core.codes.layout import (
    BODY_LENGTH,
    HOT_LIFETIME,
    SIGNED_LENGTH,
    SLOT_SECONDS,
    START_ZERO,
    Body,
    Purpose,
    chain_salt,
    minutes_of,
    phone_lifetime_seconds,
)
from passlight.core.kernel.base64url import from_base64url
from passlight.core.kernel.entropy import Entropy

SLOT_CODE = 1
CHAIN_BINDING = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A chain that waits for its signature; its seed never leaves the phone."""

    start: int
    lifetime: int
    slot_code: int
    values: tuple[bytes, ...]

    @property
    def request(self) -> dict[str, Any]:
        """Return what is sent to the gateway."""
        return {
            "start": self.start,
            "lifetime": self.lifetime,
            "slot_code": self.slot_code,
            "anchor": self.values[0].hex(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCode:
    """A code on the phone: bytes 0…97 and the chain behind its anchor."""

    signed: bytes
    draft: Draft

    @property
    def starts_at(self) -> int:
        """Return its first moment, POSIX seconds."""
        return START_ZERO + 60 * self.draft.start

    @property
    def ends_at(self) -> int:
        """Return the first moment at which it is over, POSIX seconds."""
        return self.starts_at + phone_lifetime_seconds(self.draft.lifetime)

    def slot_at(self, now: float) -> int:
        """Return the slot of a moment; outside of the code's life there is none.

        Raises:
            ValueError: when the code has not begun or is over.
        """
        if not self.starts_at <= now < self.ends_at:
            raise ValueError("This code is not good now; fetch another.")
        return int(now - self.starts_at) // SLOT_SECONDS[self.draft.slot_code]

    def show(self, now: float) -> str:
        """Return the text of the QR at ``now``."""
        slot = self.slot_at(now)
        return phone_text(self.signed, slot=slot, value=self.draft.values[slot + 1])


def draft(
    *, now: float, entropy: Entropy, lifetime: int = HOT_LIFETIME, start: int | None = None
) -> Draft:
    """Return a new chain that starts at the present minute, or at minute ``start``."""
    begins = minutes_of(int(now)) if start is None else start
    slots = phone_lifetime_seconds(lifetime) // SLOT_SECONDS[SLOT_CODE]
    salt = chain_salt(start=begins, lifetime=lifetime, slot_code=SLOT_CODE)
    values = chain(entropy.token(VALUE_LENGTH), salt=salt, slots=slots)
    return Draft(start=begins, lifetime=lifetime, slot_code=SLOT_CODE, values=values)


def take_answer(drafted: Draft, body: str) -> HeldCode:
    """Return the code of a gateway's answer, checked as a phone must (PL1 3.7).

    Raises:
        ValueError: when the answer is for another chain, start, lifetime or slot.
    """
    signed = from_base64url(body)
    if len(signed) != SIGNED_LENGTH:
        raise ValueError("The answer has not 98 bytes.")
    said = Body.decode(signed[:BODY_LENGTH], purpose=Purpose.PHONE)
    asked = (drafted.start, drafted.lifetime, drafted.slot_code, drafted.values[0], CHAIN_BINDING)
    if (said.start, said.lifetime, said.slot_code, said.middle, said.binding) != asked:
        raise ValueError("The answer is for another code than the one asked for.")
    return HeldCode(signed=signed, draft=drafted)
