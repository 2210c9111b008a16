"""The door document: read and written the same, refused by field, one scan, and roles.

Expected values are written by hand from the contract and field/01 1.2.
"""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from passlight.core.entry.door_document import OneOf, door_from_json, door_from_text
from passlight.core.entry.one_scan import EntryCheckIn, scan_asked
from passlight.core.entry.roles import role_for, started
from passlight.core.kernel.problem import ProblemError
from tests.entry.samples import DOOR, GONE, POLICY, door
from tests.vectors.verdict_vectors import FOLDER


def test_a_document_is_read_and_written_the_same() -> None:
    read = door_from_json(DOOR)
    assert read.to_json() == DOOR
    assert door_from_text(json.dumps(DOOR)) == read


def test_a_venue_without_a_hall_and_without_places_has_a_document_too() -> None:
    value = door(hall=None, standing_places=None, plan="", plan_version="", seal="")
    assert door_from_json(value).to_json() == value


def test_a_role_that_the_door_does_not_name_is_a_visitor() -> None:
    staff = {**POLICY, "id": "s", "role": "staff"}
    read = door_from_json(door(policies=[POLICY, staff]))
    assert read.policy("staff").id == "s"
    assert read.policy("courier").id == POLICY["id"]


def test_a_document_ends_at_its_last_second() -> None:
    read = door_from_json(DOOR)
    assert read.is_in_force(datetime(2022, 6, 14, 23, 59, 59, tzinfo=UTC))
    assert not read.is_in_force(datetime(2022, 6, 15, tzinfo=UTC))


GAP = {**POLICY, "failures": {k: v for k, v in POLICY["failures"].items() if k != "red"}}
WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "a later format": ({"format": 2}, "format", "unknown-format"),
    "no format": ({"format": GONE}, "format", "missing"),
    "a key of somebody else": ({"wifi": "x"}, "wifi", "unknown-key"),
    "realm in capitals": ({"realm": "CN"}, "realm", "bad-form"),
    "venue": ({"venue": "hall"}, "venue", "bad-form"),
    "no English name": ({"venue_name": {"zh": "厅"}}, "venue_name.en", "missing"),
    "no policies": ({"policies": []}, "policies", "no-visitor"),
    "staff only": ({"policies": [{**POLICY, "role": "staff"}]}, "policies", "no-visitor"),
    "visitors twice": ({"policies": [POLICY, POLICY]}, "policies", "role-twice"),
    "too many policies": ({"policies": [POLICY] * 17}, "policies", "too-many"),
    "a wrong policy": (
        {"policies": [{**POLICY, "mask": 1}]},
        "policies.0.mask",
        "not-a-flag",
    ),
    "a policy with a gap": ({"policies": [GAP]}, "failures.red", "policy-no-outcome"),
    "offset of a day": ({"offset": 1440}, "offset", "not-a-number"),
    "both scans": ({"one_of": "both"}, "one_of", "not-a-choice"),
    "minutes below nought": ({"one_of_minutes": -1}, "one_of_minutes", "not-a-number"),
    "places as a text": ({"standing_places": "12"}, "standing_places", "not-a-number"),
    "ends as it starts": (
        {"effective_until": DOOR["made_at"]},
        "effective_until",
        "contradiction",
    ),
    "a key of 16 bytes": ({"seal": "A" * 22}, "seal", "bad-form"),
}


@pytest.mark.parametrize("changes, field, code", WRONG.values(), ids=WRONG)
def test_each_wrong_field_is_named(changes: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(ProblemError) as caught:
        door_from_json(door(**changes))
    (found,) = caught.value.problems
    assert (found.field, found.code) == (field, f"entry.{code}")


def test_a_torn_document_is_refused_anywhere() -> None:
    whole = json.dumps(DOOR)
    for end in range(0, len(whole), 7):
        with pytest.raises(ProblemError):
            door_from_text(whole[:end])
    with pytest.raises(ProblemError):
        door_from_text("x" * 1_000_000)


SCANS = json.loads((FOLDER / "one-scan.json").read_text("utf-8"))["vectors"]


@pytest.mark.parametrize("row", SCANS, ids=lambda row: row["name"])
def test_one_scan_and_never_two(row: dict[str, Any]) -> None:
    read = door_from_json(door(**row["door"]))
    check_in = row["check_in"]
    found = scan_asked(
        read,
        check_in
        and EntryCheckIn(
            venue=UUID(check_in["venue"]),
            entrance=check_in["entrance"],
            at=datetime.fromtimestamp(check_in["at"], UTC),
        ),
        now=datetime.fromtimestamp(row["now"], UTC),
    )
    assert (found or "nothing") == row["expect"]
    assert found in {None, *OneOf}


ROLES = [
    # S4 三（二）4: the scan at the start of work is the first of the day.
    (True, False, None, "staff"),
    (True, True, None, "staff-reentry"),
    # What somebody claims makes nobody staff, and spares no member of staff the 24 hours.
    (False, False, "staff", "visitor"),
    (False, False, "staff-reentry", "visitor"),
    (True, False, "visitor", "staff"),
    (True, False, "staff-reentry", "staff"),
    (False, True, None, "visitor"),
    (False, False, None, "visitor"),
    (False, False, "companion", "companion"),
    (False, False, "courier", "courier"),
    (False, False, "mayor", "visitor"),
]


@pytest.mark.parametrize("staff, begun, claimed, expected", ROLES)
def test_role(staff: bool, begun: bool, claimed: str | None, expected: str) -> None:
    assert role_for(staff=staff, started_today=begun, claimed=claimed) == expected


def at(text: str) -> int:
    return int(datetime.fromisoformat(f"2022-06-{text}+08:00").timestamp())


@pytest.mark.parametrize(
    "last, now, expected",
    [
        (None, "08T08:00", False),
        ("08T00:00", "08T23:59:59", True),
        ("07T23:59:59", "08T00:00", False),
        ("08T07:59", "08T08:00", True),  # 23:59 UTC of the day before, the same day here
        ("07T08:00", "08T07:59", False),  # within 24 hours, and another day
    ],
)
def test_a_day_of_work_is_the_realms(last: str | None, now: str, expected: bool) -> None:
    before = at(last) if last else None
    assert started(before, now=at(now), offset=480) is expected
