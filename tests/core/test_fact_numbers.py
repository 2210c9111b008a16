"""Numbers of a payload stay where a double holds every whole number (RFC 7493 2.2: 2**53 - 1).

The set-based evaluator compares doubles and the person evaluator what was written; above the
limit 9007199254740993 would equal 9007199254740992 for the one and not for the other.
"""

import json
from typing import Any

import pytest

from passlight.core.facts.fact import Op
from passlight.core.facts.form import parse_line
from passlight.core.kernel.problem import ProblemError

LIMIT = 9_007_199_254_740_991


def line(minutes: Any, op: str = "assert") -> bytes:
    told = {
        "fact_id": "e",
        "ver": 1,
        "op": op,
        "kind": "exposure.derived",
        "subject": "p",
        "occurred_at": "2022-03-01T10:00:00+08:00",
        "recorded_at": "2022-03-01T10:00:00+08:00",
        "source": "tracing",
        "payload": {"minutes": minutes, "note": 10**30},
    }
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    "number", [LIMIT + 1, -LIMIT - 1, 2**53 + 1, 10**30, 10**400, 1e16, -1e308, float(2**53)]
)
def test_a_number_beyond_the_limit_is_refused_with_its_field(number: float) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_line(line(number), file="facts.jsonl", number=7)
    (problem,) = caught.value.problems
    assert (problem.code, problem.field) == ("intake.too-large", "payload.minutes")
    assert str(problem) == (
        "facts.jsonl:7: payload.minutes: is too large a number. "
        "Keep it between -9007199254740991 and 9007199254740991."
    )


@pytest.mark.parametrize("number", [LIMIT, -LIMIT, 0, 9.5, float(LIMIT), 5e-324])
def test_a_number_within_the_limit_is_kept_as_it_is(number: float) -> None:
    assert parse_line(line(number)).payload["minutes"] == number


def test_what_no_rule_reads_is_kept_and_a_withdrawal_is_never_refused_for_a_number() -> None:
    assert parse_line(line(1)).payload["note"] == 10**30
    assert parse_line(line(10**30, op="retract")).op is Op.RETRACT
