"""Strict reading of entry records: what is wrong is named by its field, and never guessed.

Expected fields and codes are written by hand from the contract of the record.
"""

import json
from typing import Any

import pytest

from passlight.core.entry.record import (
    EntryKind,
    MeasuredState,
    entry_from_json,
    entry_from_text,
    entry_to_json,
    musts,
)
from passlight.core.kernel.problem import ProblemError
from tests.entry.samples import GONE, RECORD, record
from tests.vectors.verdict_vectors import FOLDER


def problem(value: object) -> tuple[str | None, str]:
    with pytest.raises(ProblemError) as caught:
        entry_from_json(value)
    (found,) = caught.value.problems
    assert found.remedy
    return found.field, found.code


def test_a_record_is_read_and_written_the_same() -> None:
    read = entry_from_json(RECORD)
    assert entry_to_json(read) == RECORD
    assert read.kind is EntryKind.ADMIT
    assert read.measured.tenths == 365
    assert entry_from_text(json.dumps(RECORD)) == read


@pytest.mark.parametrize(
    "who",
    [None, {"lookup": "c2VhbGVk"}, {"paper": "p-0608-12"}, RECORD["who"]],
    ids=["nobody", "lookup", "paper", "index"],
)
def test_every_way_to_say_who(who: object) -> None:
    value = record(who=who)
    assert entry_to_json(entry_from_json(value)) == value


def test_an_exit_without_lease_and_feed_is_a_record() -> None:
    value = record(kind="exit", lease="", feed_as_of=None, measured={"state": "not-required"})
    assert entry_to_json(entry_from_json(value)) == value


@pytest.mark.parametrize(
    "reason",
    ["status", "no-connection", "qingpu-2022-05@1/confirmed_or_suspected/0", "packs@1.2/area/12"],
)
def test_a_reason_is_a_checks_name_or_a_published_key(reason: str) -> None:
    """What the gateway says of a red person is the key ``pack@version/rule/phase`` (decision 4)."""
    value = record(kind="isolate", answer="red", reason=reason)
    assert entry_to_json(entry_from_json(value)) == value


def test_a_time_may_have_any_offset() -> None:
    there = entry_from_json(record(occurred_at="2022-06-08T09:00:00+08:00"))
    assert there == entry_from_json(RECORD)


TENTHS = {
    "fahrenheit as a thermometer shows it": (97.9, "temperature-fahrenheit"),
    "fahrenheit in tenths": (979, "temperature-fahrenheit"),
    "a fever in fahrenheit": (1012, "temperature-fahrenheit"),
    "degrees and not tenths": (36.5, "temperature-unit"),
    "whole degrees": (37, "temperature-unit"),
    "tenths with a fraction": (365.0, "temperature-unit"),
    "negative": (-365, "temperature-range"),
    "negative degrees": (-36.5, "temperature-unit"),
    "nought": (0, "temperature-range"),
    "just too low": (299, "temperature-range"),
    "just too high": (451, "temperature-range"),
    "absurd": (10**30, "temperature-range"),
    "a flag": (True, "temperature-form"),
    "a text": ("36.5", "temperature-form"),
    "nothing": (None, "temperature-form"),
    "not a number": (float("nan"), "temperature-unit"),
    "without end": (float("inf"), "temperature-unit"),
}


@pytest.mark.parametrize("value, code", TENTHS.values(), ids=TENTHS)
def test_a_wrong_unit_is_an_error_and_never_a_fever(value: object, code: str) -> None:
    measured = {"state": "measured", "tenths": value, "thermometer": "t-1"}
    assert problem(record(measured=measured)) == ("measured.tenths", f"entry.{code}")


