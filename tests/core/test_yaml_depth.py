"""Deeply nested YAML is refused at once, wherever a user's YAML is read.

Measured without the guard: 4,000 characters took 36 s, a mapping ended in a RecursionError.
"""

import subprocess
import sys

import pytest

from passlight.core.kernel.yaml_events import TooDeepError, shallow_events

READ_PACK = (
    "from passlight.core.rules.load import load_pack; load_pack({'pack.yaml': '%s' * 50000})"
)
READ_MAPPING = (
    "from passlight.agencies.csv.mapping import load_mapping\n"
    "load_mapping('%s' * 30000, file='mapping.yaml')"
)


@pytest.mark.parametrize("script", [READ_PACK, READ_MAPPING])
@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_nesting_costs_no_time(script: str, opening: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script % opening],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "ProblemError" in done.stderr.splitlines()[-1] or "YAML" in done.stderr
    assert "RecursionError" not in done.stderr


def test_the_limit_is_where_it_says() -> None:
    assert len(list(shallow_events("[[[]]]", depth_max=3))) == 6 + 4, "and stream and document"
    with pytest.raises(TooDeepError, match="nested more than 2 deep"):
        list(shallow_events("[[[]]]", depth_max=2))
    assert list(shallow_events("[[], [], []]", depth_max=2)), "beside is not below"
