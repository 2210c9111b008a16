"""The verdict vectors by the gate's own way: a finding, observations, and the door's document.

Expected outcomes are those of ``vectors/verdicts``, which name their clauses.
"""

import pytest

from passlight.core.entry.presented import Presented, Registered, RegisteredBy, presented_from_json
from passlight.core.entry.record import Who
from passlight.gate.decision import Finding, Observations
from passlight.gate.desk import judge, presented_of
from tests.gateway.test_verdicts import door_with
from tests.vectors.verdict_vectors import VECTORS, VerdictVector, check


def as_found(shown: Presented) -> tuple[Finding, Observations]:
    """Return what the door's reader found and what was observed, as the engine has it."""
    registered = shown.registered
    own = registered is None or registered.how in {RegisteredBy.CODE, RegisteredBy.DOCUMENT}
    finding = Finding(
        answer=shown.answer,
        reason=shown.reason,
        sampled_from=shown.sampled_from,
        who=Who(lookup="c2VhbGVk") if registered is not None and own else None,
        by_document=registered == Registered(how=RegisteredBy.DOCUMENT),
        registered=None if own else registered,
    )
    seen = Observations(
        mask=shown.mask,
        questions=shown.questions,
        temperature=shown.temperature,
        emergency=shown.emergency,
    )
    return finding, seen


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_a_vector(vector: VerdictVector) -> None:
    shown = presented_from_json(vector.presented)
    finding, seen = as_found(shown)
    verdict = judge(
        door_with(vector.policy, offset=vector.offset),
        presented_of(finding, seen, room=shown.room),
        seen,
        role="visitor",
        guardian=None,
        now=vector.now,
    )
    check(
        vector,
        outcome=verdict.outcome,
        requirement=verdict.requirement,
        prompt=verdict.prompt,
        age_hours=verdict.age_hours,
    )
