"""Core and browser decide the same about four thousand visitors nobody thought of.

The oracle is the other implementation: neither is right by itself, and where they differ one of
them is wrong. The control is a twin with one seeded difference.
"""

import json
import random
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from passlight.core.entry.decide import decide
from passlight.core.entry.policy_form import policy_from_json
from passlight.core.entry.presented import presented_from_json
from tests.vectors.verdict_vectors import VECTORS

SEED = 20_220_518
COUNT = 4_000
NOON = 1_654_660_800
POLICIES = {vector.policy["id"]: vector.policy for vector in VECTORS}


@cache
def cases() -> tuple[dict[str, Any], ...]:
    draw = random.Random(SEED)

    def some(*choices: Any) -> Any:
        return draw.choice(choices)

    def one() -> dict[str, Any]:
        now = NOON + draw.randrange(-90_000, 90_000)
        edge = some(0, 24, 48, 72) * 3600 + some(0, 600, -600, 1, -1, 599, 601)
        ages = [edge, draw.randrange(0, 400_000), -draw.randrange(0, 4000)]
        return {
            "policy": some(*POLICIES),
            "presented": {
                "answer": some(
                    *("green",) * 4,
                    *("yellow", "red", "undetermined", "expired", "not-found", "closed"),
                ),
                "reason": "status",
                "sampled_from": some(None, *[now - age for age in ages]),
                "temperature": some(
                    None,
                    *[{"tenths": tenths, "thermometer": "t"} for tenths in (365, 372, 373, 374)],
                ),
                "mask": some("yes", "yes", "no", "unobserved"),
                "questions": some(
                    None,
                    {},
                    {"symptoms": False, "travel": False},
                    {"symptoms": False, "travel": False, "well": True},
                    {"symptoms": some(True, False), "travel": some(True, False)},
                    {"travel": some(True, False), "constructor": True},
                ),
                "registered": some(
                    None,
                    *[
                        {"how": how, "reference": ""}
                        for how in ("code", "code", "document", "paper", "guardian", "none")
                    ],
                ),
                "room": some("free", "free", "full", "unknown"),
                "emergency": draw.random() < 0.05,
            },
            "now": now,
            "offset": some(480, 480, 0, -300, 345),
        }

    return tuple(one() for _ in range(COUNT))


def in_python(change: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> list[Any]:
    found = []
    policies = {name: policy_from_json(policy) for name, policy in POLICIES.items()}
    for case in map(change, cases()):
        verdict = decide(
            policies[case["policy"]],
            presented_from_json(case["presented"]),
            now=case["now"],
            offset=case["offset"],
        )
        found.append(
            [
                verdict.outcome.value,
                verdict.requirement,
                verdict.prompt,
                verdict.say.zh,
                verdict.age_hours,
                [[f.requirement, f.outcome.value, f.unobserved] for f in verdict.findings],
            ]
        )
    return found


@cache
def in_the_browsers_language() -> list[Any]:
    sent = json.dumps({"policies": POLICIES, "cases": cases()})
    script = Path(__file__).with_name("twin.mjs")
    done = subprocess.run(
        ["node", str(script)], input=sent, capture_output=True, text=True, timeout=60, check=True
    )
    decided: list[Any] = json.loads(done.stdout)
    return decided


def differing(ours: list[Any]) -> list[int]:
    theirs = in_the_browsers_language()
    assert len(ours) == len(theirs) == COUNT
    return [index for index in range(COUNT) if ours[index] != theirs[index]]


def test_both_decide_the_same() -> None:
    ours = in_python()
    wrong = differing(ours)
    assert not wrong, (cases()[wrong[0]], ours[wrong[0]], in_the_browsers_language()[wrong[0]])


def test_the_visitors_are_of_every_kind() -> None:
    """Otherwise agreeing would mean little."""
    outcomes = [row[0] for row in in_the_browsers_language()]
    assert min(outcomes.count(one) for one in ("admit", "ask", "refuse", "isolate")) > 100
    assert len({row[1] for row in in_the_browsers_language()}) >= 15


def test_a_twin_that_is_a_second_off_is_found() -> None:
    assert differing(in_python(lambda case: {**case, "now": case["now"] + 1}))
