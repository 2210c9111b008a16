"""Issuing and showing: bodies, signed bytes and the text in the QR (PL1 3, 4)."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from passlight.core.codes import base45, signing
from passlight.core.codes.layout import (
    NO_TEST,
    PREFIX,
    SIGNED_LENGTH,
    Binding,
    Body,
    Purpose,
    Suite,
)
from passlight.core.codes.sampling import encode_test_age


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """A key that signs codes of one realm for one purpose; ``sign`` never shows the secret."""

    realm: str
    purpose: Purpose
    slot_code: int
    public_key: bytes
    sign: Callable[[bytes], bytes]
    kid: bytes

    @classmethod
    def of_seed(cls, seed: bytes, *, realm: str, purpose: Purpose, slot_code: int) -> "Issuer":
        """Return the issuer of a 32-byte Ed25519 seed."""
        public = signing.public_key_of(seed)
        return cls(
            realm=realm,
            purpose=purpose,
            slot_code=slot_code,
            public_key=public,
            sign=signing.signer(seed),
            kid=signing.key_id(
                suite=Suite.ED25519, purpose=purpose, realm=realm, public_key=public
            ),
        )


def issue_phone(
    issuer: Issuer,
    *,
    colour: int,
    start: int,
    lifetime: int,
    sampled_at: int | None,
    index: int,
    anchor: bytes,
    tag: int,
) -> bytes:
    """Return bytes 0…97 of a phone code; ``colour`` is 1, 2 or 3, ``sampled_at`` POSIX seconds."""
    assert issuer.purpose is Purpose.PHONE
    assert colour in {1, 2, 3}, "an unknown status has no code"
    hours, tens = encode_test_age(start=start, sampled_at=sampled_at)
    body = Body(
        purpose=Purpose.PHONE,
        colour=colour,
        binding=Binding.CHAIN,
        slot_code=issuer.slot_code,
        kid=issuer.kid,
        start=start,
        lifetime=lifetime,
        test_hours=hours,
        test_tens=tens,
        index=index,
        middle=anchor,
        byte_32=tag,
        byte_33=0,
    )
    return sign_body(issuer, body.encode())


def paper_body(
    issuer: Issuer, *, start: int, days: int, index: int, name: str, birth: tuple[int, int]
) -> Body:
    """Return the body of a paper code; the name is already masked, the birthday (month, day)."""
    return Body(
        purpose=Purpose.PAPER,
        colour=0,
        binding=Binding.PAPER,
        slot_code=0,
        kid=issuer.kid,
        start=start,
        lifetime=days,
        test_hours=NO_TEST,
        test_tens=0,
        index=index,
        middle=holder_bytes(name),
        byte_32=birth[0],
        byte_33=birth[1],
    )


def holder_bytes(name: str) -> bytes:
    """Return a masked name as 16 bytes: NFC, cut at a character, padded with zeros."""
    kept = ""
    for symbol in unicodedata.normalize("NFC", name):
        if len((kept + symbol).encode()) > 16:  # noqa: PLR2004  # bytes 16…31
            break
        kept += symbol
    return kept.encode().ljust(16, b"\0")


def sign_body(issuer: Issuer, body: bytes) -> bytes:
    """Return a body with its signature: 98 bytes."""
    context = signing.code_context(purpose=issuer.purpose, realm=issuer.realm)
    message = signing.signature_input(kid=issuer.kid, context=context, body=body)
    signed = body + issuer.sign(message)
    assert len(signed) == SIGNED_LENGTH
    return signed


def phone_text(signed: bytes, *, slot: int, value: bytes) -> str:
    """Return what the QR of a phone shows in ``slot``; ``value`` is ``v(slot + 1)``."""
    return PREFIX + base45.encode(signed + slot.to_bytes(2, "big") + value)


def paper_text(signed: bytes) -> str:
    """Return what the QR of a sheet shows."""
    return PREFIX + base45.encode(signed)
