"""``passlight evaluate`` and ``passlight pack``: the file formats of design.md 3, byte by byte.

Expected lines are written by hand from the format's text.
"""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from passlight.cli.evaluate import command as evaluate
from passlight.cli.pack import command as pack
from passlight.runtime.packs import shipped_packs

SHANGHAI = str(shipped_packs() / "shanghai-2020-02")
T = "2020-03-01T10:00:00+08:00"


def line(
    fact_id: str, kind: str, subject: str, at: str, recorded: str | None = None, **more: object
) -> str:
    fact = {
        "fact_id": fact_id,
        "ver": 1,
        "op": "assert",
        "kind": kind,
        "subject": subject,
        "occurred_at": at,
        "occurred_until": None,
        "recorded_at": recorded or at,
        "source": "cdc",
        "payload": {},
    }
    return json.dumps({**fact, **more})


CASE = line("cdc:case-17", "case.confirmed", "p-0001", T, payload={"case_id": "17", "ward": 4})
LISTED = line("l", "area.listed", "area:420100", "2020-01-23T00:00:00+08:00", payload={"area": "420100", "level": "key", "list_id": "x"})  # fmt: skip
ARRIVED = line("a", "travel.arrived", "p-0002", T, payload={"from_area": "420106", "left_at": None})


def run(
    tmp_path: Path, lines: list[str], *options: str, at: tuple[str, ...] = ("--at", T)
) -> Result:
    facts = tmp_path / "facts.jsonl"
    facts.write_text("\n".join(lines), encoding="utf-8")
    return CliRunner().invoke(evaluate, ["--pack", SHANGHAI, "--facts", str(facts), *at, *options])


def test_the_line_is_exactly_the_one_of_the_format(tmp_path: Path) -> None:
    result = run(tmp_path, [CASE])
    wanted = (
        '{"subject":"p-0001","at":"2020-03-01T10:00:00+08:00","colour":"red","valid_until":null,'
        '"next_change":null,"measures":[{"rule":"confirmed","phase":0,"colour":"red",'
        '"from":"2020-03-01T10:00:00+08:00","until":null,"facts":["cdc:case-17"],'
        '"reason":{"zh":"确诊未出院","en":"Confirmed case not yet discharged"},'
        '"needs":[{"zh":"解除条件：出院","en":"Lifted by: discharge"}]}],"badges":[]}\n'
    )
    assert result.stdout == wanted
    assert result.exit_code == 0


def test_times_are_in_the_zone_of_the_pack_whatever_was_asked(tmp_path: Path) -> None:
    one = run(tmp_path, [CASE, ARRIVED, LISTED])
    other = run(tmp_path, [CASE, ARRIVED, LISTED], at=("--at", "2020-03-01T02:00:00Z"))
    assert one.stdout == other.stdout
    assert json.loads(one.stdout.splitlines()[1])["next_change"] == {
        "at": "2020-03-15T10:00:00+08:00",
        "colour": "green",
    }


def test_subjects_are_in_code_point_order_and_areas_are_no_persons(tmp_path: Path) -> None:
    lines = [
        line(f"r{n}", "person.registered", name, T)
        for n, name in enumerate(["b", "B", "ä", "10", "9", "中"])
    ]
    result = run(tmp_path, [LISTED, *lines])
    assert [json.loads(one)["subject"] for one in result.stdout.splitlines()] == [
        "10",
        "9",
        "B",
        "b",
        "ä",
        "中",
    ]


def test_a_subject_of_the_list_alone_is_unknown_and_one_of_the_file_is_green(
    tmp_path: Path,
) -> None:
    named = tmp_path / "subjects.txt"
    named.write_text("p-0001\nstranger\n\n", encoding="utf-8")
    result = run(
        tmp_path, [CASE], "--subjects", str(named), "--known-at", "2020-02-01T00:00:00+08:00"
    )
    found = {
        json.loads(one)["subject"]: json.loads(one)["colour"] for one in result.stdout.splitlines()
    }
    assert found == {"p-0001": "green", "stranger": "unknown"}


