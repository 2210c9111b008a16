"""What holds for every visitor under every policy of the vectors, whatever they present."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passlight.core.entry.decide import Verdict, decide, prompts
from passlight.core.entry.policy import DoorPolicy
from passlight.core.entry.policy_form import policy_from_json
from passlight.core.entry.presented import (
    Observed,
    Presented,
    Reading,
    Registered,
    RegisteredBy,
    Room,
)
from passlight.core.rules.admission import REQUIREMENTS, Outcome
from passlight.core.verification.answer import DoorAnswer
from tests.vectors.verdict_vectors import VECTORS

NOW = 1_654_660_800
POLICIES = [
    policy_from_json(value) for value in {v.policy["id"]: v.policy for v in VECTORS}.values()
]
ERRORS = {a for a in DoorAnswer if a.colour is None}
presentations = st.builds(
    Presented,
    answer=st.sampled_from(DoorAnswer),
    reason=st.just("status"),
    sampled_from=st.none() | st.integers(NOW - 20 * 86_400, NOW + 600),
    temperature=st.none()
    | st.builds(Reading, tenths=st.integers(300, 450), thermometer=st.just("t")),
    mask=st.sampled_from(Observed),
    questions=st.none()
    | st.dictionaries(st.sampled_from(["symptoms", "travel", "well"]), st.booleans()),
    registered=st.none() | st.builds(Registered, how=st.sampled_from(RegisteredBy)),
    room=st.sampled_from(Room),
    emergency=st.just(False),
)
everyone = settings(max_examples=150, deadline=None)


def verdict(policy: DoorPolicy, presented: Presented, now: int = NOW) -> Verdict:
    return decide(policy, presented, now=now, offset=480)


@everyone
@given(st.sampled_from(POLICIES), presentations)
def test_nobody_is_admitted_unverified(policy: DoorPolicy, presented: Presented) -> None:
    if verdict(policy, presented).outcome is Outcome.ADMIT:
        assert presented.answer.colour in policy.colours
        assert presented.room is Room.FREE


@everyone
@given(st.sampled_from(POLICIES), presentations)
def test_one_verdict_and_its_reason_is_the_gravest(
    policy: DoorPolicy, presented: Presented
) -> None:
    found = verdict(policy, presented)
    gravities = [one.outcome.gravity for one in found.findings]
    assert gravities == sorted(gravities, reverse=True)
    assert found.outcome.gravity == max(gravities, default=0)
    names = [one.requirement for one in found.findings]
    assert len(set(names)) == len(names)
    assert found.requirement == (names[0] if names else "")
    for one, following in zip(found.findings, found.findings[1:], strict=False):
        if one.outcome is following.outcome:
            assert REQUIREMENTS.index(one.requirement) < REQUIREMENTS.index(following.requirement)
    assert found.prompt in prompts()
    assert found.say.zh and found.say.en


@everyone
@given(st.sampled_from(POLICIES), presentations)
def test_an_error_by_itself_only_asks(policy: DoorPolicy, presented: Presented) -> None:
    if presented.answer not in ERRORS:
        return
    found = verdict(policy, presented)
    of_the_answer = {"unknown", "expired", "not-found", "closed"}
    assert of_the_answer & {one.requirement for one in found.findings}
    for one in found.findings:
        if one.requirement in of_the_answer:
            assert one.outcome is Outcome.ASK
        assert one.requirement not in {"red", "yellow", "test", "test-none"}


@everyone
@given(st.sampled_from(POLICIES), presentations)
def test_emergency_care_is_refused_to_nobody_and_hides_nothing(
    policy: DoorPolicy, presented: Presented
) -> None:
    urgent = verdict(policy, replace(presented, emergency=True))
    assert (urgent.outcome, urgent.requirement) == (Outcome.ADMIT, "emergency")
    assert urgent.findings == verdict(policy, presented).findings


@everyone
@given(st.sampled_from(POLICIES), presentations, st.integers(0, 90 * 86_400))
def test_waiting_never_makes_a_test_newer(
    policy: DoorPolicy, presented: Presented, later: int
) -> None:
    before = {one.requirement for one in verdict(policy, presented).findings}
    after = {one.requirement for one in verdict(policy, presented, NOW + later).findings}
    assert before <= after
    assert after - before <= {"test"}


@pytest.mark.parametrize("change", [{"mask": Observed.YES}, {"temperature": 365}], ids=str)
def test_a_guards_key_only_ever_helps(change: dict[str, Any]) -> None:
    """What is observed and in order is never graver than what nobody observed."""
    if "temperature" in change:
        change = {"temperature": Reading(tenths=365, thermometer="t")}

    @everyone
    @given(st.sampled_from(POLICIES), presentations)
    def holds(policy: DoorPolicy, presented: Presented) -> None:
        unseen = replace(presented, mask=Observed.UNOBSERVED, temperature=None)
        seen = replace(unseen, **change)
        assert verdict(policy, seen).outcome.gravity <= verdict(policy, unseen).outcome.gravity

    holds()
