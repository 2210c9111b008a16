"""``passlight pack new|check|test|diff|preview|schema`` as a person meets them.

Exit status 0 is good, 1 a finding, 2 bad usage (design.md 3); an error is one line that says what
to do. Counts and steps are worked out by hand from the facts below.
"""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from passlight.cli.main import main
from passlight.core.rules.load import load_pack
from passlight.runtime.packs import read_pack_folder, shipped_packs
from tests.packs.test_checks import GOOD

AT = "2022-07-10T12:00:00+08:00"


def pack(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["pack", *map(str, arguments)])


def written(folder: Path, text: str, **files: str) -> Path:
    folder.mkdir()
    for name, content in {"pack.yaml": text, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


# new


def test_a_new_pack_passes_check_and_test_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "my-town"
    assert pack("new", folder).exit_code == 0
    assert "2 rules" in pack("check", folder).output
    tested = pack("test", folder)
    assert (tested.exit_code, "3 of 3 scenarios hold" in tested.output) == (0, True)


@pytest.mark.parametrize("source", ["jiangsu-2021", "qingpu-2022-05", "shanghai-2022-09"])
def test_a_pack_can_start_from_another_one(source: str, tmp_path: Path) -> None:
    folder = tmp_path / "my-town"
    assert pack("new", folder, "--from", source).exit_code == 0
    made, model = (load_pack(read_pack_folder(one)) for one in (folder, shipped_packs() / source))
    assert made.id == "my-town"
    assert (made.rules, made.parameters, made.admission) == (
        model.rules,
        model.parameters,
        model.admission,
    )
    assert pack("check", folder).exit_code == 0
    again = tmp_path / "other"
    assert pack("new", again, "--from", folder).exit_code == 0
    assert (again / "pack.yaml").read_text("utf-8").count("yaml-language-server") == 1


def test_every_yaml_of_a_new_pack_points_to_a_schema_that_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "my-town"
    pack("new", folder, "--from", "qingpu-2022-05")
    found = 0
    for path in folder.rglob("*.yaml"):
        first = path.read_text("utf-8").splitlines()[0]
        target = path.parent / first.removeprefix("# yaml-language-server: $schema=")
        assert target.resolve().is_file(), first
        assert target.name.startswith(path.relative_to(folder).parts[0].removesuffix(".yaml"))
        found += 1
    assert found == 4  # pack, admission, one of rules, one of tests


def test_a_new_pack_names_no_place_of_this_machine(tmp_path: Path) -> None:
    pack("new", tmp_path / "my-town")
    for path in tmp_path.rglob("*.*"):
        assert path.is_dir() or str(tmp_path) not in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["new"], "Missing argument 'NAME'"),
        (["new", "My Town"], "Use small letters, digits and hyphens"),
        (["new", "no/such/my-town"], "mkdir -p no/such"),
        (["new", "taken"], "Choose another name"),
        (["new", "x", "--from", "nowhere"], "Shipped: beijing-2020, hangzhou-2020-02"),
        (["check"], "Missing argument 'FOLDER'"),
        (["check", "nowhere"], "Name a folder with a pack.yaml"),
        (["check", "taken", "--beside", "nowhere"], "Name a folder with a pack.yaml"),
        (["test", "nowhere"], "Name a folder with a pack.yaml"),
        (["schema"], "Name one of pack, rules, admission, tests"),
        (["schema", "facts"], "is not one of"),
        (["schema", "pack", "--out", "x"], "Name one of pack, rules, admission, tests"),
        (["schema", "--out", "taken/pack.yaml"], "is no folder"),
        (["preview", "taken"], "Missing option '--old'"),
        (["preview", "taken", "--old", "nowhere", "--facts", "-", "--at", AT], "Name a folder"),
        (["preview", "taken", "--old", "taken", "--facts", "no", "--at", AT], "cannot be read"),
        (["preview", "taken", "--old", "taken", "--facts", "-", "--at", "noon"], "is not a time"),
        (["preview", "taken", "--old", "taken", "--facts", "-", "--at", "2022-07-10"], "no offset"),
        (["diff", "taken", "nowhere"], "Name a folder with a pack.yaml"),
    ],
)
def test_bad_usage_is_one_line_and_status_two(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "taken", GOOD)
    result = pack(*arguments)
    assert result.exit_code == 2
    assert words in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert not list(tmp_path.glob("x*"))


