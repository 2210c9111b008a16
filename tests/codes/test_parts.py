"""The parts of PL1, each against an oracle that is not our code."""

import hashlib
import struct
from itertools import product

import base45 as oracle_base45
import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from passlight.core.codes import base45, signing
from passlight.core.codes.chain import chain, leads_to
from passlight.core.codes.epochs import epoch_at, epoch_end, epoch_of, epoch_start
from passlight.core.codes.issuing import Issuer, holder_bytes, issue_phone, phone_text
from passlight.core.codes.layout import (
    START_ZERO,
    Purpose,
    chain_salt,
    phone_lifetime_seconds,
)
from passlight.core.codes.sampling import encode_test_age

pairs = st.binary(min_size=0, max_size=120).filter(lambda data: len(data) % 2 == 0)


@given(pairs)
def test_base45_writes_what_the_package_writes(data: bytes) -> None:
    text = base45.encode(data)
    assert text == oracle_base45.b45encode(data).decode()
    assert base45.decode(text) == data


@given(st.text(alphabet=base45.ALPHABET + "a\0８é", min_size=0, max_size=30))
def test_base45_reads_a_text_only_when_it_writes_it(text: str) -> None:
    data = base45.decode(text)
    if data is not None:
        assert base45.encode(data) == text


def test_base45_refuses_28_per_cent_of_all_triples() -> None:
    """field/09 2.8; by counting: 45³ = 91,125 triples, 65,536 values."""
    good = sum(
        base45.decode("".join(triple)) is not None for triple in product(base45.ALPHABET, repeat=3)
    )
    assert good == 65_536
    assert round(100 * (91_125 - good) / 91_125) == 28


@given(st.binary(min_size=0, max_size=70_000), st.binary(min_size=0, max_size=40))
@settings(max_examples=60)
def test_the_signature_input_is_what_cbor2_writes(body: bytes, context: bytes) -> None:
    kid = b"\x96\x64\xf2\x98"
    protected = cbor2.dumps({1: -8, 4: kid}, canonical=True)
    expected = cbor2.dumps(["Signature1", protected, context, body], canonical=True)
    assert signing.signature_input(kid=kid, context=context, body=body) == expected


def test_signatures_are_those_of_another_library() -> None:
    seed, message = bytes(range(32)), b"message"
    other = Ed25519PrivateKey.from_private_bytes(seed)
    public = other.public_key().public_bytes_raw()
    assert signing.public_key_of(seed) == public
    assert signing.sign(seed, message) == other.sign(message)
    assert signing.is_signed(message, signature=other.sign(message), public_key=public)
    assert not signing.is_signed(b"massage", signature=other.sign(message), public_key=public)


def test_a_miscalculating_machine_does_not_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in a deterministic signature gives the key away, so it is never released."""
    import nacl.bindings

    honest = nacl.bindings.crypto_sign
    seed = bytes(range(32))
    assert len(signing.sign(seed, b"m")) == 64

    def faulty(message: bytes, secret: bytes) -> bytes:
        signed = bytearray(honest(message, secret))
        signed[40] ^= 1
        return bytes(signed)

    monkeypatch.setattr(nacl.bindings, "crypto_sign", faulty)
    with pytest.raises(RuntimeError, match="did not verify"):
        signing.sign(seed, b"m")


def test_the_chain_by_hand() -> None:
    salt = chain_salt(start=469_440, lifetime=0, slot_code=1)
    assert salt == b"\x11\x01\x07\x29\xc0\x00"
    expected = [bytes(16)]
    for position in (2, 1, 0):
        block = b"PL1 link" + salt + struct.pack(">H", position) + expected[-1]
        assert len(block) == 32
        expected.append(hashlib.sha256(block).digest()[:16])
    values = chain(bytes(16), salt=salt, slots=3)
    assert values == tuple(reversed(expected))
    for slot in range(3):
        assert leads_to(values[0], slot=slot, value=values[slot + 1], salt=salt)
        assert not leads_to(values[0], slot=slot, value=values[slot], salt=salt)


@pytest.mark.parametrize(
    ("byte", "seconds"), [(0, 600), (1, 900), (104, 93_600), (105, 60), (113, 540)]
)
def test_lifetimes(byte: int, seconds: int) -> None:
    assert phone_lifetime_seconds(byte) == seconds


def test_an_epoch_begins_at_four_in_the_morning() -> None:
    """2026-11-23T04:00+08:00 is 2026-11-22T20:00Z: minute 469,200, so epoch 326 by division."""
    assert epoch_of(469_200, offset=480) == 326
    assert epoch_of(469_199, offset=480) == 325
    assert epoch_start(326, offset=480) == 469_200
    assert epoch_end(326, offset=480) == 469_200 + 1440
    assert epoch_at(START_ZERO + 469_200 * 60, offset=480) == 326
    # Newfoundland, 03:30 behind: 04:00 there is 07:30Z.
    assert epoch_start(0, offset=-210) == 450


@pytest.mark.parametrize(
    ("minutes_ago", "expected"),
    [(0, (0, 0)), (9, (0, 1)), (10, (0, 1)), (1170, (19, 3)), (-5, (0, 0)), (15_300, (255, 0))],
)
def test_test_age_on_the_grid(minutes_ago: int, expected: tuple[int, int]) -> None:
    """Bins of ten minutes from 00:00; start 469,440 is on the grid."""
    sampled = START_ZERO + (469_440 - minutes_ago) * 60
    assert encode_test_age(start=469_440, sampled_at=sampled) == expected


def test_no_test_is_255() -> None:
    assert encode_test_age(start=469_440, sampled_at=None) == (255, 0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("张*", "e5bca02a000000000000000000000000"),
        ("欧阳**", "e6aca7e998b32a2a0000000000000000"),
        # Cut at a character: five are 15 bytes, a sixth does not fit.
        ("买买提江艾山", "e4b9b0e4b9b0e68f90e6b19fe889be00"),
    ],
)
def test_a_masked_name_is_cut_at_a_character(name: str, expected: str) -> None:
    assert holder_bytes(name).hex() == expected


def test_a_phone_code_is_exactly_qr_7_m() -> None:
    """QR 7-M holds 178 alphanumeric characters (ISO/IEC 18004); zxing draws and reads it."""
    zxingcpp = pytest.importorskip("zxingcpp")
    issuer = Issuer.of_seed(
        bytes(range(1, 33)), realm="cn-310118", purpose=Purpose.PHONE, slot_code=1
    )
    salt = chain_salt(start=469_440, lifetime=0, slot_code=1)
    values = chain(bytes(range(16)), salt=salt, slots=30)
    signed = issue_phone(
        issuer,
        colour=1,
        start=469_440,
        lifetime=0,
        sampled_at=None,
        index=5,
        anchor=values[0],
        tag=1,
    )
    text = phone_text(signed, slot=3, value=values[4])
    assert len(text) == 178
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    image = zxingcpp.write_barcode_to_image(barcode, scale=4, add_quiet_zones=True)
    [read] = zxingcpp.read_barcodes(image)
    assert read.text == text


def test_an_issuer_never_signs_a_code_for_an_unknown_status() -> None:
    issuer = Issuer.of_seed(bytes(32), realm="r", purpose=Purpose.PHONE, slot_code=1)
    common = {"start": 1, "lifetime": 0, "sampled_at": None, "index": 0, "anchor": bytes(16)}
    assert issue_phone(issuer, colour=2, tag=0, **common)
    with pytest.raises(AssertionError, match="unknown status"):
        issue_phone(issuer, colour=0, tag=0, **common)
