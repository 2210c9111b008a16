"""The acceptance cases of field/08 1.10, as scenarios that a health officer can read.

Expected colours and times are written by hand from the table of that section; each file runs
through the same evaluation as ``passlight evaluate``.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from passlight.core.rules.load import load_pack
from passlight.core.rules.pack import Pack
from passlight.core.status.scenario import ScenarioResult, run_scenarios
from passlight.runtime.packs import read_pack_folder, shipped_packs

HERE = Path(__file__).parent
SHIPPED = sorted(path.parent.name for path in shipped_packs().glob("*/pack.yaml"))


@cache
def pack_named(name: str) -> Pack:
    own = HERE / "packs" / name
    return load_pack(read_pack_folder(own if own.is_dir() else shipped_packs() / name))


def results() -> Iterator[ScenarioResult]:
    for path in sorted((HERE / "acceptance").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        yield from run_scenarios(text, file=path.name, pack_named=pack_named)
    for name in SHIPPED:
        for path in sorted((shipped_packs() / name / "tests").glob("*.yaml")):
            text = path.read_text(encoding="utf-8")
            own, file = pack_named(name), f"{name}/{path.name}"
            yield from run_scenarios(text, file=file, pack_named=pack_named, default=own)


RESULTS = list(results())


@pytest.mark.parametrize("result", RESULTS, ids=[f"{one.file}:{one.id}" for one in RESULTS])
def test_scenario(result: ScenarioResult) -> None:
    assert not result.failures, "\n".join(result.failures)


def test_every_acceptance_case_of_the_rules_has_a_scenario() -> None:
    """E31–E37 belong to exposure tracing; E42 to documents, E50 to the properties."""
    wanted = {f"E{n:02}" for n in [*range(1, 31), *range(38, 51)]} - {"E42", "E50"}
    assert wanted <= {one.id.partition("-")[0] + "" for one in RESULTS}


def test_every_shipped_pack_tests_itself() -> None:
    for name in SHIPPED:
        assert list((shipped_packs() / name / "tests").glob("*.yaml")), name


def test_a_scenario_that_does_not_hold_is_told() -> None:
    """Positive control: the runner finds a wrong expectation, a typo and an empty scenario."""
    text = """
- {id: wrong, facts: [], expect: [{at: T, colour: red}]}
- {id: typo, facts: [], expect: [{at: T, color: red}]}
- {id: empty, facts: [], expect: []}
- {id: bad-time, facts: [], expect: [{at: tomorrow, colour: green}]}
- {id: right, facts: [], expect: [{at: T, colour: green}]}
"""
    pack = pack_named("shanghai-2020-02")
    found = run_scenarios(text, file="x", pack_named=pack_named, default=pack)
    assert [one.id for one in found if one.failures] == ["wrong", "typo", "empty", "bad-time"]
