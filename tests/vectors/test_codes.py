"""Every vector of PL1, and for each refusal the proof that the named check is what refused.

Expected answers come from field/09-pl1.md by way of ``vectors/generate.py``, which makes the
bytes without any code of Passlight.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from passlight.core.codes import base45
from passlight.core.codes.layout import PREFIX, Purpose
from passlight.core.codes.sampling import (
    age_seconds,
    is_within_days,
    is_within_hours,
    sampled_on,
)
from passlight.core.codes.trust import TrustList, read_payload
from passlight.core.kernel.problem import ProblemError
from passlight.core.verification.answer import Answer
from passlight.core.verification.checks import CHECKS, Check
from passlight.core.verification.inputs import (
    ClockState,
    PhoneDocument,
    SheetDocument,
    VerificationPolicy,
)
from passlight.core.verification.reading import Reading, take
from passlight.core.verification.replay import ReplaySet
from passlight.core.verification.status_source import ListState, StatusList, StatusLists
from passlight.core.verification.verify import run_checks

FOLDER = Path(__file__).parents[2] / "vectors" / "codes"
FILES = {p.stem: json.loads(p.read_text("utf-8")) for p in sorted(FOLDER.glob("*.json"))}
COMMON = FILES.pop("common")
VECTORS = [
    pytest.param(vector, id=f"{name}: {vector['name']}")
    for name, row in FILES.items()
    for vector in row["vectors"]
]
CONTROLS = [param for param in VECTORS if "control" in param.values[0]]
BITS = FILES["17-bits"]
OFFSET = 480


def trust_named(name: str) -> TrustList:
    return read_payload(json.dumps(COMMON["trust"][name]).encode())


TRUSTS = {name: trust_named(name) for name in COMMON["trust"]}


def lax_decodes(reading: Reading) -> bool:
    """A decoder of the kind that the encoding check is there to refuse."""
    symbols = [
        base45.ALPHABET.find(symbol) for symbol in reading.text[4:].translate(NARROW).upper()
    ]
    triples = zip(symbols[::3], symbols[1::3], symbols[2::3], strict=True)
    values = [(a + 45 * b + 2025 * c) & 0xFFFF for a, b, c in triples]
    take(reading, b"".join(value.to_bytes(2, "big") for value in values))
    return True


NARROW = {0xFF10 + digit: ord("0") + digit for digit in range(10)}


def checks_without(off: list[str]) -> tuple[Check, ...]:
    kept = []
    for check in CHECKS:
        if check.reason == "encoding" and "encoding" in off:
            kept.append(Check(check.step, check.answer, check.reason, lax_decodes))
        elif check.reason not in off:
            kept.append(check)
    return tuple(kept)


def lists_of(entries: list[dict[str, Any]]) -> StatusLists:
    return StatusLists(
        lists={
            (e["realm"], Purpose(e["purpose"]), e["epoch"]): StatusList(
                as_of=e["as_of"],
                size=e["size"],
                states={int(i): ListState(s) for i, s in e["states"].items()},
            )
            for e in entries
        }
    )


def document_of(entry: dict[str, Any] | None) -> PhoneDocument | SheetDocument | None:
    if entry is None:
        return None
    if entry["kind"] == "paper":
        birth = entry["birth"]
        return SheetDocument(
            masked_name=entry["masked_name"], birth=tuple(birth) if birth else None
        )
    keys = {int(epoch): bytes.fromhex(key) for epoch, key in entry["tag_keys"].items()}
    return PhoneDocument(document_type=entry["type"], number=entry["number"], tag_keys=keys)


def text_of(text: str | dict[str, Any]) -> str:
    if isinstance(text, str):
        return text
    return text["prefix"] + text["fill"] * (text["length"] - len(text["prefix"]))


def answer_to(vector: dict[str, Any], checks: tuple[Check, ...] = CHECKS) -> Answer:
    replay = ReplaySet()

    def read(scan: dict[str, Any], lists: list[dict[str, Any]]) -> Answer:
        reading = Reading(
            text=text_of(scan["text"]),
            now=scan["now"],
            trust=TRUSTS[vector["trust"]],
            source=lists_of(lists),
            policy=VerificationPolicy(
                freshness_seconds=vector["policy"]["freshness_seconds"],
                admission_point=vector["policy"]["admission_point"],
                suites=frozenset(vector["policy"]["suites"]),
            ),
            replay=replay,
            clock=ClockState(**vector["clock"]),
            interaction=scan["interaction"],
            document=document_of(vector["document"]),
        )
        return run_checks(reading, checks)

    for scan in vector["before"]:
        read(scan, vector.get("lists_before", vector["lists"]))
    return read(vector, vector["lists"])


@pytest.mark.parametrize("vector", VECTORS)
def test_vector(vector: dict[str, Any]) -> None:
    expected = vector["expect"]
    answer = answer_to(vector)
    assert (answer.answer, answer.reason) == (expected["answer"], expected["reason"])
    now, sampled = vector["now"], answer.sampled_from
    if "sampled_from" in expected:
        assert sampled == expected["sampled_from"]
    if "test_age_seconds" in expected:
        assert sampled is not None
        assert age_seconds(sampled, now=now) == expected["test_age_seconds"]
    for hours, within in expected.get("within_hours", {}).items():
        assert is_within_hours(sampled, now=now, hours_max=int(hours)) is within
    for days, within in expected.get("within_days", {}).items():
        assert is_within_days(sampled, now=now, days_max=int(days), offset=OFFSET) is within
    if "sampled_on" in expected:
        assert sampled is not None
        from datetime import date, timedelta

        day = date(1970, 1, 1) + timedelta(days=sampled_on(sampled, offset=OFFSET))
        assert day.isoformat() == expected["sampled_on"]


@pytest.mark.parametrize("vector", CONTROLS)
def test_with_the_check_switched_off_the_same_text_is_accepted(vector: dict[str, Any]) -> None:
    control = vector["control"]
    changed = {**vector, **control["set"]}
    answer = answer_to(changed, checks_without(control["off"]))
    assert answer.reason == "status"
    if "answer" in control:
        assert answer.answer == control["answer"]


def test_every_refusal_has_a_control_or_says_why_not() -> None:
    for param in VECTORS:
        vector = param.values[0]
        if vector["expect"]["reason"] != "status":
            assert ("control" in vector) != bool(vector.get("no_control")), vector["name"]


def test_every_reason_of_the_document_has_a_vector() -> None:
    # field/09 5, in its order.
    text = """not-pl1 encoding version suite reserved binding colour lifetime test-age holder
    trust-stale key-unknown key-purpose key-revoked key-period signature epoch clock-unsure not-yet
    expired slot-range slot-old slot-ahead chain repeat no-list stale index-range withdrawn status
    document"""
    reasons = text.split()
    assert {p.values[0]["expect"]["reason"] for p in VECTORS} == set(reasons)
    assert [c.reason for c in CHECKS] == [r for r in reasons if r != "status"]


def test_all_rows_are_there() -> None:
    assert sorted(row["row"] for row in FILES.values()) == list(range(31))


def test_every_change_of_one_bit_is_refused() -> None:
    raw = bytes.fromhex(BITS["raw"])
    seen: dict[str, list[int]] = {}
    for at in range(928):
        changed = bytearray(raw)
        changed[at // 8] ^= 0x80 >> at % 8
        vector = {**BITS["base"], "text": PREFIX + base45.encode(bytes(changed))}
        answer = answer_to(vector)
        assert answer.answer.colour is None
        seen.setdefault(answer.reason, []).append(at)
    assert seen == BITS["bits"]
    unchanged = {**BITS["base"], "text": PREFIX + base45.encode(raw)}
    assert answer_to(unchanged).answer == "green"


@pytest.mark.parametrize(
    "refused", FILES["16-lists"]["refused"], ids=lambda refused: refused["name"]
)
def test_a_list_with_an_unsound_key_is_refused_whole(refused: dict[str, Any]) -> None:
    with pytest.raises(ProblemError):
        read_payload(json.dumps(refused["payload"]).encode())


def test_the_same_list_with_a_sound_key_is_taken() -> None:
    assert len(read_payload(json.dumps(FILES["16-lists"]["control"]).encode()).keys) == 5


def test_the_files_are_what_the_generator_writes(tmp_path: Path) -> None:
    import subprocess
    import sys

    generator = FOLDER.parent / "generate.py"
    subprocess.run([sys.executable, str(generator), str(tmp_path)], check=True, timeout=60)
    for path in sorted(FOLDER.glob("*.json")):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name
