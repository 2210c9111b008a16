"""Companions in one scan: each has a verdict, minors go in with a guardian, nobody is green unseen.

Expected values follow from field/01 1.2 (companions, people without a phone) and the policy of
the vectors, by hand.
"""

from dataclasses import replace

from passlight.core.entry.party import Companion, PartyVerdict, decide_party
from passlight.core.entry.policy_form import policy_from_json
from passlight.core.entry.presented import (
    Observed,
    Presented,
    Reading,
    Registered,
    RegisteredBy,
    Room,
)
from passlight.core.verification.answer import DoorAnswer
from tests.entry.samples import POLICY, VISIT

NOW = 1_654_660_800
ADULT = Presented(
    answer=DoorAnswer.GREEN,
    reason="status",
    sampled_from=NOW - 12 * 3600,
    temperature=Reading(tenths=365, thermometer="t-1"),
    mask=Observed.YES,
    questions={"symptoms": False, "travel": False},
    registered=Registered(how=RegisteredBy.CODE),
)
VISITOR = policy_from_json(POLICY)
COMPANION = policy_from_json({**POLICY, "id": "c", "role": "companion"})


def party(holder: Presented, *companions: Companion) -> PartyVerdict:
    return decide_party(VISITOR, COMPANION, holder, companions, visit=VISIT, now=NOW, offset=480)


def reasons(found: PartyVerdict) -> list[tuple[str, str]]:
    return [(one.outcome.value, one.requirement) for one in found.companions]


def test_companions_with_codes_of_their_own_go_in() -> None:
    grandmother = Companion(presented=replace(ADULT, registered=None))
    child = Companion(presented=ADULT, minor=True)
    found = party(ADULT, grandmother, child)
    assert found.holder.outcome == "admit"
    assert reasons(found) == [("admit", ""), ("admit", "")]


def test_who_has_no_answer_is_registered_and_asked_and_never_green() -> None:
    found = party(ADULT, Companion(), Companion(minor=True))
    assert found.holder.outcome == "admit"
    assert reasons(found) == [("ask", "unknown"), ("ask", "unknown")]
    # Registered by the holder, so registration is not what is missing.
    missing = {one.requirement for verdict in found.companions for one in verdict.findings}
    assert "registration" not in missing


def test_a_red_companion_is_isolated_and_the_holder_is_not() -> None:
    found = party(ADULT, Companion(presented=replace(ADULT, answer=DoorAnswer.RED)))
    assert found.holder.outcome == "admit"
    assert reasons(found) == [("isolate", "red")]


def test_a_minor_does_not_go_in_without_the_guardian() -> None:
    red = replace(ADULT, answer=DoorAnswer.RED)
    found = party(red, Companion(presented=ADULT, minor=True), Companion(presented=ADULT))
    assert found.holder.requirement == "red"
    # Asked and not isolated: the child has nothing; the adult companion goes in.
    assert reasons(found) == [("ask", "guardian"), ("admit", "")]
    assert found.companions[0].prompt == "ask.guardian"


def test_a_minors_own_fever_is_graver_than_the_missing_guardian() -> None:
    hot = replace(ADULT, temperature=Reading(tenths=391, thermometer="t-1"))
    old = replace(ADULT, sampled_from=NOW - 90 * 3600)
    found = party(old, Companion(presented=hot, minor=True))
    assert reasons(found) == [("isolate", "temperature")]
    assert found.companions[0].findings[-1].requirement == "guardian"


def test_a_full_hall_holds_those_without_a_code_too() -> None:
    full = replace(ADULT, room=Room.FULL)
    assert reasons(party(full, Companion())) == [("refuse", "full")]


def test_emergency_care_is_refused_to_no_child() -> None:
    emergency = replace(ADULT, answer=DoorAnswer.RED, emergency=True)
    assert reasons(party(emergency, Companion(minor=True))) == [("admit", "emergency")]
    child = replace(ADULT, emergency=True)
    refused = replace(ADULT, answer=DoorAnswer.RED)
    found = party(refused, Companion(presented=child, minor=True))
    assert reasons(found) == [("admit", "emergency")]
