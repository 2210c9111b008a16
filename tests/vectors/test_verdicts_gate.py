"""Every verdict vector that a sentinel can meet, as the sentinel itself decides and records it.

A sentinel registers by a code or a document only, and knows room from its own places
(``tests/gate/test_engine.py``): rows with paper, a guardian or a full room stay with the core.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from passlight.core.entry.door_document import door_from_json
from passlight.core.entry.presented import presented_from_json
from passlight.core.entry.record import Who
from passlight.gate.assembly import Gate
from passlight.gate.decision import Finding, Observations
from tests.entry.samples import door
from tests.gate.world import VirtualClock, World
from tests.vectors.verdict_vectors import VECTORS, VerdictVector, check


def met(vector: VerdictVector) -> bool:
    """Whether a sentinel can have this in front of it."""
    registered = (vector.presented["registered"] or {"how": "none"})["how"]
    return registered in {"code", "document", "none"} and vector.presented["room"] == "free"


MET = [vector for vector in VECTORS if met(vector)]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Gate]]:
    """One sentinel whose clock stands before every vector, so that it only ever goes on."""
    world = World(VirtualClock(min(vector.now for vector in MET)))
    folder: Path = tmp_path_factory.mktemp("vectors")
    gate = world.start(folder / "door")
    yield world, gate
    world.stop_all()


def test_nearly_all_of_them_can_be_met() -> None:
    assert len(MET) >= 85


@pytest.mark.parametrize("vector", sorted(MET, key=lambda one: one.now), ids=str)
def test_vector(vector: VerdictVector, started: tuple[World, Gate]) -> None:
    world, gate = started
    world.clock.pass_(vector.now - world.clock.wall)
    value = door(
        policies=[{**vector.policy, "role": "visitor"}],
        offset=vector.offset,
        made_at="2022-01-01T00:00:00Z",
        effective_until="2023-01-01T00:00:00Z",
        standing_places=None,
    )
    gate.knowledge.door = door_from_json(value)
    gate.knowledge.seal = world.seal_key.public_key
    presented = presented_from_json(vector.presented)
    how = (vector.presented["registered"] or {"how": "none"})["how"]
    finding = Finding(
        answer=presented.answer,
        reason=presented.reason,
        sampled_from=presented.sampled_from,
        who=None if how == "none" else Who(realm="cn-310118", epoch=325, index=7),
        by_document=how == "document",
    )
    observations = Observations(
        mask=presented.mask,
        questions=presented.questions,
        temperature=presented.temperature,
        emergency=presented.emergency,
    )
    visit = "1c0ffee0-0000-4000-8000-000000000001"
    decision = asyncio.run(gate.door._decide(finding, observations, visit=visit))
    assert decision.recorded
    check(
        vector,
        outcome=decision.verdict.outcome,
        requirement=decision.verdict.requirement,
        prompt=decision.verdict.prompt,
        age_hours=decision.verdict.age_hours,
    )
