"""Every verdict vector as the gateway decides it: its request read, its answer written.

The expectations are those of the core (``vectors/verdict_rows.py``). The gateway's own bounds on a
request are wider than nothing and narrower than the vectors', so that all of them can be sent.
"""

import json

import msgspec
import pytest

from passlight.core.entry.door_document import door_from_json
from passlight.gateway.schemas import PresentedIn
from passlight.gateway.verdicts import presented_of, verdict_of
from tests.entry.samples import door
from tests.vectors.verdict_vectors import VECTORS, VerdictVector, check


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_vector(vector: VerdictVector) -> None:
    observed = {
        key: value
        for key, value in vector.presented.items()
        if key not in {"answer", "reason", "sampled_from"}
    }
    given = msgspec.json.decode(json.dumps(observed), type=PresentedIn)
    presented = presented_of(
        given,
        answer=vector.presented["answer"],
        reason=vector.presented["reason"],
        sampled_at=vector.presented["sampled_from"],
        kind=None,
    )
    held = door_from_json(
        door(policies=[{**vector.policy, "role": "visitor"}], offset=vector.offset)
    )
    verdict = verdict_of(held, "visitor", presented, now=vector.now)
    check(
        vector,
        outcome=verdict.outcome,
        requirement=verdict.requirement,
        prompt=verdict.prompt,
        age_hours=verdict.age_hours,
    )
