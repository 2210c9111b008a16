"""The trust list as a signed document, the replay set's bounds, and any text at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passlight.core.codes import base45
from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose
from passlight.core.codes.trust import (
    Realm,
    TrustedKey,
    TrustList,
    open_trust_list,
    read_payload,
    seal,
    unverified_payload,
)
from passlight.core.kernel.problem import ProblemError
from passlight.core.verification.inputs import ClockState, VerificationPolicy
from passlight.core.verification.replay import ReplaySet
from passlight.core.verification.status_source import StatusLists
from passlight.core.verification.verify import Verifier

REALM = "cn-310118"
NOW = 1_795_392_000
ROOT = Issuer.of_seed(bytes(range(65, 97)), realm=REALM, purpose=Purpose.LIST, slot_code=0)
PHONE = Issuer.of_seed(bytes(range(1, 33)), realm=REALM, purpose=Purpose.PHONE, slot_code=1)


def phone_key(**changes: object) -> TrustedKey:
    fields = {
        "realm": REALM,
        "purpose": Purpose.PHONE,
        "public_key": PHONE.public_key,
        "slot_code": 1,
        "starts_from": NOW,
        "signs_until": NOW + 7,
        "starts_until": NOW + 10,
        "listed_until": NOW + 12,
    }
    return TrustedKey(**{**fields, **changes})


def trust_list(*keys: TrustedKey, sequence: int = 3) -> TrustList:
    return TrustList.of(
        keys or (phone_key(),),
        sequence=sequence,
        expires_at=NOW + 60,
        realms={REALM: Realm(offset=480, sizes={326: 1_000_000})},
    )


def test_a_sealed_list_opens_to_itself() -> None:
    document = seal(trust_list(), signer=ROOT)
    assert open_trust_list(document, realm=REALM, roots=[ROOT.public_key]) == trust_list()


@pytest.mark.parametrize("field", ["kid", "payload", "signature"])
def test_a_changed_document_is_refused(field: str) -> None:
    envelope = json.loads(seal(trust_list(), signer=ROOT))
    old = envelope[field]
    envelope[field] = ("0" if old[0] != "0" else "1") + old[1:]
    with pytest.raises(ProblemError):
        open_trust_list(json.dumps(envelope).encode(), realm=REALM, roots=[ROOT.public_key])


def test_the_version_never_falls() -> None:
    document = seal(trust_list(sequence=3), signer=ROOT)
    roots = [ROOT.public_key]
    assert open_trust_list(document, realm=REALM, roots=roots, sequence_min=3).sequence == 3
    with pytest.raises(ProblemError, match="number 3; number 4 was seen"):
        open_trust_list(document, realm=REALM, roots=roots, sequence_min=4)


def test_a_list_for_one_realm_is_not_one_for_another() -> None:
    document = seal(trust_list(), signer=ROOT)
    with pytest.raises(ProblemError, match="No known key signed"):
        open_trust_list(document, realm="cn-310101", roots=[ROOT.public_key])


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"{}", b"null", b'{"kid":1}', b"\xff", b"x" * 600_000]
)
def test_garbage_is_refused_and_named(document: bytes) -> None:
    with pytest.raises(ProblemError):
        open_trust_list(document, realm=REALM, roots=[ROOT.public_key])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"realm": "CN"}, "realm is not"),
        ({"realm": "cn-1"}, "no UTC offset"),
        ({"slot_code": 4}, "slot code"),
        ({"signs_until": NOW}, "not in order"),
        ({"suite": 9}, "suite 9"),
        ({"public_key": bytes(32)}, "small order"),
    ],
)
def test_unsound_keys_refuse_the_whole_list(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ProblemError, match=words):
        trust_list(phone_key(**changes))


def test_a_payload_says_what_was_sealed() -> None:
    assert read_payload(unverified_payload(seal(trust_list(), signer=ROOT))) == trust_list()


def test_the_newest_key_that_signs_is_chosen() -> None:
    other = Issuer.of_seed(bytes(32), realm=REALM, purpose=Purpose.PHONE, slot_code=1)
    later = phone_key(
        public_key=other.public_key,
        starts_from=NOW + 5,
        signs_until=NOW + 20,
        starts_until=NOW + 30,
        listed_until=NOW + 40,
    )
    trust = trust_list(phone_key(), later)

    def at(now: int) -> bytes | None:
        key = trust.signing_key(Purpose.PHONE, realm=REALM, now=now)
        return key.public_key if key else None

    assert at(NOW - 1) is None
    assert at(NOW + 4) == PHONE.public_key
    assert at(NOW + 5) == other.public_key
    assert at(NOW + 20) is None


def test_the_replay_set_forgets_after_120_s_and_never_grows_beyond_its_bound() -> None:
    replay = ReplaySet(bodies_max=3)
    for number in range(5):
        replay.record(bytes([number]), slot=number, interaction="a", now=NOW + number)
    assert len(replay) == 3
    assert replay.find(b"\0", now=NOW + 5) is None
    assert replay.find(b"\2", now=NOW + 121) is not None
    assert replay.find(b"\2", now=NOW + 122) is None
    assert len(replay) == 2


def door() -> Verifier:
    return Verifier(
        trust=trust_list(),
        source=StatusLists(lists={}),
        policy=VerificationPolicy(freshness_seconds=60),
        replay=ReplaySet(),
        clock=ClockState(disciplined_at=NOW),
    )


@given(
    st.text(max_size=200)
    | st.binary(min_size=116, max_size=116).map(lambda raw: "PL1:" + base45.encode(raw))
)
def test_no_text_raises_and_no_stranger_text_is_a_colour(text: str) -> None:
    answer = door().verify(text, now=NOW, interaction="a")
    assert answer.answer.colour is None
    assert answer.body is None