@pytest.mark.parametrize("tenths", [300, 365, 373, 450])
def test_what_a_person_can_have_is_taken(tenths: int) -> None:
    measured = {"state": "measured", "tenths": tenths, "thermometer": "t-1"}
    assert entry_from_json(record(measured=measured)).measured.tenths == tenths


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown key": ({"name": "王晓明"}, "name", "unknown-key"),
    "unknown key of another language": ({"姓名": "x"}, "a key", "unknown-key"),
    "no kind": ({"kind": GONE}, "kind", "missing"),
    "another kind": ({"kind": "let-in"}, "kind", "not-a-choice"),
    "another answer": ({"answer": "blue"}, "answer", "not-a-choice"),
    "another role": ({"role": "mayor"}, "role", "not-a-choice"),
    "another requirement": ({"requirement": "shoes"}, "requirement", "not-a-choice"),
    "a role that is a list": ({"role": ["visitor"]}, "role", "not-a-choice"),
    "findings twice": ({"findings": ["red", "red"]}, "findings", "not-a-choice"),
    "findings unknown": ({"findings": ["shoes"]}, "findings", "not-a-choice"),
    "findings no list": ({"findings": "red"}, "findings", "not-a-list"),
    "findings of lists": ({"findings": [[]]}, "findings", "not-a-choice"),
    "venue in capitals": ({"venue": RECORD["venue"].upper()}, "venue", "bad-form"),
    "venue no text": ({"venue": 7}, "venue", "not-text"),
    "entrance too long": ({"entrance": "a" * 9}, "entrance", "bad-form"),
    "time without offset": ({"occurred_at": "2022-06-08T09:00:00"}, "occurred_at", "not-a-time"),
    "time in seconds": ({"occurred_at": 1654650000}, "occurred_at", "not-a-time"),
    "time long ago": ({"occurred_at": "1700-01-01T00:00:00Z"}, "occurred_at", "not-a-time"),
    "policy too long": ({"policy": "p" * 201}, "policy", "too-long"),
    "policy with a null byte": ({"policy": "a\0b"}, "policy", "not-storable"),
    "policy with half a character": ({"policy": "a\ud800"}, "policy", "not-storable"),
    "who of two kinds": ({"who": {"lookup": "YQ", "paper": "p"}}, "who.paper", "unknown-key"),
    "who without index": ({"who": {"realm": "r", "epoch": 1}}, "who.index", "missing"),
    "index negative": (
        {"who": {"realm": "r", "epoch": 1, "index": -1}},
        "who.index",
        "not-a-number",
    ),
    "index a flag": (
        {"who": {"realm": "r", "epoch": 1, "index": True}},
        "who.index",
        "not-a-number",
    ),
    "paper without a number": ({"who": {"paper": ""}}, "who.paper", "not-text"),
    "an identity number where a name stands": (
        {"registered": {"how": "paper", "reference": "3101181990010100 12"}},
        "registered.reference",
        "bad-form",
    ),
    "asked nothing known": ({"asked": {"state": "maybe"}}, "asked.state", "not-a-choice"),
    "a question with a null byte": (
        {"asked": {"state": "asked", "answers": {"a\0b": False}}},
        "asked.answers",
        "bad-form",
    ),
    "a question with half a character": (
        {"asked": {"state": "asked", "answers": {"a\ud800": False}}},
        "asked.answers",
        "bad-form",
    ),
    "answers to what nobody asked": (
        {"asked": {"state": "unobserved", "answers": {"symptoms": False}}},
        "asked.answers",
        "contradiction",
    ),
    "an answer that is no flag": (
        {"asked": {"state": "asked", "answers": {"symptoms": "no"}}},
        "asked.answers.symptoms",
        "not-a-flag",
    ),
    "too many answers": (
        {"asked": {"state": "asked", "answers": {f"q{i}": False for i in range(13)}}},
        "asked.answers",
        "too-many",
    ),
    "measured and no figure": (
        {"measured": {"state": "measured", "thermometer": "t"}},
        "measured.tenths",
        "missing",
    ),
    "a figure and not measured": (
        {"measured": {"state": "unobserved", "tenths": 365}},
        "measured.tenths",
        "unknown-key",
    ),
    "mask half on": ({"mask": "half"}, "mask", "not-a-choice"),
    "a badge with a name": ({"guard": "王 晓明"}, "guard", "bad-form"),
    "too many companions": ({"companions": 21}, "companions", "not-a-number"),
    "companions below nought": ({"companions": -1}, "companions", "not-a-number"),
    "offline as a number": ({"offline": 1}, "offline", "not-a-flag"),
    "lease no uuid": ({"lease": "7"}, "lease", "bad-form"),
    "no visit": ({"visit": ""}, "visit", "bad-form"),
}


@pytest.mark.parametrize("changes, field, code", WRONG.values(), ids=WRONG)
def test_each_wrong_field_is_named(changes: dict[str, Any], field: str, code: str) -> None:
    assert problem(record(**changes)) == (field, f"entry.{code}")


@pytest.mark.parametrize("value", [None, [], "{}", 7, [RECORD]], ids=repr)
def test_what_is_no_object_is_refused(value: object) -> None:
    assert problem(value)[1] == "entry.not-an-object"


def text_problem(text: str | bytes) -> str:
    with pytest.raises(ProblemError) as caught:
        entry_from_text(text)
    return caught.value.problems[0].code


WHOLE = json.dumps(RECORD)


def test_a_text_torn_anywhere_is_refused() -> None:
    for end in range(len(WHOLE)):
        assert text_problem(WHOLE[:end]) == "entry.not-json"
    assert entry_from_text(WHOLE)  # control: whole it is taken


@pytest.mark.parametrize(
    "text, code",
    [
        ("x" * 1_000_000, "too-long"),
        (json.dumps({**RECORD, "policy": "p" * 1_000_000}), "too-long"),
        ("[" * 4000, "not-json"),
        (WHOLE.replace('"mask"', '"kind": "exit", "mask"'), "not-json"),
        (WHOLE.replace("365", "NaN"), "not-json"),
        (WHOLE.encode() + b"\xff", "not-json"),
        (WHOLE.encode("utf-16"), "not-json"),
        ("", "not-json"),
        (WHOLE + WHOLE, "not-json"),
        ('"\ud800"', "not-json"),
    ],
    ids=["1 MB", "1 MB inside", "nested", "twice", "NaN", "byte", "utf-16", "empty", "two", "half"],
)
def test_garbage_is_refused_by_name(text: str | bytes, code: str) -> None:
    assert text_problem(text) == f"entry.{code}"


def test_a_problem_never_repeats_what_somebody_sent() -> None:
    """A record may hold a name by mistake; a log must not."""
    for value in (record(王晓明=1), record(policy="王晓明" * 100), record(guard="王晓明")):
        with pytest.raises(ProblemError) as caught:
            entry_from_json(value)
        assert "王晓明" not in str(caught.value)


MUSTS = json.loads((FOLDER / "musts.json").read_text("utf-8"))["vectors"]


@pytest.mark.parametrize("row", MUSTS, ids=lambda row: row["name"])
def test_the_three_musts(row: dict[str, Any]) -> None:
    found = musts(entry_from_json(record(**row["record"])))
    assert {
        "asked": found.asked,
        "measured": found.measured,
        "registered": found.registered,
    } == row["expect"]


def test_a_must_cannot_be_proven_by_another() -> None:
    """Control: each of the three looks at its own part of the record."""
    bare = record(
        asked={"state": "unobserved"},
        measured={"state": MeasuredState.UNOBSERVED.value},
        registered={"how": "none"},
    )
    found = musts(entry_from_json(bare))
    assert {found.asked, found.measured} == {"unobserved"}
    assert found.registered == "missing"
