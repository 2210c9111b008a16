"""``passlight code``: the published code made, checked and read from the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from passlight.cli.main import main

VECTORS = Path(__file__).parents[2] / "vectors" / "codes"
COMMON = json.loads((VECTORS / "common.json").read_text("utf-8"))
GOOD = json.loads((VECTORS / "00-good.json").read_text("utf-8"))["vectors"]
PHONE = GOOD[0]["text"]
SHEET = next(v["text"] for v in GOOD if v["name"] == "paper at its start")
KEY = bytes(range(1, 33)).hex()
ISSUE = [
    *("code", "issue", "--key-seed-hex", KEY, "--start", "2026-11-23T08:00:00+08:00"),
    *("--sampled-at", "2026-11-22T12:30:00+08:00", "--index", str(0xABCDEF), "--tag", "90"),
    *("--slot", "7", "--chain-seed", bytes(range(16)).hex()),
]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    trust = tmp_path / "trust.json"
    trust.write_text(json.dumps(COMMON["trust"]["main"]))
    listing = tmp_path / "list.json"
    listing.write_text(json.dumps(GOOD[0]["lists"][0]))
    return ["--trust", str(trust), "--list", str(listing)]


def test_issue_makes_the_published_phone_code() -> None:
    assert run(*ISSUE).output.strip() == PHONE


def test_issue_makes_the_published_sheet(tmp_path: Path) -> None:
    key = tmp_path / "paper.key"
    key.write_text(bytes(range(33, 65)).hex() + "\n")
    done = run(
        *("code", "issue", "--paper", "--key-file", str(key), "--start", "2026-11-23T00:00Z"),
        *("--index", "12345", "--name", "张*", "--birth", "05-17"),
    )
    assert done.output.strip() == SHEET


def test_verify_says_green_then_old_then_that_it_does_not_know(files: list[str]) -> None:
    good = run("code", "verify", PHONE, *files, "--now", "2026-11-23T00:02:30Z", "--json")
    assert good.exit_code == 0
    answer = json.loads(good.output)
    assert (answer["answer"], answer["kind"], answer["epoch"]) == ("green", "hot", 326)
    assert answer["sampled_from"] == "2026-11-22T04:30:00+00:00"
    old = run("code", "verify", PHONE, *files, "--now", "2026-11-23T00:03:00Z")
    assert (old.exit_code, old.output.split()[:2]) == (1, ["answer=expired", "reason=slot-old"])
    unlisted = run("code", "verify", PHONE, *files[:2], "--now", "2026-11-23T00:02:30Z")
    assert "reason=no-list" in unlisted.output
    assert unlisted.exit_code == 1


def test_verify_reads_a_scanner_line_from_standard_input(files: list[str]) -> None:
    done = CliRunner().invoke(
        main,
        ["code", "verify", "-", *files, "--now", "2026-11-23T00:02:30Z"],
        input=PHONE + "\r\n",
    )
    assert done.exit_code == 0


def test_inspect_names_every_field_in_both_languages() -> None:
    done = run("code", "inspect", PHONE)
    assert done.exit_code == 0
    assert "密钥编号 · key id: 9664f298" in done.output
    assert "时隙 · slot: 7 / 30" in done.output
    assert "lets nobody in" in done.output
    sheet = json.loads(run("code", "inspect", SHEET, "--json").output)
    assert (sheet["holder"], sheet["birth"], sheet["kind"]) == ("张*", "05-17", "paper")


@pytest.mark.parametrize(
    ("text", "fault"), [("PL1:AB", "not-pl1"), ("x", "not-pl1"), (PHONE.lower(), "not-pl1")]
)
def test_inspect_of_something_else_is_a_finding(text: str, fault: str) -> None:
    done = run("code", "inspect", text, "--json")
    assert done.exit_code == 1
    assert json.loads(done.output)["faults"] == [fault]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["issue"], "Give the key by one of"),
        (["issue", "--key-seed-hex", "00"], "is not 32 bytes"),
        (["issue", "--key-seed-hex", KEY, "--start", "2026-11-23T00:00"], "has no offset"),
        (["issue", "--key-seed-hex", KEY, "--start", "2025-01-01T00:00Z"], "lies outside"),
        (["issue", "--key-seed-hex", KEY, "--lifetime", "114"], "is not 0…113"),
        (["issue", "--key-seed-hex", KEY, "--slot", "30"], "is not 0…29"),
        (["issue", "--key-seed-hex", KEY, "--paper"], "--name"),
        (["issue", "--key-seed-hex", KEY, "--paper", "--name", "张*", "--birth", "x"], "05-17"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(arguments: list[str], words: str) -> None:
    done = run("code", *arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_trust_list_that_is_none_is_bad_usage(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("[]")
    done = run("code", "verify", PHONE, "--trust", str(bad), "--now", "2026-11-23T00:02:30Z")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
