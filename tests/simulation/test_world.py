"""The simulated district: the same bytes again, sensible shapes, fictional people.

Expected numbers are counted here from the written files, never taken from the generator.
"""

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from click.testing import CliRunner

from passlight.cli.simulate import command
from passlight.core.kernel.documents import DocumentType, read_document, region_known
from passlight.simulation.feeds import true_facts
from passlight.simulation.world import make_world

AT = "2026-11-22T12:00:00+08:00"
PEOPLE, DAYS = 1500, 20


def simulate(folder, *, people=PEOPLE, days=DAYS, seed=5, at=AT):
    arguments = ["--people", people, "--days", days, "--seed", seed, "--at", at, "--out", folder]
    done = CliRunner().invoke(command, [str(argument) for argument in [*arguments, "--json"]])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def district(tmp_path_factory):
    folder = tmp_path_factory.mktemp("district")
    return folder, simulate(folder)


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_same_seed_gives_the_same_bytes_in_another_process(district, tmp_path):
    folder, _ = district
    subprocess.run(
        [
            *(sys.executable, "-c", "from passlight.cli.main import main; main()"),
            *("simulate", "--people", str(PEOPLE)),
            *("--days", str(DAYS), "--seed", "5", "--at", AT, "--out", str(tmp_path)),
        ],
        env={**os.environ, "PYTHONHASHSEED": "12345", "TZ": "America/New_York"},
        check=True,
        capture_output=True,
        timeout=120,
    )
    first, second = digests(folder), digests(tmp_path)
    assert len(first) > 40
    assert first == second


def test_another_seed_gives_another_district(district, tmp_path):
    simulate(tmp_path, seed=6)
    first, second = digests(district[0]), digests(tmp_path)
    differing = {name for name in first if first[name] != second.get(name)}
    assert {"people.jsonl", "visits.csv", "truth/facts.jsonl"} <= differing


def test_the_summary_counts_what_is_in_the_files(district):
    folder, summary = district
    people = lines(folder / "people.jsonl")
    feeds = sorted((folder / "feeds").iterdir())
    assert summary["people"] == len(people) == PEOPLE
    assert summary["households"] == len({person["household"] for person in people})
    assert summary["feed_files"] == len(feeds)
    assert summary["feed_lines"] == sum(len(f.read_bytes().splitlines()) for f in feeds)
    assert summary["visits"] == len(rows(folder / "visits.csv"))
    assert summary["venues"] == len(json.loads((folder / "district.json").read_text())["venues"])
    assert summary["facts"] == len(lines(folder / "truth" / "facts.jsonl"))


@pytest.mark.parametrize("people", [1, 2, 37, 400])
def test_small_districts_work(tmp_path, people):
    summary = simulate(tmp_path, people=people, days=3)
    assert summary["people"] == people
    district = json.loads((tmp_path / "district.json").read_text(encoding="utf-8"))
    kinds = {venue["kind"] for venue in district["venues"]}
    usual = {"hospital", "hall", "school", "mall", "office", "transport", "housing"}
    assert kinds == usual | {"park", "checkpoint"}