# check


def test_check_runs_the_packs_own_tests(tmp_path: Path) -> None:
    case = "- {id: %s, facts: [], expect: [{at: T, colour: %s}]}\n"
    text = case % ("holds", "green") + case % ("fails", "red")
    folder = written(tmp_path / "town", GOOD, **{"tests/a.yaml": text})
    result = pack("check", folder)
    assert result.exit_code == 1
    assert result.output.startswith("tests/a.yaml:2: scenario fails fails: at T")
    told = json.loads(pack("check", folder, "--json").output)["problems"]
    assert [(one["code"], one["file"], one["line"]) for one in told] == [
        ("packs.test-failed", "tests/a.yaml", 2)
    ]


def test_check_says_that_there_are_no_scenarios_yet(tmp_path: Path) -> None:
    result = pack("check", written(tmp_path / "town", GOOD))
    assert result.exit_code == 0
    assert "no scenarios yet" in result.output


def test_check_reads_a_broken_file_of_scenarios_as_a_finding(tmp_path: Path) -> None:
    folder = written(tmp_path / "town", GOOD, **{"tests/a.yaml": "- {id: a\n- ["})
    result = pack("check", folder)
    assert result.exit_code == 1
    assert "the file is not YAML" in result.output


def test_check_compares_with_the_packs_beside_it(tmp_path: Path) -> None:
    """Two packs without an end follow each other; from the same day on they contradict."""
    first = written(tmp_path / "first", GOOD)
    second = written(tmp_path / "second", GOOD.replace("version: 1", "version: 2"))
    later = written(
        tmp_path / "later", GOOD.replace("version: 1", "version: 3").replace("[2022-01", "[2022-03")
    )
    assert pack("check", later, "--beside", first).exit_code == 0
    result = pack("check", second, "--beside", first)
    assert result.exit_code == 1
    assert result.output.startswith("pack.yaml:5: effective: town@1 and town@2 claim the same time")
    assert "supersedes" in result.output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- {id: a, fact: [], expect: [{at: T, colour: green}]}", "Did you mean facts?"),
        ("- {id: a, facts: []}", "add expect"),
        ("- {id: a, facts: [{kind: stays, at: T}], expect: [{at: T}]}", "Did you mean stay?"),
        ("- {id: a, facts: [{kind: stay}], expect: [{at: T}]}", "needs kind and at"),
        ("- {id: a, facts: [], expect: [{at: T, color: red}]}", "Did you mean colour?"),
        ("- a", "below one dash"),
    ],
)
def test_a_slip_in_a_scenario_is_told(text: str, words: str, tmp_path: Path) -> None:
    result = pack("test", written(tmp_path / "town", GOOD, **{"tests/a.yaml": text}))
    assert result.exit_code == 1
    assert words in result.output


# diff, preview, schema


def test_commands_give_the_same_twice(tmp_path: Path) -> None:
    old = written(tmp_path / "old", GOOD)
    new = written(tmp_path / "new", GOOD.replace("14d}", "7d}"))
    facts = tmp_path / "facts.jsonl"
    facts.write_text("", encoding="utf-8")
    for arguments in (
        ["check", old],
        ["diff", old, new],
        ["preview", new, "--old", old, "--facts", facts, "--at", AT],
        ["schema", "rules"],
        ["schema", "--out", tmp_path / "schema"],
    ):
        once, twice = pack(*arguments), pack(*arguments)
        assert (once.exit_code, once.output) == (twice.exit_code, twice.output)


def test_diff_says_the_parameter_that_changed(tmp_path: Path) -> None:
    old = written(tmp_path / "old", GOOD)
    new = written(tmp_path / "new", GOOD.replace("14d}", "7d}"))
    result = pack("diff", old, new)
    assert result.exit_code == 1
    assert "parameter days from 2022-01-01: 14d → 7d" in result.output
    assert pack("diff", old, old).exit_code == 0


def fact(subject: str, kind: str, day: str, **payload: object) -> str:
    at = f"2022-07-{day}T12:00:00+08:00"
    line = {
        "fact_id": f"{subject}-{kind}-{day}",
        "ver": 1,
        "op": "assert",
        "kind": kind,
        "subject": subject,
        "occurred_at": at,
        "occurred_until": None,
        "recorded_at": at,
        "source": "test",
        "payload": payload,
    }
    return json.dumps(line) + "\n"