BAD = {
    "{": "is not JSON",
    "[]": "is not a JSON object",
    CASE.replace("+08:00", "", 1): "occurred_at: '2020-03-01T10:00:00' has no offset",
    CASE.replace('"ver": 1', '"ver": "1"'): "ver: must be a whole number",
    CASE.replace('"assert"', '"delete"'): "op: 'delete' is not an op",
    CASE.replace("case.confirmed", "case.guessed"): "kind: 'case.guessed' is not a kind",
    CASE.replace('"p-0001"', '""'): "subject: must be a text",
    CASE.replace('"case_id": "17", ', ""): "payload.case_id: is missing",
    CASE.replace('"case_id": "17"', '"case_id": 17'): "payload.case_id: 17 is not a text",
    CASE.replace('"source": "cdc", ', ""): "source: is missing",
    CASE.replace('"payload": {"case_id": "17", "ward": 4}', '"payload": []'): "payload: must be an object",
    LISTED.replace("area:420100", "420100"): "subject: '420100' does not fit the kind",
    ARRIVED.replace('"left_at": null', '"left_at": "yesterday"'): "payload.left_at: 'yesterday' is not a time",
    CASE.replace("p-0001", "\\ud800"): "subject: holds half a character",
    CASE.replace("p-0001", "a\\u0000b"): "subject: holds half a character or a null byte",
    CASE.replace('"ward": 4', '"ward": "\\udfff"'): "payload: holds half a character",
    CASE.replace('"ward": 4', '"ward": "\\u0000"'): "payload: holds half a character or a null byte",
    CASE.replace('"ward": 4', '"ward": NaN'): "is not JSON",
    CASE.replace("2020-03-01", "9999-12-31"): "occurred_at: '9999-12-31T10:00:00+08:00' is no time of ours",
    line("w", "waiver.granted", "q", T, payload={"measure": {"rule": [1]}}): "payload.measure: names no measure",
    line("w", "waiver.granted", "q", T, payload={"measure": {"rule": "a", "phase": "x"}}): "payload.measure: names no measure",
    line("w", "waiver.granted", "q", T, payload={"measure": "all"}): "payload.measure: 'all' is not a object",
    line("m", "order.started", "q", T, source="manual", payload={"order_id": "1", "expires_at": "soon"}): "payload.expires_at: 'soon' is not a time",
    "[" * 50_000: "is not JSON",
    CASE.replace('"ward": 4', '"ward": 4, "ward": 5'): "a key stands twice",
    CASE.replace('"ver": 1', '"ver": 1, "ver": 2'): "a key stands twice",
    CASE.replace("p-0001", "source:cdc"): "subject: 'source:cdc' does not fit the kind",
    LISTED.replace("area:420100", "area:420106"): "payload.area: is not the area of the subject",
    line("f", "person.registered", "q", "2020-03-01T10:05:01+08:00", T): "occurred_at: is in the future",
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=[f"{n}" for n in range(len(BAD))])
def test_a_bad_line_is_told_once_and_the_rest_is_complete(tmp_path: Path, bad: str) -> None:
    result = run(tmp_path, [CASE.replace("p-0001", "p-9"), bad, "", ARRIVED])
    told = [one for one in result.stderr.splitlines() if not one.startswith("facts ")]
    assert len(told) == 1
    assert told[0].startswith(f"{tmp_path}/facts.jsonl:2: ")
    assert BAD[bad] in told[0]
    assert {json.loads(one)["subject"] for one in result.stdout.splitlines()} >= {"p-9", "p-0002"}
    assert result.exit_code == 1


def test_bytes_that_are_no_text_are_one_bad_line(tmp_path: Path) -> None:
    facts = tmp_path / "facts.jsonl"
    facts.write_bytes(b"\xef\xbb\xbf" + CASE.encode() + b"\r\n\xff\xfe\n")
    result = CliRunner().invoke(evaluate, ["--pack", SHANGHAI, "--facts", str(facts), "--at", T])
    assert len(result.stdout.splitlines()) == 1
    assert result.exit_code == 1


