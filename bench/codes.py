"""PL1 beside the bare Ed25519 of the same library: verify hot and cold, and issue.

Every pair is measured in alternating short rounds of one run, in processor time of this thread,
and the medians are compared, so that a neighbour's load falls on both sides and on neither alone.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import nacl.bindings

from bench.row import Row
from passlight.core.codes import signing
from passlight.core.codes.chain import chain
from passlight.core.codes.issuing import Issuer, issue_phone, phone_text
from passlight.core.codes.layout import START_ZERO, Purpose, chain_salt, phone_lifetime_seconds
from passlight.core.codes.permutation import SIZE_MIN, EpochPermutation
from passlight.core.codes.trust import Realm, TrustedKey, TrustList
from passlight.core.verification.answer import DoorAnswer
from passlight.core.verification.inputs import ClockState, VerificationPolicy
from passlight.core.verification.replay import ReplaySet
from passlight.core.verification.status_source import StatusList, StatusLists
from passlight.core.verification.verify import Verifier
from passlight.runtime.signing import EpochSecrets

REALM = "cn-310118"
START = 469_200  # 04:00 in the realm: a cold code of 26 h may begin
BEGINS = START_ZERO + START * 60
EPOCH = 326
ISSUER = Issuer.of_seed(bytes(range(32)), realm=REALM, purpose=Purpose.PHONE, slot_code=1)
ROUNDS = 20


def run(seconds: float) -> list[Row]:
    """Return the figures; ``seconds`` is how long each is taken."""
    bare = _bare_verify()
    hot, cold = _scans(lifetime=0), _scans(lifetime=104)
    rates = _rates({"bare": bare, "hot": hot, "cold": cold}, seconds=3 * seconds)
    made = _rates({"bare": _bare_sign(), "issue": _issues()}, seconds=2 * seconds)
    index = _indices()
    looked = _rates({"index": index}, seconds=seconds)
    beside = "bare Ed25519 verify, PyNaCl"
    return [
        Row(name="bare Ed25519 verify (PyNaCl)", value=rates["bare"], unit="/s"),
        _row("PL1 verify, hot, text to answer", rates["hot"], beside, rates["bare"]),
        _row("PL1 verify, cold 26 h, text to answer", rates["cold"], beside, rates["bare"]),
        Row(name="bare Ed25519 sign (PyNaCl)", value=made["bare"], unit="/s"),
        _row("PL1 issue: index, body, sign, check", made["issue"], "bare sign", made["bare"]),
        Row(name="index of an ordinal (FF1)", value=looked["index"], unit="/s"),
    ]


def _row(name: str, value: float, beside: str, other: float) -> Row:
    return Row(name=name, value=value, unit="/s", compared_with=beside, ratio=value / other)


def _rates(jobs: dict[str, Callable[[int], None]], *, seconds: float) -> dict[str, float]:
    """Return each job's median rate over rounds that alternate between the jobs."""
    share = seconds / len(jobs) / ROUNDS
    sizes = {name: _size(job, share) for name, job in jobs.items()}
    found: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            began = time.thread_time()
            job(sizes[name])
            found[name].append(sizes[name] / (time.thread_time() - began))
    return {name: statistics.median(rates) for name, rates in found.items()}


def _size(job: Callable[[int], None], share: float) -> int:
    began = time.thread_time()
    job(20)
    return max(1, round(20 * share / (time.thread_time() - began)))


def _bare_verify() -> Callable[[int], None]:
    """The library alone, on a message as long as a code's signature input."""
    message = signing.signature_input(
        kid=ISSUER.kid, context=b"passlight/PL1/phone/cn-310118", body=bytes(34)
    )
    signed = ISSUER.sign(message) + message
    public = ISSUER.public_key

    def job(size: int) -> None:
        for _ in range(size):
            nacl.bindings.crypto_sign_open(signed, public)

    return job


def _bare_sign() -> Callable[[int], None]:
    secret = nacl.bindings.crypto_sign_seed_keypair(bytes(range(32)))[1]

    def job(size: int) -> None:
        for _ in range(size):
            nacl.bindings.crypto_sign(bytes(100), secret)

    return job


def _verifier() -> Verifier:
    key = TrustedKey(
        realm=REALM,
        purpose=Purpose.PHONE,
        public_key=ISSUER.public_key,
        slot_code=1,
        starts_from=BEGINS - 60,
        signs_until=BEGINS + 86_400,
        starts_until=BEGINS + 86_400,
        listed_until=BEGINS + 86_400,
    )
    realm = Realm(offset=480, sizes={EPOCH: SIZE_MIN})
    listed = StatusList(as_of=BEGINS, size=SIZE_MIN)
    return Verifier(
        trust=TrustList.of([key], sequence=1, expires_at=BEGINS + 604_800, realms={REALM: realm}),
        source=StatusLists(lists={(REALM, Purpose.PHONE, EPOCH): listed}),
        policy=VerificationPolicy(freshness_seconds=100_000),
        replay=ReplaySet(),
        clock=ClockState(disciplined_at=BEGINS),
    )


def _scans(*, lifetime: int) -> Callable[[int], None]:
    """Codes at slots spread over their life, each read by the door as another visitor."""
    slots = phone_lifetime_seconds(lifetime) // 20
    texts = []
    for number in range(300):
        salt = chain_salt(start=START, lifetime=lifetime, slot_code=1)
        values = chain(number.to_bytes(16, "big"), salt=salt, slots=slots)
        slot = (number * 2 + 1) * slots // 600
        texts.append((_text(values, lifetime, number, slot), BEGINS + slot * 20 + 10))
    door_before = _verifier()

    def job(size: int) -> None:
        for number in range(size):
            if number % len(texts) == 0:
                door = replace(door_before, replay=ReplaySet())  # no visitor comes twice
            text, now = texts[number % len(texts)]
            answer = door.verify(text, now=now, interaction="visitor")
            assert answer.answer is DoorAnswer.GREEN, answer.reason

    return job


def _text(values: tuple[bytes, ...], lifetime: int, index: int, slot: int) -> str:
    signed = issue_phone(
        ISSUER,
        colour=1,
        start=START,
        lifetime=lifetime,
        sampled_at=BEGINS - 7200,
        index=index,
        anchor=values[0],
        tag=7,
    )
    return phone_text(signed, slot=slot, value=values[slot + 1])


def _issues() -> Callable[[int], None]:
    permutation = _permutation()
    anchors = [number.to_bytes(16, "big") for number in range(997)]

    def job(size: int) -> None:
        for number in range(size):
            issue_phone(
                ISSUER,
                colour=1,
                start=START,
                lifetime=0,
                sampled_at=BEGINS - 7200,
                index=permutation.index_of(number),
                anchor=anchors[number % 997],
                tag=7,
            )

    return job


def _indices() -> Callable[[int], None]:
    permutation = _permutation()

    def job(size: int) -> None:
        for number in range(size):
            permutation.index_of(number % SIZE_MIN)

    return job


def _permutation() -> EpochPermutation:
    return EpochSecrets(index_key=bytes(32), tag_key=bytes(32)).permutation(size=SIZE_MIN)