OLD = """pack:
  id: town
  version: "1"
  timezone: Asia/Shanghai
  effective: [2022-01-01T00:00, null]
  published_at: 2022-01-01T00:00
  existing_measures: convert
params:
  days: {2022-01-01: 14d}
rules:
  - id: arrived
    on: {kind: travel.arrived, where: {via: train}}
    basis: {text: 来自某地, ref: notice 1}
    phases:
      - colour: red
        until: {after: [trigger.occurred, param.days]}
        reason: {zh: 乘火车到达, en: Arrived by train}
        advice: {zh: 观察, en: Observe}
  - id: feverish
    on: {kind: symptom.reported}
    basis: {text: 发热, ref: notice 2}
    colour: yellow
    until: {after: [trigger.occurred, 3d]}
    reason: {zh: 报告症状, en: Reported a symptom}
    advice: {zh: 就医, en: See a doctor}
"""
NEW = (
    OLD.replace('version: "1"', 'version: "2"')
    .replace("[2022-01-01T00:00, null]", "[2022-07-01T00:00, null]")
    .replace("{2022-01-01: 14d}", "{2022-01-01: 7d}")
    .replace("id: feverish", "id: unwell")
    + """  - id: flown
    on: {kind: travel.arrived, where: {via: plane}}
    basis: {text: 来自某地, ref: notice 3}
    colour: yellow
    until: {after: [trigger.occurred, 5d]}
    reason: {zh: 乘飞机到达, en: Arrived by plane}
    advice: {zh: 观察, en: Observe}
"""
)
# On 10 July at noon. a, b: by train on the 1st and 2nd, 9 and 8 days ago: red for 14, over after
# 7. c: by train on the 5th, red in both. d: by plane on the 8th: yellow now. e: feverish on the
# 9th, yellow by another rule. f: by train on the 1st, feverish on the 9th: red to yellow.
# g: feverish long ago, green in both.
FACTS = "".join(
    [
        fact("a", "travel.arrived", "01", from_area="330100", via="train"),
        fact("b", "travel.arrived", "02", from_area="330100", via="train"),
        fact("c", "travel.arrived", "05", from_area="330100", via="train"),
        fact("d", "travel.arrived", "08", from_area="330100", via="plane"),
        fact("e", "symptom.reported", "09", value="fever"),
        fact("f", "travel.arrived", "01", from_area="330100", via="train"),
        fact("f", "symptom.reported", "09", value="fever"),
        fact("g", "symptom.reported", "01", value="fever"),
    ]
)


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path, Path]:
    facts = tmp_path / "facts.jsonl"
    facts.write_text(FACTS, encoding="utf-8")
    return written(tmp_path / "old", OLD), written(tmp_path / "new", NEW), facts


def test_preview_counts_who_changes_from_what_to_what_and_why(
    two: tuple[Path, Path, Path],
) -> None:
    old, new, facts = two
    result = pack("preview", new, "--old", old, "--facts", facts, "--at", AT)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "4 of 7 people change."
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "1 red → yellow unwell/0 holds: 报告症状 Reported a symptom",
        "1 green → yellow flown/0 holds: 乘飞机到达 Arrived by plane",
        "2 red → green arrived/0 no longer holds: 乘火车到达 Arrived by train",
        "1 of those who keep their colour have it for another reason.",
    ]


def test_every_engine_previews_the_same(two: tuple[Path, Path, Path]) -> None:
    """Set-based: the same counts, steps, rules, reasons and examples, whatever the change does."""
    old, new, facts = two
    for text in (NEW, NEW.replace("convert", "keep")):
        (new / "pack.yaml").write_text(text, encoding="utf-8")
        asked = ("preview", new, "--old", old, "--facts", facts, "--at", AT, "--json")
        person, city = pack(*asked), pack(*asked, "--engine", "duckdb")
        assert (city.exit_code, city.output) == (person.exit_code, person.output)
        assert json.loads(city.output)["changed"] == 4