def good_check_digit(number):
    """GB 11643 by its own table of weights, written out from the standard."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))
    return "10X98765432"[total % 11] == number[17]


def test_documents_are_valid_unique_and_nobodys(district):
    people = lines(district[0] / "people.jsonl")
    numbers = [person["document"]["number"] for person in people]
    assert len(set(numbers)) == PEOPLE
    kinds = Counter(person["document"]["type"] for person in people)
    assert set(kinds) == {"resident-id", "passport"}
    assert 0.002 < kinds["passport"] / PEOPLE < 0.03
    for person in people:
        document = read_document(person["document"]["type"], person["document"]["number"])
        if document.type is DocumentType.RESIDENT_ID:
            assert document.number.startswith("999999")
            assert good_check_digit(document.number)
            assert document.number[6:14] == person["born"].replace("-", "")
            assert not region_known(document)  # warned of, and taken
        else:
            assert re.fullmatch(r"SIM[0-9]{6}", document.number)
        assert re.fullmatch(r"120[0-9]{8}", person["phone"])


def test_households_and_ages_have_a_sensible_shape(district):
    people = lines(district[0] / "people.jsonl")
    size = Counter(person["household"] for person in people)
    sizes = Counter(size.values())
    assert set(sizes) <= {1, 2, 3, 4, 5}
    assert 2.0 < PEOPLE / len(size) < 3.2
    ages = [(datetime(2026, 11, 2) - datetime.fromisoformat(p["born"])).days / 365 for p in people]
    assert min(ages) >= 0
    assert max(ages) < 100
    shares = Counter("child" if a < 18 else "old" if a >= 62 else "adult" for a in ages)
    assert 0.08 < shares["child"] / PEOPLE < 0.30
    assert 0.10 < shares["old"] / PEOPLE < 0.40


def test_visits_are_at_the_minute_in_order_and_never_two_at_once(district):
    found = rows(district[0] / "visits.csv")
    by_person = defaultdict(list)
    for row in found:
        entered, left = (datetime.fromisoformat(row[name]) for name in ("entered_at", "left_at"))
        assert entered.second == left.second == 0
        assert entered.utcoffset() == timedelta(hours=8)
        assert datetime.fromisoformat("2026-11-02T12:00:00+08:00") <= entered < left
        assert left <= datetime.fromisoformat(AT)
        by_person[row["subject"]].append((entered, left))
    for visits in by_person.values():
        for (_, left), (entered, _) in pairwise(sorted(visits)):
            assert left <= entered
    starts = [row["entered_at"] for row in found]
    assert starts == sorted(starts)
    assert 1.0 < len(found) / (PEOPLE * DAYS) < 4.0


def test_every_zone_is_a_zone_of_its_venue(district):
    folder, _ = district
    venues = json.loads((folder / "district.json").read_text(encoding="utf-8"))["venues"]
    zones = {v["id"]: {entrance["zone"] for entrance in v["entrances"]} for v in venues}
    for row in rows(folder / "visits.csv"):
        assert row["zone"] in zones[row["venue"]]


def test_cases_are_the_confirmed_ones(district):
    folder, _ = district
    confirmed = {
        (fact["subject"], fact["payload"]["case_id"], fact["occurred_at"])
        for fact in lines(folder / "truth" / "facts.jsonl")
        if fact["kind"] == "case.confirmed"
    }
    written = {
        (row["subject"], row["case_id"], row["isolated_at"]) for row in rows(folder / "cases.csv")
    }
    assert written == confirmed
    assert confirmed


def test_every_source_and_kind_occurs(district):
    facts = lines(district[0] / "truth" / "facts.jsonl")
    kinds = {fact["kind"] for fact in facts}
    assert kinds == {
        *("travel.arrived", "lab.result", "area.listed", "area.delisted"),
        *("case.suspected", "case.confirmed", "case.ruled_out", "case.discharged"),
        *("order.started", "order.lifted"),
    }
    values = Counter(f["payload"]["value"] for f in facts if f["kind"] == "lab.result")
    assert set(values) == {"neg", "pos", "invalid"}
    assert values["neg"] / sum(values.values()) > 0.95


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--people", "0"], "between 1 and"),
        (["--days", "0"], "between 1 and"),
        (["--days", "14", "--at", "2026-01-10T00:00:00+08:00"], "2026 or later"),
        (["--at", "2026-11-22T12:00:00"], "offset"),
        (["--at", "yesterday"], "Write it like"),
    ],
)
def test_what_cannot_be_simulated_is_said(tmp_path, arguments, words):
    done = CliRunner().invoke(command, [*arguments, "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert words in done.stderr


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    taken = tmp_path / "file"
    taken.write_text("")
    done = CliRunner().invoke(command, ["--people", "5", "--out", str(taken)])
    assert done.exit_code == 2
    assert "Choose a folder" in done.stderr


def test_two_districts_share_no_fact_id():
    """They may land in one database: an id that means two things would be put aside."""

    def ids(seed: int) -> set[str]:
        at = datetime.fromisoformat(AT)
        world = make_world(people=200, days=5, seed=seed, at=at)
        return {fact["fact_id"] for fact in true_facts(world.events, seed=world.seed)}

    first, second = ids(1), ids(2)
    assert first and second and not first & second
