"""Layout: the bytes of a PL1 code, fixed offsets, big-endian (PL1 2.1, 2.2).

========  =====  ======================================================================
off       len    field
========  =====  ======================================================================
0         1      version (4 bits), suite (4)
1         1      colour (2), binding (2), slot code (2), reserved (2)
2         4      key id
6         3      start, minutes since 2026-01-01T00:00:00Z
9         1      lifetime
10        1      test age, whole hours
11        1      reserved (5), tens of minutes (3)
12        4      status index
16        16     phone: chain anchor; paper: masked name
32        2      phone: document tag, reserved; paper: month and day of birth
34        64     signature over bytes 0…33
98        2      slot (phone only)
100       16     link value (phone only)
========  =====  ======================================================================
"""

import struct
import unicodedata
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, Self

PREFIX: Final = "PL1:"
VERSION: Final = 1
BODY_LENGTH: Final = 34
SIGNED_LENGTH: Final = 98
PHONE_TEXT_LENGTH: Final = 178
PAPER_TEXT_LENGTH: Final = 151
SLOT_SECONDS: Final = (15, 20, 30, 60)
HOT_LIFETIME: Final = 0
COLD_LIFETIME_MAX: Final = 104
HOT_SHORT_MAX: Final = 113
PAPER_DAYS_MAX: Final = 180
NO_TEST: Final = 255
# 2026-01-01T00:00:00Z in POSIX seconds.
START_ZERO: Final = 1_767_225_600

_BODY = struct.Struct(">BB4s3sBBBI16sBB")
_MINUTE_SECONDS = 60
_DAY_SECONDS = 86_400


class Suite(IntEnum):
    """The signature suites; only Ed25519 is in use, the others are reserved numbers."""

    ED25519 = 1
    ES256 = 2
    SM2 = 3


class Binding(IntEnum):
    """What ties a code to whoever shows it; device binding and 3 are refused by version 1."""

    PAPER = 0
    CHAIN = 1


class Purpose(StrEnum):
    """What a key is for; a key has exactly one purpose."""

    PHONE = "phone"
    PAPER = "paper"
    LIST = "list"
    VENUE = "venue"
    GRANT = "grant"


class CodeKind(StrEnum):
    """How a code came about: fresh on a phone, held in reserve on a phone, or printed."""

    HOT = "hot"
    COLD = "cold"
    PAPER = "paper"


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The 34 signed bytes of a code, field by field; it may hold values that no door takes."""

    purpose: Purpose
    version: int = VERSION
    suite: int = Suite.ED25519
    colour: int
    binding: int
    slot_code: int
    kid: bytes
    start: int
    lifetime: int
    test_hours: int
    test_tens: int
    index: int
    middle: bytes
    byte_32: int
    byte_33: int
    reserved_1: int = 0
    reserved_11: int = 0

    @classmethod
    def decode(cls, raw: bytes, *, purpose: Purpose) -> Self:
        """Return the fields of 34 bytes; what they may hold is checked by verification."""
        first, second, kid, start, lifetime, hours, tens, index, middle, b32, b33 = _BODY.unpack(
            raw
        )
        return cls(
            purpose=purpose,
            version=first >> 4,
            suite=first & 15,
            colour=second >> 6,
            binding=second >> 4 & 3,
            slot_code=second >> 2 & 3,
            reserved_1=second & 3,
            kid=kid,
            start=int.from_bytes(start, "big"),
            lifetime=lifetime,
            test_hours=hours,
            test_tens=tens & 7,
            reserved_11=tens >> 3,
            index=index,
            middle=middle,
            byte_32=b32,
            byte_33=b33,
        )

    def encode(self) -> bytes:
        """Return the 34 bytes."""
        return _BODY.pack(
            self.version << 4 | self.suite,
            self.colour << 6 | self.binding << 4 | self.slot_code << 2 | self.reserved_1,
            self.kid,
            self.start.to_bytes(3, "big"),
            self.lifetime,
            self.test_hours,
            self.reserved_11 << 3 | self.test_tens,
            self.index,
            self.middle,
            self.byte_32,
            self.byte_33,
        )

    @property
    def kind(self) -> CodeKind:
        """Return hot, cold or paper."""
        if self.purpose is Purpose.PAPER:
            return CodeKind.PAPER
        cold = HOT_LIFETIME < self.lifetime <= COLD_LIFETIME_MAX
        return CodeKind.COLD if cold else CodeKind.HOT

    @property
    def starts_at(self) -> int:
        """Return the first moment of validity in POSIX seconds."""
        return START_ZERO + self.start * _MINUTE_SECONDS

    @property
    def lifetime_seconds(self) -> int:
        """Return how long the code is valid."""
        if self.purpose is Purpose.PAPER:
            return self.lifetime * _DAY_SECONDS
        return phone_lifetime_seconds(self.lifetime)

    @property
    def ends_at(self) -> int:
        """Return the first moment at which the code is no longer valid, in POSIX seconds."""
        return self.starts_at + self.lifetime_seconds

    @property
    def slot_seconds(self) -> int:
        """Return how long one slot lasts."""
        return SLOT_SECONDS[self.slot_code]

    @property
    def slots(self) -> int:
        """Return N, the number of slots."""
        return self.lifetime_seconds // self.slot_seconds

    @property
    def salt(self) -> bytes:
        """Return what keys the chain: byte 0, slot code, start, lifetime (PL1 2.4)."""
        return chain_salt(
            start=self.start,
            lifetime=self.lifetime,
            slot_code=self.slot_code,
            first_byte=self.version << 4 | self.suite,
        )

    @property
    def holder_name(self) -> str:
        """Return the masked name that a paper code carries."""
        return self.middle.rstrip(b"\0").decode("utf-8", "replace")


def chain_salt(*, start: int, lifetime: int, slot_code: int, first_byte: int = 0x11) -> bytes:
    """Return the chain's salt: only what the phone knows when it asks (PL1 2.4)."""
    return bytes((first_byte, slot_code)) + start.to_bytes(3, "big") + bytes((lifetime,))


def phone_lifetime_seconds(lifetime: int) -> int:
    """Return the seconds of a phone code's lifetime byte: 10 min, quarters of an hour, 1…9 min."""
    if lifetime == HOT_LIFETIME:
        return 600
    if lifetime <= COLD_LIFETIME_MAX:
        return lifetime * 900
    return (lifetime - COLD_LIFETIME_MAX) * _MINUTE_SECONDS


def holder_is_well_formed(body: Body) -> bool:
    """Return whether a paper code's name and birthday are as PL1 2.2 wants them."""
    name_bytes = body.middle.rstrip(b"\0")
    try:
        name = name_bytes.decode("utf-8")
    except UnicodeDecodeError:
        return False
    if not name or unicodedata.normalize("NFC", name) != name:
        return False
    # Cc control, Cf format and direction, Zl Zp line breaks. No category that a newer Unicode
    # changes (unassigned): two verifiers of different age must agree.
    forbidden = {"Cc", "Cf", "Zl", "Zp"}
    if any(unicodedata.category(symbol) in forbidden for symbol in name):
        return False
    month, day = body.byte_32, body.byte_33
    if (month, day) == (0, 0):
        return True
    days = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return 1 <= month <= len(days) and 1 <= day <= days[month - 1]


def minutes_of(seconds: int) -> int:
    """Return the minutes since 2026-01-01T00:00:00Z of a POSIX second, rounded down."""
    return (seconds - START_ZERO) // _MINUTE_SECONDS
