"""Every verdict vector in the core, and that seeded bugs are caught by them.

Expectations are worked out by hand in ``vectors/verdict_rows.py``, each with its clause.
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from passlight.core.codes import sampling
from passlight.core.entry import decide as deciding
from passlight.core.entry.decide import decide, prompts
from passlight.core.entry.policy_form import policy_from_json
from passlight.core.entry.presented import (
    Observed,
    Presented,
    Room,
    presented_from_json,
)
from passlight.core.rules.admission import REQUIREMENTS, Outcome
from passlight.core.verification.answer import DoorAnswer
from tests.vectors.verdict_vectors import FOLDER, VECTORS, VerdictVector, check

Patch = pytest.MonkeyPatch


def as_written(presented: Presented) -> dict[str, Any]:
    """Return the form in which the vectors hold what was presented."""
    reading, registered = presented.temperature, presented.registered
    return {
        "answer": presented.answer.value,
        "reason": presented.reason,
        "sampled_from": presented.sampled_from,
        "temperature": None
        if reading is None
        else {"tenths": reading.tenths, "thermometer": reading.thermometer},
        "mask": presented.mask.value,
        "questions": None if presented.questions is None else dict(presented.questions),
        "registered": None
        if registered is None
        else {"how": registered.how.value, "reference": registered.reference},
        "room": presented.room.value,
        "emergency": presented.emergency,
    }


def run(vector: VerdictVector) -> None:
    policy = policy_from_json(vector.policy)
    presented = presented_from_json(vector.presented)
    # Through the module, so that a seeded bug is reached.
    verdict = deciding.decide(policy, presented, now=vector.now, offset=vector.offset)
    check(
        vector,
        outcome=verdict.outcome,
        requirement=verdict.requirement,
        prompt=verdict.prompt,
        age_hours=verdict.age_hours,
    )


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_vector(vector: VerdictVector) -> None:
    run(vector)


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_policy_and_presented_are_read_and_written_the_same(vector: VerdictVector) -> None:
    assert policy_from_json(vector.policy).to_json() == vector.policy
    assert as_written(presented_from_json(vector.presented)) == vector.presented


def test_there_are_enough_and_each_names_its_clause() -> None:
    assert len(VECTORS) >= 80
    assert all(vector.clause for vector in VECTORS)
    assert len({vector.id for vector in VECTORS}) == len(VECTORS)


def test_every_answer_and_every_requirement_of_one_visitor_occurs() -> None:
    assert {vector.presented["answer"] for vector in VECTORS} == set(DoorAnswer)
    # A guardian is a matter of a party (tests/entry/test_party.py).
    wanted = {*REQUIREMENTS, "", "emergency"} - {"guardian"}
    assert {vector.expect["requirement"] for vector in VECTORS} == wanted
    assert {vector.expect["outcome"] for vector in VECTORS} == set(Outcome)


def test_every_prompt_of_the_vectors_is_one_to_record() -> None:
    assert {vector.expect["prompt"] for vector in VECTORS} <= set(prompts())


def test_nothing_unverified_is_ever_admitted() -> None:
    for vector in VECTORS:
        if vector.expect["outcome"] == "admit" and not vector.presented["emergency"]:
            assert vector.presented["answer"] in {"green", "yellow"}


def test_the_files_are_what_the_rows_say(tmp_path: Path) -> None:
    script = FOLDER.parent / "verdicts.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, timeout=60)
    for path in FOLDER.glob("*.json"):
        if (tmp_path / path.name).exists():
            assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def hours_off_by_one_second(patch: Patch) -> None:
    original = sampling.is_within_hours

    def wrong(sampled, *, now, hours_max):
        return original(sampled, now=now + 1, hours_max=hours_max)

    patch.setattr(deciding, "is_within_hours", wrong)


def hours_generous_by_one_second(patch: Patch) -> None:
    original = sampling.is_within_hours

    def wrong(sampled, *, now, hours_max):
        return original(sampled, now=now - 1, hours_max=hours_max)

    patch.setattr(deciding, "is_within_hours", wrong)


def ten_minutes_against_the_resident(patch: Patch) -> None:
    def wrong(sampled, *, now, hours_max):
        return sampled is not None and now - sampled <= hours_max * 3600

    patch.setattr(deciding, "is_within_hours", wrong)


def calendar_days_are_elapsed(patch: Patch) -> None:
    def wrong(sampled, *, now, days_max, offset):
        return now - sampled <= days_max * 86_400

    patch.setattr(deciding, "is_within_days", wrong)


def calendar_days_of_greenwich(patch: Patch) -> None:
    original = sampling.is_within_days

    def wrong(sampled, *, now, days_max, offset):
        return original(sampled, now=now, days_max=days_max, offset=0)

    patch.setattr(deciding, "is_within_days", wrong)


def first_requirement_wins(patch: Patch) -> None:
    patch.setattr(deciding, "_order", lambda one: (0, REQUIREMENTS.index(one.requirement)))


def last_of_equals_wins(patch: Patch) -> None:
    patch.setattr(
        deciding,
        "_order",
        lambda one: (-one.outcome.gravity, -REQUIREMENTS.index(one.requirement)),
    )


def of_presented(change: Callable[[Any], Any]) -> Callable[[Patch], None]:
    def bug(patch: Patch) -> None:
        original = deciding.decide
        patch.setattr(
            deciding,
            "decide",
            lambda policy, presented, **more: original(policy, change(presented), **more),
        )

    return bug


def of_policy(change: Callable[[Any], Any]) -> Callable[[Patch], None]:
    def bug(patch: Patch) -> None:
        original = deciding.decide
        patch.setattr(
            deciding,
            "decide",
            lambda policy, presented, **more: original(change(policy), presented, **more),
        )

    return bug


def unobserved_admits(patch: Patch) -> None:
    patch.setattr(deciding, "_unseen", lambda policy, presented: iter(()))


def unobserved_always_stops(patch: Patch) -> None:
    original = deciding.decide

    def wrong(policy, presented, **more):
        asking = {
            key: replace(found, outcome=Outcome.ASK) if found.outcome is Outcome.ADMIT else found
            for key, found in policy.unobserved.items()
        }
        return original(replace(policy, unobserved=asking), presented, **more)

    patch.setattr(deciding, "decide", wrong)


def fever_above_the_limit_only(patch: Patch) -> None:
    def raised(policy):
        rule = policy.temperature
        return (
            policy
            if rule is None
            else replace(policy, temperature=replace(rule, limit=rule.limit + 1))
        )

    of_policy(raised)(patch)


def fever_a_tenth_early(patch: Patch) -> None:
    def lowered(policy):
        rule = policy.temperature
        return (
            policy
            if rule is None
            else replace(policy, temperature=replace(rule, limit=rule.limit - 1))
        )

    of_policy(lowered)(patch)


def errors_are_judged_for_their_test(patch: Patch) -> None:
    original = deciding._failed

    def wrong(policy, presented, **more):
        yield from original(policy, presented, **more)
        if policy.test is not None and presented.answer.colour is None:
            yield "test"

    patch.setattr(deciding, "_failed", wrong)


def no_test_passes(patch: Patch) -> None:
    original = deciding._failed

    def wrong(policy, presented, **more):
        return (name for name in original(policy, presented, **more) if name != "test-none")

    patch.setattr(deciding, "_failed", wrong)


def expired_is_yellow(patch: Patch) -> None:
    patch.setitem(deciding._ANSWERS, DoorAnswer.EXPIRED, "yellow")


def yes_is_always_alarming(patch: Patch) -> None:
    def changed(policy):
        asked = tuple(replace(one, alarming=True) for one in policy.questions)
        return replace(policy, questions=asked)

    of_policy(changed)(patch)


def open_questions_pass(patch: Patch) -> None:
    original = deciding._alarming

    def wrong(policy, presented):
        return (name for name in original(policy, presented) if name != "declaration")

    patch.setattr(deciding, "_alarming", wrong)


def emergencies_are_like_others(patch: Patch) -> None:
    of_presented(lambda presented: replace(presented, emergency=False))(patch)


def room_not_known_is_room(patch: Patch) -> None:
    of_presented(lambda one: replace(one, room=Room.FREE) if one.room is Room.UNKNOWN else one)(
        patch
    )


def a_full_hall_takes_one_more(patch: Patch) -> None:
    of_presented(lambda one: replace(one, room=Room.FREE) if one.room is Room.FULL else one)(patch)


def masks_missing_are_unseen(patch: Patch) -> None:
    of_presented(
        lambda one: replace(one, mask=Observed.UNOBSERVED) if one.mask is Observed.NO else one
    )(patch)


def registration_by_none_counts(patch: Patch) -> None:
    original = deciding._failed

    def wrong(policy, presented, **more):
        some = presented.registered is not None
        return (
            name
            for name in original(policy, presented, **more)
            if name != "registration" or not some
        )

    patch.setattr(deciding, "_failed", wrong)


def only_green_is_admitted(patch: Patch) -> None:
    of_policy(lambda policy: replace(policy, colours=policy.colours[:1]))(patch)


BUGS: list[Callable[[Patch], None]] = [
    hours_off_by_one_second,
    hours_generous_by_one_second,
    ten_minutes_against_the_resident,
    calendar_days_are_elapsed,
    calendar_days_of_greenwich,
    first_requirement_wins,
    last_of_equals_wins,
    unobserved_admits,
    unobserved_always_stops,
    fever_above_the_limit_only,
    fever_a_tenth_early,
    errors_are_judged_for_their_test,
    no_test_passes,
    expired_is_yellow,
    yes_is_always_alarming,
    open_questions_pass,
    emergencies_are_like_others,
    room_not_known_is_room,
    a_full_hall_takes_one_more,
    masks_missing_are_unseen,
    registration_by_none_counts,
    only_green_is_admitted,
]


def broken() -> list[str]:
    found = []
    for vector in VECTORS:
        try:
            run(vector)
        except AssertionError:
            found.append(vector.id)
    return found


def test_without_a_seeded_bug_every_vector_holds() -> None:
    assert deciding.decide is decide
    assert not broken()


@pytest.mark.parametrize("bug", BUGS, ids=lambda one: one.__name__)
def test_a_seeded_bug_breaks_a_vector(bug: Callable[[Patch], None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        bug(patch)
        assert broken(), f"{bug.__name__} survived"
