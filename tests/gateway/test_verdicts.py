"""The verdict vectors by the gateway's own way: what a request presents, judged by the document.

Expected outcomes are those of ``vectors/verdicts``, which name their clauses.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from passlight.core.entry.door_document import DoorDocument, door_from_json
from passlight.gateway.schemas import PresentedIn
from passlight.gateway.verdicts import presented_of, verdict_of
from tests.vectors.verdict_vectors import VECTORS, VerdictVector, check

TOLD = ("answer", "reason", "sampled_from")


def door_with(policy: dict[str, Any], *, offset: int) -> DoorDocument:
    return door_from_json(
        {
            "format": 1,
            "realm": "cn-310118",
            "venue": "00000000-0000-4000-8000-000000000001",
            "entrance": "east",
            "zone": "",
            "venue_name": {"zh": "示例大厅", "en": "Example hall"},
            "entrance_name": {"zh": "东门", "en": "East gate"},
            "hall": None,
            "plan": "test",
            "plan_version": "1",
            "policies": [{**policy, "role": "visitor"}],
            "offset": offset,
            "emergency": False,
            "one_of": "either",
            "one_of_minutes": 30,
            "standing_places": None,
            "made_at": datetime(2022, 6, 1, tzinfo=UTC).isoformat(),
            "effective_until": datetime(2022, 6, 8, tzinfo=UTC).isoformat(),
        }
    )


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_a_vector(vector: VerdictVector) -> None:
    shown = {name: value for name, value in vector.presented.items() if name not in TOLD}
    given = msgspec.convert({"room": "free", **shown}, PresentedIn)
    presented = presented_of(
        given,
        answer=vector.presented["answer"],
        reason=vector.presented.get("reason", ""),
        sampled_at=vector.presented.get("sampled_from"),
        kind=None,
    )
    door = door_with(vector.policy, offset=vector.offset)
    verdict = verdict_of(door, "visitor", presented, now=vector.now)
    check(
        vector,
        outcome=verdict.outcome,
        requirement=verdict.requirement,
        prompt=verdict.prompt,
        age_hours=verdict.age_hours,
    )


def test_there_are_vectors() -> None:
    assert len(VECTORS) > 20
