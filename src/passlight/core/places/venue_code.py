"""Venue code (场所码): a signed web address that names a venue, a zone and an entrance.

``<public_url>/v/<token>``; the token is base64url without padding over 106 bytes, big-endian,
offsets fixed, one length only:

====  ===  ========================================================================
off   len  field
====  ===  ========================================================================
0     1    version (high 4 bits) = 1, suite (low 4) = 1: Ed25519
1     1    presence (high 2): 1 weak, 2 strong, 0 and 3 refused; low 6 bits zero
2     4    key id, resolved among the keys of purpose ``venue`` alone
6     16   venue, a UUID
22    8    zone, ASCII ``[a-z0-9-]``, padded with zeros; all zero: the whole venue
30    8    entrance, the same alphabet, never empty
38    2    issued: days since 2026-01-01
40    2    ends: the first day on which the code is no longer good
42    64   Ed25519 signature over the COSE ``Sig_structure`` of field/09 2.3 with
           external data ``passlight/venue/<realm>`` and bytes 0…41 as the body
====  ===  ========================================================================

A code on paper says that somebody read it, not that he stood there: 871 people were turned
red through a forwarded picture of one (field/06 §0). So a poster says *weak* inside its
signature, and weak presence is never a reason for a colour.
"""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from typing import Protocol
from urllib.parse import urlsplit
from uuid import UUID

from passlight.core.kernel.base64url import base64url, from_base64url
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.places.venue import ENTRANCE_CODE, ZONE_CODE

TOKEN_BYTES = 106
TOKEN_CHARACTERS = 142
BODY_BYTES = 42
URL_CHARACTERS_MAX = 400
DAY_ZERO = date(2026, 1, 1)
LIFETIME_DAYS_MAX = 1100  # three years and a little: a poster must be looked at again some day

_BODY = struct.Struct(">BB4s16s8s8sHH")
_VERSION_AND_SUITE = 0x11
_TOKEN = re.compile(r"[A-Za-z0-9_-]{142}")


class Presence(IntEnum):
    """What reading the code proves about where the reader stands."""

    WEAK = 1  # a poster: anybody may have a picture of it
    STRONG = 2  # a rotating screen, or a member of staff who scans


class VenueCodeError(ProblemError):
    """A venue code is refused; ``reason`` is one of :data:`REASONS`."""

    def __init__(self, reason: str) -> None:
        message, remedy = REASONS[reason]
        super().__init__(Problem(code=f"venues.code-{reason}", message=message, remedy=remedy))
        self.reason = reason


