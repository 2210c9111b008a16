"""The venue code against vectors made apart from the product (see vector_builder.py)."""

import base64
import dataclasses
import json
from datetime import date, timedelta
from uuid import UUID

import pytest

from passlight.core.codes import signing
from passlight.core.places.venue_code import (
    REASONS,
    Presence,
    VenueCode,
    VenueCodeError,
    VenueKey,
    make_venue_token,
    parse_venue_token,
    token_of_url,
    venue_url,
    verify_venue_token,
)
from tests.venues import vector_builder

FILE = json.loads(vector_builder.FILE.read_text(encoding="utf-8"))
DAY_ZERO = date(2026, 1, 1)
KEY = VenueKey(
    public_key=bytes.fromhex(FILE["key"]["public"]),
    starts_on=DAY_ZERO + timedelta(days=FILE["key"]["starts"]),
    ends_on=DAY_ZERO + timedelta(days=FILE["key"]["ends"]),
)
KEYS = {bytes.fromhex(FILE["key"]["key_id"]): KEY}
TODAY = DAY_ZERO + timedelta(days=FILE["issued"])
GOOD = FILE["vectors"][0]["token"]
URL = "https://code.example.cn"


def is_genuine(*, key_id, context, body, signature, public_key):
    message = signing.signature_input(kid=key_id, context=context, body=body)
    return signing.is_signed(message, signature=signature, public_key=public_key)


def verify(token, *, keys=KEYS, today=TODAY, realm="cn-310118"):
    return verify_venue_token(token, realm=realm, keys=keys, today=today, is_signed=is_genuine)


def refused(call):
    with pytest.raises(VenueCodeError) as caught:
        call()
    return caught.value.reason


def test_the_file_is_what_the_builder_makes():
    assert vector_builder.FILE.read_text(encoding="utf-8") == vector_builder.as_text()


@pytest.mark.parametrize("vector", FILE["vectors"], ids=lambda vector: vector["name"])
def test_vector(vector):
    token = vector["token"]
    if isinstance(token, dict):
        token = token["repeat"] * token["times"]
    today = DAY_ZERO + timedelta(days=vector["today"])
    if vector["answer"] == "good":
        verify(token, today=today)
    else:
        assert refused(lambda: verify(token, today=today)) == vector["answer"]


def test_every_reason_of_a_token_has_a_vector():
    answers = {vector["answer"] for vector in FILE["vectors"]}
    by_other_tests = {"not-url", "foreign", "not-venue", "key-revoked"}
    assert answers == {"good", *REASONS} - by_other_tests


def test_what_the_good_code_says():
    assert verify(GOOD) == VenueCode(
        venue_id=UUID("6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b"),
        zone="f2",
        entrance="north",
        presence=Presence.WEAK,
        issued_on=date(2026, 11, 22),
        ends_on=date(2028, 11, 21),  # 730 days: no 29 February but 2028's, so a day earlier
        key_id=bytes.fromhex(FILE["key"]["key_id"]),
    )


def test_the_encoder_makes_the_very_bytes_of_the_vector():
    seed = bytes.fromhex(FILE["key"]["seed"])

    def sign(*, key_id, context, body):
        return signing.sign(seed, signing.signature_input(kid=key_id, context=context, body=body))

    token = make_venue_token(verify(GOOD), realm="cn-310118", sign=sign)
    assert token == GOOD
    assert parse_venue_token(token)[1].hex() == FILE["body"]


def test_every_single_bit_change_is_refused():
    raw = base64.urlsafe_b64decode(GOOD + "==")
    reasons = []
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        token = base64.urlsafe_b64encode(bytes(changed)).decode().rstrip("=")
        reasons.append(refused(lambda token=token: verify(token)))
    assert len(reasons) == 848
    assert reasons.count("signature") > 600  # the signature itself is 512 of them
    assert verify(GOOD)  # positive control


def test_every_single_character_change_is_refused():
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for at, letter in enumerate(GOOD):
        other = alphabet[(alphabet.index(letter) + 1) % 64]
        token = GOOD[:at] + other + GOOD[at + 1 :]
        assert refused(lambda token=token: verify(token)) in REASONS


def test_revoked_key_and_its_control():
    revoked = {next(iter(KEYS)): dataclasses.replace(KEY, revoked=True)}
    assert refused(lambda: verify(GOOD, keys=revoked)) == "key-revoked"
    assert verify(GOOD)


def test_a_key_without_an_end_goes_on():
    open_ended = {next(iter(KEYS)): dataclasses.replace(KEY, ends_on=None)}
    later = next(v for v in FILE["vectors"] if v["name"] == "issued the day the key ends")
    today = DAY_ZERO + timedelta(days=421)
    assert verify(later["token"], keys=open_ended, today=today)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not-url"),
        ("PL1:ABC", "not-url"),
        ("javascript:alert(1)", "not-url"),
        (f"{URL}/v/{'A' * 500}", "not-url"),
        (f"{URL}/v/{GOOD}\n", "not-url"),
        (f" {URL}/v/{GOOD}", "not-url"),
        (f"https://cοde.example.cn/v/{GOOD}", "not-url"),  # a Greek o
        ("https://code.example.cn:99999/v/x", "not-url"),
        (f"http://code.example.cn/v/{GOOD}", "foreign"),
        (f"https://code.example.cn.evil.example/v/{GOOD}", "foreign"),
        (f"https://code.example.cn@evil.example/v/{GOOD}", "foreign"),
        (f"https://user@code.example.cn/v/{GOOD}", "foreign"),
        (f"https://code.example.cn:8443/v/{GOOD}", "foreign"),
        (f"https://xn--cde-mlc.example.cn/v/{GOOD}", "foreign"),
        (f"{URL}/", "not-venue"),
        (f"{URL}/me/?t={GOOD}", "not-venue"),
        (f"{URL}/v/{GOOD}?next=https://evil.example", "not-venue"),
        (f"{URL}/v/{GOOD}#x", "not-venue"),
    ],
)
def test_foreign_addresses_are_refused(text, reason):
    assert refused(lambda: token_of_url(text, public_url=URL)) == reason


def test_our_own_address_is_read():
    assert venue_url(GOOD, public_url=f"{URL}/") == f"{URL}/v/{GOOD}"
    assert token_of_url(f"{URL}/v/{GOOD}", public_url=f"{URL}/") == GOOD
    below = "http://127.0.0.1:8000/city"
    assert token_of_url(venue_url(GOOD, public_url=below), public_url=below) == GOOD


def test_unsigned_address_of_ours_is_refused():
    token = token_of_url(f"{URL}/v/00000000-0000-0000-0000-000000000001", public_url=URL)
    assert refused(lambda: verify(token)) == "length"