def test_five_minutes_of_future_are_tolerated(tmp_path: Path) -> None:
    early = line("f", "person.registered", "q", "2020-03-01T10:05:00+08:00", T)
    assert run(tmp_path, [early]).exit_code == 0


def test_unknown_payload_fields_and_texts_are_kept_and_ignored(tmp_path: Path) -> None:
    odd = line("x", "lab.result", "q", T, payload={"value": "unclear", "colour_of_tube": "blue"})
    result = run(tmp_path, [odd])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["colour"] == "green"


def test_a_retraction_may_be_short(tmp_path: Path) -> None:
    gone = json.dumps(
        {
            "fact_id": "cdc:case-17",
            "ver": 2,
            "op": "retract",
            "kind": "case.confirmed",
            "subject": "p-0001",
            "recorded_at": "2020-03-02T10:00:00+08:00",
            "source": "cdc",
        }
    )
    result = run(tmp_path, [gone, CASE], at=("--at", "2020-03-03T10:00:00+08:00"))
    assert json.loads(result.stdout)["colour"] == "green"
    shown = run(
        tmp_path,
        [gone, CASE],
        "--known-at",
        "2020-03-02T09:59:59+08:00",
        at=("--at", "2020-03-03T10:00:00+08:00"),
    )
    assert json.loads(shown.stdout)["colour"] == "red"


