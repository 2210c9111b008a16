"""The JSON Schemas for editors: they admit every shipped pack and refuse slips.

The oracle is jsonschema, an implementation of its own; files are read the way an editor reads
YAML 1.2 (a date is a text) and once more as the loader does (every scalar is a text).
"""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from passlight.cli.pack_schema import SCHEMAS, schema_file, schema_text
from passlight.core.rules.source import Findings, read_yaml
from passlight.core.status.scenario import plain
from passlight.runtime.packs import shipped_packs
from tests.packs.test_checks import GOOD

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "src" / "passlight" / "cli" / "pack_template"
FILES = [
    (path, path.relative_to(folder).parts[0].removesuffix(".yaml"))
    for folder in [*sorted(p.parent for p in shipped_packs().glob("*/pack.yaml")), TEMPLATE]
    for path in sorted(folder.rglob("*.yaml"))
]


class EditorLoader(yaml.SafeLoader):
    """YAML 1.2 as editors read it: a date is a text, and so are ``on`` and ``yes``."""

    yaml_implicit_resolvers: dict[str, Any] = {}


for tag, pattern, first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?[0-9]+\.[0-9]+$", "-+0123456789"),
):
    EditorLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = SCHEMAS[name]()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


VALIDATORS = {name: validator(name) for name in SCHEMAS}


def as_editor(text: str) -> Any:
    return yaml.load(text, Loader=EditorLoader)


def as_loader(text: str) -> Any:
    return plain(read_yaml(text, file="x", findings=Findings()))


@pytest.mark.parametrize(
    ("path", "name"), FILES, ids=[f"{path.parts[-3]}/{path.name}" for path, _ in FILES]
)
def test_every_shipped_file_is_admitted(path: Path, name: str) -> None:
    text = path.read_text(encoding="utf-8").replace("@DAY@", "2022-06-01").replace("@ID@", "town")
    for read in (as_editor, as_loader):
        errors = [
            f"{list(one.absolute_path)}: {one.message[:200]}"
            for one in VALIDATORS[name].iter_errors(read(text))
        ]
        assert errors == []


def test_all_four_kinds_of_file_were_among_them() -> None:
    assert {name for _, name in FILES} == set(SCHEMAS)
    assert len(FILES) > 25


def test_the_pack_that_all_slips_change_is_admitted() -> None:
    """Positive control."""
    assert list(VALIDATORS["pack"].iter_errors(as_editor(GOOD))) == []


SLIPS = {
    "unknown key of the head": ("  version: 1\n", "  version: 1\n  priority: 5\n"),
    "no version": ("  version: 1\n", ""),
    "no existing_measures": ("  existing_measures: convert\n", ""),
    "another existing_measures": ("convert", "maybe"),
    "no end of effective": ("[2022-01-01T00:00, null]", "[2022-01-01T00:00]"),
    "no time": ("published_at: 2022-01-01T00:00", "published_at: yesterday"),
    "unknown kind": ("travel.arrived, where", "travel.arived, where"),
    "unknown kind of a ranking": ("{lab.result: [cdc]}", "{lab_result: [cdc]}"),
    "unknown field": ("via: train", "vai: train"),
    "comparing a text": ("via: train", "via_gte: 5"),
    "no basis": ("    basis: {text: 来自某地, ref: notice 1}\n", ""),
    "basis without a reference": ("{text: 来自某地, ref: notice 1}", "{text: 来自某地}"),
    "no English": ("{zh: 来自某地, en: Arrived}", "{zh: 来自某地}"),
    "no Chinese": ("{zh: 观察, en: Observe}", "{en: Observe}"),
    "green": ("colour: red", "colour: green"),
    "unknown point": ("trigger.occurred", "trigger.happened"),
    "an expression": ("{after: [trigger.occurred, param.days]}", "now() + 14d"),
    "three parts of after": ("[trigger.occurred, param.days]", "[trigger.occurred, 1d, 2d]"),
    "no duration": ("param.days", "a fortnight"),
    "gap and every": ("gap: 24h}", "gap: 24h, every: 1d}"),
    "every other day": ("gap: 24h}", "every: 2d}"),
    "no count": ("n: param.tests, ", ""),
    "two forms": ("    basis: {text: 来自", "    absence: {kind: lab.result, max_gap: 7d, since: [policy.effective]}\n    basis: {text: 来自"),
    "no form": ("    on: {kind: travel.arrived, where: {via: train}}\n", ""),
    "a list of areas as a trigger": ("travel.arrived, where: {via: train}", "area.listed"),
    "bad id": ("id: arrived", "id: Arrived From"),
    "a parameter without a date": ("{2022-01-01: 14d}", "{always: 14d}"),
}  # fmt: skip


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_in_a_pack_is_seen_by_the_editor(name: str) -> None:
    old, new = SLIPS[name]
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    assert list(VALIDATORS["pack"].iter_errors(as_editor(text))), name
    assert list(VALIDATORS["pack"].iter_errors(as_loader(text))), name


CASE = "- {id: a, facts: [{kind: stay, at: T, area: x}], expect: [{at: T+1d, colour: green}]}"
CASE_SLIPS = {
    "colour by another name": ("colour: green", "color: green"),
    "unknown colour": ("colour: green", "colour: blue"),
    "unknown kind": ("kind: stay", "kind: stays"),
    "no time": ("at: T,", "at: tomorrow,"),
    "nothing expected": (", expect: [{at: T+1d, colour: green}]", ""),
    "unknown key": ("id: a,", "id: a, fact: [],"),
}


@pytest.mark.parametrize("name", CASE_SLIPS)
def test_a_slip_in_a_scenario_is_seen_by_the_editor(name: str) -> None:
    old, new = CASE_SLIPS[name]
    assert list(VALIDATORS["tests"].iter_errors(as_editor(CASE))) == []
    assert list(VALIDATORS["tests"].iter_errors(as_editor(CASE.replace(old, new, 1))))


ADMISSION_SLIPS = {
    "unknown role": ("role: staff\n", "role: stuff\n"),
    "unknown outcome": ("outcome: ask", "outcome: wait"),
    "unknown requirement": ("    red:", "    read:"),
    "no colours": ("    colours: [green]\n", ""),
}


@pytest.mark.parametrize("name", ADMISSION_SLIPS)
def test_a_slip_in_an_admission_policy_is_seen_by_the_editor(name: str) -> None:
    text = (shipped_packs() / "qingpu-2022-05" / "admission.yaml").read_text(encoding="utf-8")
    old, new = ADMISSION_SLIPS[name]
    assert old in text
    assert list(VALIDATORS["admission"].iter_errors(as_editor(text.replace(old, new, 1))))


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_that_are_kept_are_current(name: str) -> None:
    kept = (ROOT / "policies" / "schema" / schema_file(name)).read_text(encoding="utf-8")
    assert kept == schema_text(name), "run: passlight pack schema --out policies/schema"
    assert json.loads(kept)["$schema"].endswith("2020-12/schema")