def test_preview_as_json_names_a_few_people(two: tuple[Path, Path, Path]) -> None:
    old, new, facts = two
    result = pack("preview", new, "--old", old, "--facts", facts, "--at", AT, "--json")
    told = json.loads(result.output)
    assert (told["old"], told["new"]) == ("town@1", "town@2")
    assert (told["people"], told["changed"], told["other_reason"]) == (7, 4, 1)
    assert [(one["from"], one["to"], one["count"], one["rule"]) for one in told["changes"]] == [
        ("red", "yellow", 1, "unwell/0"),
        ("green", "yellow", 1, "flown/0"),
        ("red", "green", 2, "arrived/0"),
    ]
    assert told["changes"][2]["examples"] == ["a", "b"]
    assert told["changes"][2]["reason"] == {"zh": "乘火车到达", "en": "Arrived by train"}


def test_preview_of_a_pack_that_keeps_open_measures(two: tuple[Path, Path, Path]) -> None:
    """``keep``: red of the old pack that was open on 1 July at 00:00 goes on; later ones are new.

    All arrivals are after the switch, so the same people change; the one of 30 June does not.
    """
    old, new, facts = two
    kept = NEW.replace("convert", "keep")
    (new / "pack.yaml").write_text(kept, encoding="utf-8")
    early = fact("h", "travel.arrived", "01", from_area="330100", via="train").replace(
        "2022-07-01", "2022-06-30"
    )
    facts.write_text(FACTS + early, encoding="utf-8")
    told = json.loads(
        pack("preview", new, "--old", old, "--facts", facts, "--at", AT, "--json").output
    )
    assert (told["people"], told["changed"]) == (8, 4)
    (new / "pack.yaml").write_text(NEW, encoding="utf-8")
    told = json.loads(
        pack("preview", new, "--old", old, "--facts", facts, "--at", AT, "--json").output
    )
    assert (told["people"], told["changed"]) == (8, 5)


def test_preview_with_a_bad_line_says_so_and_counts_the_rest(
    two: tuple[Path, Path, Path],
) -> None:
    old, new, facts = two
    facts.write_text(FACTS + "{\n", encoding="utf-8")
    result = pack("preview", new, "--old", old, "--facts", facts, "--at", AT)
    assert result.exit_code == 1
    assert "4 of 7 people change." in result.output
    assert f"{facts}:9" in result.output


def test_the_schema_is_printed_and_written(tmp_path: Path) -> None:
    printed = pack("schema", "tests").output
    assert pack("schema", "--out", tmp_path / "schema").exit_code == 0
    assert (tmp_path / "schema" / "tests.schema.json").read_text("utf-8") == printed
    assert len(list((tmp_path / "schema").iterdir())) == 4


CHANGES = {
    "an end": (
        "{after: [trigger.occurred, param.days]}",
        "{latest: [{after: [trigger.occurred, 5d]}, {next: {kind: lab.result, where: {value: neg}}}]}",
        "phase 0: ends changed: after(trigger.occurred, param.days) → latest(after(trigger.occurred, 5d), next(",
    ),
    "a colour": ("colour: red", "colour: yellow", "rule arrived, phase 0: colour changed: red → yellow"),
    "days in a row": (
        "gap: 24h",
        "every: 1d",
        ", gap 1d, since trigger.occurred) → nth(param.tests of lab.result (value is neg), every 1d, ",
    ),
    "what starts it": (
        "travel.arrived, where: {via: train}",
        "travel.arrived, area: {listed: high, match: listed_within, lookback: 14d}",
        "form changed: travel.arrived (via is train) → travel.arrived, listed_within 14d high",
    ),
    "what the person reads": (
        "{zh: 来自某地, en: Arrived}",
        "{zh: 自某地来, en: Came}",
        "reason changed: 来自某地 / Arrived → 自某地来 / Came",
    ),
    "the basis": ("ref: notice 1}\n    phases", "ref: notice 2}\n    phases", "来自某地（notice 1） → 来自某地（notice 2）"),
    "a rule": ("id: arrived\n", "id: came\n", "rule came added: travel.arrived (via is train): red from"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_diff_says_in_the_words_of_the_pack_what_changed(name: str, tmp_path: Path) -> None:
    was, becomes, words = CHANGES[name]
    text = GOOD.replace("rules: [arrived]", "rules: [came]") if name == "a rule" else GOOD
    old = written(tmp_path / "old", GOOD)
    new = written(tmp_path / "new", text.replace(was, becomes, 1))
    result = pack("diff", old, new)
    assert result.exit_code == 1
    assert words in result.output
