"""Every sentence of both sources about the entrance and the abnormal code, as scenarios.

``door/sentences.yaml`` quotes them; a sentence without a scenario fails here. What a scenario
expects was written by hand from the sentence it names.
"""

from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from tests.scenarios.door_case import FOLDER, Case, failures, read_cases

CASES = read_cases()
SENTENCES = yaml.safe_load((FOLDER / "sentences.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[f"{one.file}:{one.id}" for one in CASES])
def test_scenario(case: Case) -> None:
    assert not failures(case), "\n".join(failures(case))


def test_every_sentence_has_a_scenario_and_every_scenario_a_sentence() -> None:
    named = {clause for case in CASES for clause in case.clauses}
    known = {sentence["id"] for sentence in SENTENCES}
    assert known - named == set(), "a sentence without a scenario"
    assert named - known == set(), "a scenario of a sentence that nobody quoted"


def test_each_has_its_own_id_and_says_what_it_is() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    assert len({sentence["id"] for sentence in SENTENCES}) == len(SENTENCES)
    assert all(case.data["title"] and case.clauses for case in CASES)
    assert all(sentence["text"] and sentence["means"] for sentence in SENTENCES)


@pytest.mark.parametrize("case", CASES, ids=[f"{one.file}:{one.id}" for one in CASES])
def test_a_scenario_with_a_wrong_expectation_is_told(case: Case) -> None:
    """Positive control: each scenario can fail, by turning what it expects into its opposite."""
    data = deepcopy(dict(case.data))
    for step in [data, *data.get("then", [])]:
        if "expect" in step and "outcome" in step["expect"]:
            step["expect"]["outcome"] = (
                "refuse" if step["expect"]["outcome"] != "refuse" else "admit"
            )
    data["zones"] = {name: not inside for name, inside in data.get("zones", {}).items()}
    for scan in data.get("scan", []):
        scan["asks"] = "nothing" if scan["asks"] != "nothing" else "either"
    for step in data.get("incident", {}).get("steps", []):
        if not step.pop("refused", None):
            step["refused"] = "missing"
    assert failures(Case(file=case.file, data=data)), Path(case.file).name
