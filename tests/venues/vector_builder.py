"""Builds vectors/venue/venue-code.json: ``python tests/venues/vector_builder.py``.

Written apart from the product's encoder: bytes by struct and hashlib, CBOR by cbor2, the
signature by ``cryptography`` (the product uses PyNaCl and writes its CBOR by hand).
"""

import base64
import hashlib
import json
import struct
from pathlib import Path
from uuid import UUID

import cbor2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FILE = Path(__file__).parents[2] / "vectors" / "venue" / "venue-code.json"
REALM = "cn-310118"
SEED = bytes(range(0x41, 0x61))  # 41…60, beside the 01…20 and 21…40 of field/09 11
OTHER_SEED = bytes(range(0x61, 0x81))
VENUE = UUID("6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b")
# 2026-11-22 is day 325 of 2026 counted from 0: 31+28+31+30+31+30+31+31+30+31 = 304, + 21
ISSUED, ENDS = 325, 325 + 730
ORDER = 2**252 + 27742317777372353535851937790883648493


def public(seed):
    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(*raw)


def key_id(seed, *, purpose="venue", realm=REALM):
    name = b"PL1 kid\0\x01" + purpose.encode() + b"\0" + realm.encode() + b"\0" + public(seed)
    return hashlib.sha256(name).digest()[:4]


def body(
    *,
    head=0x11,
    flags=0x40,
    kid=None,
    venue=VENUE,
    zone=b"f2",
    entrance=b"north",
    issued=ISSUED,
    ends=ENDS,
):
    kid = key_id(SEED) if kid is None else kid
    return (
        struct.pack(">BB", head, flags)
        + kid
        + venue.bytes
        + zone.ljust(8, b"\0")
        + entrance.ljust(8, b"\0")
        + struct.pack(">HH", issued, ends)
    )


def sign(data, *, seed=SEED, aad=f"passlight/venue/{REALM}"):
    protected = cbor2.dumps({1: -8, 4: data[2:6]})
    message = cbor2.dumps(["Signature1", protected, aad.encode(), data])
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def text(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(**fields):
    data = body(**fields)
    return text(data + sign(data))


def build():
    good = body()
    signature = sign(good)
    s = int.from_bytes(signature[32:], "little")
    zeros = text(good + bytes(64))
    last = text(good + signature)[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = alphabet[alphabet.index(last) ^ 1]
    rows = [
        ("good, poster", text(good + signature), "good"),
        ("good, strong presence", signed(flags=0x80), "good"),
        ("good, whole venue, longest entrance", signed(zone=b"", entrance=b"abcdef-8"), "good"),
        ("empty", "", "length"),
        ("one character short", text(good + signature)[:-1], "length"),
        ("one character more", text(good + signature) + "A", "length"),
        ("a million characters", "A" * 1_000_000, "length"),
        ("plus for minus", "+" + text(good + signature)[1:], "encoding"),
        ("full-width letter", "Ａ" + text(good + signature)[1:], "encoding"),
        ("spare bit of the last character", text(good + signature)[:-1] + spare, "encoding"),
        ("version 0", signed(head=0x01), "version"),
        ("version 2", signed(head=0x21), "version"),
        ("suite 2", signed(head=0x12), "version"),
        ("presence 0", signed(flags=0x00), "presence"),
        ("presence 3", signed(flags=0xC0), "presence"),
        *[(f"reserved bit {bit}", signed(flags=0x40 | 1 << bit), "reserved") for bit in range(6)],
        ("no entrance", signed(entrance=b""), "place"),
        ("upper-case entrance", signed(entrance=b"North"), "place"),
        ("zero inside the entrance", signed(entrance=b"no\0th"), "place"),
        ("zone that is no ASCII", signed(zone="楼".encode()), "place"),
        ("zone that begins with a hyphen", signed(zone=b"-2"), "place"),
        ("ends when it begins", signed(ends=ISSUED), "period"),
        ("ends before it begins", signed(issued=10, ends=9), "period"),
        ("1101 days", signed(ends=ISSUED + 1101), "period"),
        ("unknown key id", signed(kid=b"\0\0\0\0"), "key-unknown"),
        ("key id of the phone purpose", signed(kid=key_id(SEED, purpose="phone")), "key-unknown"),
        ("issued the day before the key", signed(issued=319, ends=700), "key-period"),
        ("issued the day the key ends", signed(issued=420, ends=700), "key-period"),
        ("another key's signature", text(good + sign(good, seed=OTHER_SEED)), "signature"),
        ("another realm", text(good + sign(good, aad="passlight/venue/cn-310101")), "signature"),
        ("another purpose", text(good + sign(good, aad=f"passlight/PL1/phone/{REALM}")), "signature"),
        ("no external data", text(good + sign(good, aad="")), "signature"),
        ("S + L", text(good + signature[:32] + (s + ORDER).to_bytes(32, "little")), "signature"),
        ("all-zero signature", zeros, "signature"),
        ("halves exchanged", text(good + signature[32:] + signature[:32]), "signature"),
        ("today is issued day", text(good + signature), "good", ISSUED),
        ("today is the day before", text(good + signature), "not-yet", ISSUED - 1),
        ("today is the last day", text(good + signature), "good", ENDS - 1),
        ("today is the day it ends", text(good + signature), "expired", ENDS),
    ]  # fmt: skip
    return {
        "about": "Venue codes: core/places/venue_code.py. Days count from 2026-01-01.",
        "realm": REALM,
        "venue": str(VENUE),
        "key": {
            "seed": SEED.hex(),
            "public": public(SEED).hex(),
            "key_id": key_id(SEED).hex(),
            "starts": 320,
            "ends": 420,
        },
        "body": good.hex(),
        "issued": ISSUED,
        "ends": ENDS,
        "vectors": [
            {
                "name": row[0],
                "token": row[1] if len(row[1]) < 1000 else {"repeat": "A", "times": len(row[1])},
                "today": row[3] if len(row) > 3 else ISSUED,
                "answer": row[2],
            }
            for row in rows
        ],
    }


def as_text():
    return json.dumps(build(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(as_text(), encoding="utf-8")
