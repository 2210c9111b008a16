"""The verdict vectors as every door runs them: core, gate and gateway (``vectors/verdicts``).

A runner makes its door from ``policy``, shows it ``presented`` at ``now`` and hands what it
did to ``check``:

    @pytest.mark.parametrize("vector", VECTORS, ids=str)
    def test_gate(vector: VerdictVector) -> None:
        policy = policy_from_json(vector.policy)
        …
        check(vector, outcome=…, requirement=…, prompt=…)
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "vectors" / "verdicts"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictVector:
    """One visitor under one policy, and what every door must do."""

    id: str
    clause: str
    policy: dict[str, Any]
    presented: dict[str, Any]
    now: int
    offset: int
    expect: dict[str, Any]

    def __str__(self) -> str:
        return self.id


def read_vectors() -> list[VerdictVector]:
    """Return every vector with its whole policy."""
    found: list[VerdictVector] = []
    for path in sorted(FOLDER.glob("*.json")):
        file = json.loads(path.read_text("utf-8"))
        if "policies" not in file:
            continue
        found.extend(
            VerdictVector(
                id=f"{file['about']}: {row['name']}",
                clause=row["clause"],
                policy=file["policies"][row["policy"]],
                presented=row["presented"],
                now=row["now"],
                offset=row["offset"],
                expect=row["expect"],
            )
            for row in file["vectors"]
        )
    return found


VECTORS = read_vectors()


def check(
    vector: VerdictVector,
    *,
    outcome: str,
    requirement: str,
    prompt: str,
    age_hours: int | None = None,
) -> None:
    """Assert that a door did what the vector says; the age only where the vector has one."""
    expect = vector.expect
    assert (outcome, requirement, prompt) == (
        expect["outcome"],
        expect["requirement"],
        expect["prompt"],
    ), vector.id
    if "age_hours" in expect and age_hours is not None:
        assert age_hours == expect["age_hours"], vector.id