_ASK = "Ask the venue for its current poster, or register at the door."
REASONS: Mapping[str, tuple[str, str]] = {
    "not-url": ("This is no web address.", "Scan the venue code on the poster."),
    "foreign": (
        "This address is not one of Passlight's.",
        "A sticker may cover the poster: do not open it, and tell the venue.",
    ),
    "not-venue": ("This address is no venue code.", "Scan the venue code on the poster."),
    "length": ("The venue code is cut or too long.", "Scan it again."),
    "encoding": ("The venue code is damaged.", "Scan it again."),
    "version": ("The venue code is of a version this installation does not know.", _ASK),
    "reserved": ("The venue code uses bits that mean nothing yet.", _ASK),
    "presence": ("The venue code does not say what it proves.", _ASK),
    "place": ("The venue code names no proper entrance or zone.", _ASK),
    "period": ("The venue code's dates are impossible.", _ASK),
    "key-unknown": ("The venue code is signed with a key that nobody here knows.", _ASK),
    "key-revoked": ("The key of this venue code was withdrawn.", _ASK),
    "key-period": ("The venue code was made outside its key's time.", _ASK),
    "signature": ("The venue code's signature is false.", "Tell the venue: it may be forged."),
    "not-yet": ("The venue code is dated in the future.", _ASK),
    "expired": ("The venue code has ended.", _ASK),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueCode:
    """What a venue code says."""

    venue_id: UUID
    entrance: str
    zone: str = ""
    presence: Presence
    issued_on: date
    ends_on: date
    key_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueKey:
    """A public key of purpose ``venue`` from the trust list; codes are made in [starts, ends)."""

    public_key: bytes
    starts_on: date
    ends_on: date | None = None
    revoked: bool = False


def encode_body(code: VenueCode) -> bytes:
    """Return bytes 0…41."""
    assert ENTRANCE_CODE.fullmatch(code.entrance), code.entrance
    assert ZONE_CODE.fullmatch(code.zone), code.zone
    assert len(code.key_id) == 4, "a key id has four bytes"  # noqa: PLR2004
    issued, ends = (code.issued_on - DAY_ZERO).days, (code.ends_on - DAY_ZERO).days
    assert 0 <= issued < ends <= issued + LIFETIME_DAYS_MAX, (code.issued_on, code.ends_on)
    return _BODY.pack(
        _VERSION_AND_SUITE,
        code.presence << 6,
        code.key_id,
        code.venue_id.bytes,
        code.zone.encode("ascii"),
        code.entrance.encode("ascii"),
        issued,
        ends,
    )


class Sign(Protocol):
    """Signs a body with the key that ``key_id`` names (``core.codes.signing``, or an HSM)."""

    def __call__(self, *, key_id: bytes, context: bytes, body: bytes) -> bytes:
        """Return 64 bytes."""
        ...


class IsSigned(Protocol):
    """Says whether a signature over a body is genuine, strictly (field/09 2.3)."""

    def __call__(
        self, *, key_id: bytes, context: bytes, body: bytes, signature: bytes, public_key: bytes
    ) -> bool:
        """Return whether it is."""
        ...


def signature_context(realm: str) -> bytes:
    """Return the external data of a venue code's signature: purpose and realm are inside."""
    return f"passlight/venue/{realm}".encode("ascii")


def make_venue_token(code: VenueCode, *, realm: str, sign: Sign) -> str:
    """Return the token of ``code``."""
    body = encode_body(code)
    signature = sign(key_id=code.key_id, context=signature_context(realm), body=body)
    assert len(signature) == TOKEN_BYTES - BODY_BYTES
    return base64url(body + signature)


def venue_url(token: str, *, public_url: str) -> str:
    """Return the address that the QR code holds."""
    return f"{public_url.rstrip('/')}/v/{token}"


def token_of_url(text: str, *, public_url: str) -> str:
    """Return the token in a scanned address of this installation (field/06 T11).

    Raises:
        VenueCodeError: ``not-url``, ``foreign`` or ``not-venue``.
    """
    if len(text) > URL_CHARACTERS_MAX or not text.isascii() or not text.isprintable():
        raise VenueCodeError("not-url")
    try:
        scanned, ours = urlsplit(text), urlsplit(public_url)
        ports = (scanned.port, ours.port)
    except ValueError:
        raise VenueCodeError("not-url") from None
    if scanned.scheme not in {"http", "https"} or not scanned.netloc or " " in text:
        raise VenueCodeError("not-url")
    same = (scanned.scheme, scanned.hostname, ports[0]) == (ours.scheme, ours.hostname, ports[1])
    if not same or "@" in scanned.netloc:
        raise VenueCodeError("foreign")
    prefix = f"{ours.path.rstrip('/')}/v/"
    if not scanned.path.startswith(prefix) or scanned.query or scanned.fragment:
        raise VenueCodeError("not-venue")
    return scanned.path.removeprefix(prefix)


def parse_venue_token(token: str) -> tuple[VenueCode, bytes, bytes]:
    """Return what ``token`` says, its body and its signature: well formed, not yet believed.

    Raises:
        VenueCodeError: the first of the free checks that fails.
    """
    if len(token) != TOKEN_CHARACTERS:
        raise VenueCodeError("length")
    if not _TOKEN.fullmatch(token):
        raise VenueCodeError("encoding")
    try:
        raw = from_base64url(token)
    except ValueError:
        raise VenueCodeError("encoding") from None
    if base64url(raw) != token:
        raise VenueCodeError("encoding")  # the last character's spare bits: one text a code
    return _read_body(raw[:BODY_BYTES]), raw[:BODY_BYTES], raw[BODY_BYTES:]


def verify_venue_token(
    token: str, *, realm: str, keys: Mapping[bytes, VenueKey], today: date, is_signed: IsSigned
) -> VenueCode:
    """Return what a genuine and current venue code says.

    ``keys`` holds the keys of purpose ``venue`` alone, by key id; ``today`` is the day in
    the realm's offset.

    Raises:
        VenueCodeError: the first check that fails; nothing of the code may be used then.
    """
    code, body, signature = parse_venue_token(token)
    key = keys.get(code.key_id)
    if key is None:
        raise VenueCodeError("key-unknown")
    if key.revoked:
        raise VenueCodeError("key-revoked")
    if code.issued_on < key.starts_on or (key.ends_on and code.issued_on >= key.ends_on):
        raise VenueCodeError("key-period")
    if not is_signed(
        key_id=code.key_id,
        context=signature_context(realm),
        body=body,
        signature=signature,
        public_key=key.public_key,
    ):
        raise VenueCodeError("signature")
    if today < code.issued_on:
        raise VenueCodeError("not-yet")
    if today >= code.ends_on:
        raise VenueCodeError("expired")
    return code


def _read_body(body: bytes) -> VenueCode:
    head, flags, key_id, venue, zone, entrance, issued, ends = _BODY.unpack(body)
    if head != _VERSION_AND_SUITE:
        raise VenueCodeError("version")
    if flags & 0b0011_1111:
        raise VenueCodeError("reserved")
    if flags >> 6 not in (Presence.WEAK, Presence.STRONG):
        raise VenueCodeError("presence")
    if not 0 < ends - issued <= LIFETIME_DAYS_MAX:
        raise VenueCodeError("period")
    return VenueCode(
        venue_id=UUID(bytes=venue),
        zone=_read_place(zone, ZONE_CODE),
        entrance=_read_place(entrance, ENTRANCE_CODE),
        presence=Presence(flags >> 6),
        issued_on=DAY_ZERO + timedelta(days=issued),
        ends_on=DAY_ZERO + timedelta(days=ends),
        key_id=key_id,
    )


def _read_place(field: bytes, form: re.Pattern[str]) -> str:
    try:
        text = field.rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError:
        raise VenueCodeError("place") from None
    if not form.fullmatch(text):  # a zero before the padding is refused here, too
        raise VenueCodeError("place")
    return text
