"""PL1 by hand: bytes, signatures and texts made without any code of Passlight.

The oracles are the document (field/09-pl1.md), ``struct`` and ``hashlib``, cbor2 for the COSE
structure, the package base45 for the text and ``cryptography`` for Ed25519 (the product signs
with libsodium). ``generate.py`` builds the vectors from this and checks it against the two
texts that the document publishes.
"""

import hashlib
import struct
from dataclasses import dataclass, field, replace
from typing import Any

import base45
import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

REALM = "cn-310118"
ZERO = 1_767_225_600  # 2026-01-01T00:00:00Z
START = 469_440  # 2026-11-23T00:00Z in minutes since then
T = ZERO + START * 60
ORDER = 2**252 + 27742317777372353535851937790883648493
FIELD = 2**255 - 19
SLOTS = (15, 20, 30, 60)


@dataclass(frozen=True)
class Key:
    """A key of the vectors: its seed, purpose and what the trust list says of it."""

    seed: bytes
    purpose: str
    slot_code: int = 0
    realm: str = REALM
    suite: int = 1

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def kid(self) -> bytes:
        return kid_of(self.suite, self.purpose, self.realm, self.public)


def kid_of(suite: int, purpose: str, realm: str, public: bytes) -> bytes:
    text = b"PL1 kid\0" + bytes([suite]) + purpose.encode() + b"\0" + realm.encode() + b"\0"
    return hashlib.sha256(text + public).digest()[:4]


PHONE = Key(bytes(range(1, 33)), "phone", 1)
PAPER = Key(bytes(range(33, 65)), "paper")
LIST = Key(bytes(range(65, 97)), "list")
VENUE = Key(bytes(range(97, 129)), "venue")
STRANGER = Key(bytes(range(129, 161)), "phone", 1)
SEED = bytes(range(16))


@dataclass(frozen=True)
class Code:
    """A code to be made: every field may hold what no issuer writes."""

    key: Key = PHONE
    version: int = 1
    suite: int = 1
    colour: int = 1
    binding: int = 1
    slot_code: int = 1
    low_bits: int = 0
    start: int = START
    lifetime: int = 0
    hours: int = 19
    tens: int = 3
    high_bits: int = 0
    index: int = 0x00ABCDEF
    anchor: bytes | None = None
    byte_32: int = 0x5A
    byte_33: int = 0
    slot: int = 7
    phone: bool = True
    chain_length: int | None = None
    value: bytes | None = None
    context: bytes | None = None
    signature: bytes | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def first(self) -> int:
        return self.version << 4 | self.suite

    @property
    def seconds(self) -> int:
        if not self.phone:
            return self.lifetime * 86_400
        if self.lifetime == 0:
            return 600
        return self.lifetime * 900 if self.lifetime <= 104 else (self.lifetime - 104) * 60

    @property
    def slots(self) -> int:
        return self.seconds // SLOTS[self.slot_code]

    @property
    def salt(self) -> bytes:
        head = bytes([self.first, self.slot_code])
        return head + self.start.to_bytes(3, "big") + bytes([self.lifetime])

    def links(self) -> list[bytes]:
        """v0 … vN, the last being the seed."""
        return chain(SEED, self.salt, self.chain_length or self.slots)

    def body(self) -> bytes:
        middle = self.anchor
        if middle is None:
            middle = self.links()[0]
        return struct.pack(
            ">BB4s3sBBBI16sBB",
            self.first,
            self.colour << 6 | self.binding << 4 | self.slot_code << 2 | self.low_bits,
            self.key.kid,
            self.start.to_bytes(3, "big"),
            self.lifetime,
            self.hours,
            self.high_bits << 3 | self.tens,
            self.index,
            middle,
            self.byte_32,
            self.byte_33,
        )

    def signed(self) -> bytes:
        body = self.body()
        context = self.context
        if context is None:
            context = f"passlight/PL1/{self.key.purpose}/{self.key.realm}".encode()
        message = sig_structure(self.key.kid, context, body)
        return body + (self.signature or self.key.private.sign(message))

    def raw(self) -> bytes:
        if not self.phone:
            return self.signed()
        value = self.value if self.value is not None else self.links()[self.slot + 1]
        return self.signed() + struct.pack(">H", self.slot) + value

    def text(self) -> str:
        return text_of(self.raw())

    def but(self, **changes: Any) -> "Code":
        return replace(self, **changes)


def chain(seed: bytes, salt: bytes, length: int) -> list[bytes]:
    values = [seed]
    for position in reversed(range(length)):
        block = b"PL1 link" + salt + struct.pack(">H", position) + values[-1]
        values.append(hashlib.sha256(block).digest()[:16])
    return values[::-1]


def sig_structure(kid: bytes, context: bytes, body: bytes) -> bytes:
    protected = cbor2.dumps({1: -8, 4: kid}, canonical=True)
    return cbor2.dumps(["Signature1", protected, context, body], canonical=True)


def text_of(raw: bytes) -> str:
    return "PL1:" + base45.b45encode(raw).decode()


PHONE_CODE = Code()
PAPER_CODE = Code(
    key=PAPER,
    colour=0,
    binding=0,
    slot_code=0,
    lifetime=180,
    hours=255,
    tens=0,
    index=12345,
    anchor="张*".encode().ljust(16, b"\0"),
    byte_32=5,
    byte_33=17,
    phone=False,
)


def minute(seconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def entry(key: Key, **changes: Any) -> dict[str, Any]:
    """A key as the trust list writes it; the windows are wider than field/09 8 on purpose."""
    made = {
        "kid": key.kid.hex(),
        "realm": key.realm,
        "purpose": key.purpose,
        "suite": key.suite,
        "slot_code": key.slot_code,
        "public_key": key.public.hex(),
        "starts_from": minute(T - 3 * 86_400),
        "signs_until": minute(T + 4 * 86_400),
        "starts_until": minute(T + 7 * 86_400),
        "listed_until": minute(T + 9 * 86_400),
        "revoked": False,
    }
    return {**made, **changes}


def trust(*keys: dict[str, Any], expires: int = T + 7 * 86_400) -> dict[str, Any]:
    return {
        "format": 1,
        "sequence": 1,
        "expires_at": minute(expires),
        "realms": {REALM: {"offset_minutes": 480, "epochs": {}}},
        "keys": list(keys),
    }


# --- curve25519 by hand, for keys that no list may hold -------------------------------------

_D = -121665 * pow(121666, -1, FIELD) % FIELD


def x_of(y: int) -> int | None:
    """The even x of a point with this y, or None: RFC 8032 5.1.3."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, FIELD) % FIELD
    x = pow(square, (FIELD + 3) // 8, FIELD)
    if (x * x - square) % FIELD:
        x = x * pow(2, (FIELD - 1) // 4, FIELD) % FIELD
    if (x * x - square) % FIELD:
        return None
    return FIELD - x if x & 1 else x


def decompress(encoded: bytes) -> tuple[int, int]:
    number = int.from_bytes(encoded, "little")
    y = number & (1 << 255) - 1
    x = x_of(y)
    assert x is not None
    return (FIELD - x if number >> 255 else x), y


def add(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    (a, b), (c, d) = one, other
    product = _D * a * b * c * d
    return (
        (a * d + b * c) * pow(1 + product, -1, FIELD) % FIELD,
        (b * d + a * c) * pow(1 - product, -1, FIELD) % FIELD,
    )


def compress(point: tuple[int, int]) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")