def test_one_version_with_two_contents_is_told(tmp_path: Path) -> None:
    other = CASE.replace('"17"', '"18"').replace(
        f'"recorded_at": "{T}"', '"recorded_at": "2020-03-01T11:00:00+08:00"'
    )
    for lines in ([CASE, other], [other, CASE]):
        result = run(tmp_path, lines)
        assert result.exit_code == 1
        assert "version 1 already says something else" in result.stderr
        assert json.loads(result.stdout)["colour"] == "red"
    assert run(tmp_path, [CASE, CASE]).exit_code == 0


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--at", "2020-03-01T10:00:00"),
        ("--at", "2020-03-01"),
        ("--at", "noon"),
        ("--at", "0001-01-01T00:00:00+08:00"),
        ("--at", T, "--known-at", "2020-03-01T10:00:00"),
        ("--at", T, "--pack", "/nowhere"),
        ("--at", T, "--engine", "abacus"),
        ("--at", T, "--store", "here"),
        ("--at", T, "--points", "points.csv"),
        ("--at", T, "--subjects", "/nowhere"),
        ("--at", T, "--out", "/nowhere/out.jsonl"),
    ],
)
def test_bad_usage_is_status_two_with_one_clear_line(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    result = run(tmp_path, [CASE], at=options)
    assert result.exit_code == 2
    assert result.stderr.strip()
    assert "Traceback" not in result.stderr
    assert not result.stdout


def test_a_facts_file_that_is_not_there_is_unreadable_input() -> None:
    result = CliRunner().invoke(evaluate, ["--pack", SHANGHAI, "--facts", "/nowhere", "--at", T])
    assert (result.exit_code, result.stdout) == (2, "")


def test_facts_can_come_from_standard_input() -> None:
    result = CliRunner().invoke(
        evaluate, ["--pack", SHANGHAI, "--facts", "-", "--at", T], input=CASE
    )
    assert json.loads(result.stdout)["colour"] == "red"


@pytest.mark.parametrize(
    "points",
    [
        "at,known_at\n2020-03-01T10:00:00+08:00,\n2020-02-29T10:00:00+08:00,2020-03-02T00:00:00Z\n",
        "2020-03-01T10:00:00+08:00\n2020-02-29T10:00:00+08:00,2020-03-02T00:00:00Z\n",
        '{"at":"2020-03-01T10:00:00+08:00","known_at":null}\n{"at":"2020-02-29T10:00:00+08:00","known_at":"2020-03-02T00:00:00Z"}\n',
    ],
    ids=["csv", "csv without header", "jsonl"],
)
def test_many_moments_in_one_run_are_the_single_runs_one_after_the_other(
    tmp_path: Path, points: str
) -> None:
    path = tmp_path / "points"
    path.write_text(points, encoding="utf-8")
    many = run(tmp_path, [CASE, ARRIVED, LISTED], at=("--points", str(path)))
    first = run(tmp_path, [CASE, ARRIVED, LISTED])
    second = run(
        tmp_path,
        [CASE, ARRIVED, LISTED],
        "--known-at",
        "2020-03-02T00:00:00Z",
        at=("--at", "2020-02-29T10:00:00+08:00"),
    )
    assert many.stdout == first.stdout + second.stdout
    assert many.exit_code == 0


def test_out_holds_the_same_bytes_and_the_summary_goes_to_standard_output(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    result = run(tmp_path, [CASE, ARRIVED, LISTED], "--out", str(out), "--json")
    assert out.read_bytes() == run(tmp_path, [CASE, ARRIVED, LISTED]).stdout_bytes
    summary = json.loads(result.stdout)
    assert (summary["lines"], summary["red"], summary["yellow"], summary["refused"]) == (2, 1, 1, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["facts.jsonl", "out.jsonl"]


def test_one_pack_is_applied_at_every_moment(tmp_path: Path) -> None:
    """The pack takes effect on 17 February 2020; a moment two days before is evaluated too."""
    early = CASE.replace("2020-03-01", "2020-02-10")
    result = run(tmp_path, [early], at=("--at", "2020-02-15T12:00:00+09:00"))
    assert json.loads(result.stdout)["colour"] == "red"


def test_pack_check_test_explain_and_diff(tmp_path: Path) -> None:
    runner = CliRunner()
    facts = tmp_path / "facts.jsonl"
    facts.write_text(CASE, encoding="utf-8")
    assert runner.invoke(pack, ["check", SHANGHAI]).exit_code == 0
    assert runner.invoke(pack, ["test", SHANGHAI]).exit_code == 0
    told = runner.invoke(
        pack, ["explain", SHANGHAI, "--facts", str(facts), "--at", T, "--subject", "p-0001"]
    )
    assert "确诊未出院" in told.stdout
    assert "Confirmed case not yet discharged" in told.stdout
    assert "Lifted by: discharge" in told.stdout
    assert runner.invoke(pack, ["diff", SHANGHAI, SHANGHAI]).exit_code == 0
    other = runner.invoke(pack, ["diff", SHANGHAI, str(shipped_packs() / "jiangsu-2021")])
    assert other.exit_code == 1
    assert "rule close-contact added" in other.stdout


def test_pack_check_and_test_find_faults(tmp_path: Path) -> None:
    runner = CliRunner()
    folder = tmp_path / "town"
    (folder / "tests").mkdir(parents=True)
    text = (shipped_packs() / "shanghai-2020-02" / "pack.yaml").read_text(encoding="utf-8")
    shutil.copytree(shipped_packs() / "shanghai-2020-02" / "rules", folder / "rules")
    (folder / "pack.yaml").write_text(text, encoding="utf-8")
    (folder / "tests" / "a.yaml").write_text(
        "- {id: x, facts: [], expect: [{at: T, colour: red}]}", encoding="utf-8"
    )
    failed = runner.invoke(pack, ["test", str(folder)])
    assert failed.exit_code == 1
    assert (
        "tests/a.yaml:1: x: at T, known everything: colour is 'green', expected 'red'"
        in failed.stderr
    )
    (folder / "pack.yaml").write_text(text.replace("convert", "perhaps"), encoding="utf-8")
    bad = runner.invoke(pack, ["check", str(folder)])
    assert bad.exit_code == 1
    assert (
        "pack.yaml:11: existing_measures: 'perhaps' is neither. Write convert or keep" in bad.stderr
    )
    assert runner.invoke(pack, ["check", str(tmp_path / "none")]).exit_code == 2
