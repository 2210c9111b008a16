"""The Korean patients: counts and reds against an independent reading with plain ``csv``."""

import csv
import json
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from tests.agencies.files import counts, feed, real

HEADER = "patient_id,state,confirmed_date,released_date,deceased_date\n"


def patients() -> list[dict[str, str]]:
    with (real("kcdc") / "PatientInfo.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def plain_reds(day: str) -> set[str]:
    """Return who is confirmed and neither released nor deceased by ``day``, from the CSV."""
    now = date.fromisoformat(day)
    found = set()
    for row in patients():
        if not row["confirmed_date"] or date.fromisoformat(row["confirmed_date"]) > now:
            continue
        ends = [row[key] for key in ("released_date", "deceased_date") if row[key]]
        if all(date.fromisoformat(end) > now for end in ends):
            found.add(f"kcdc:{row['patient_id']}")
    return found


@pytest.mark.data
def test_every_row_is_accounted_for_and_what_is_left_out_is_explained(tmp_path: Path) -> None:
    folder = real("kcdc")
    with (folder / "PatientRoute.csv").open(encoding="utf-8") as file:
        routes = [tuple(row) for row in csv.reader(file)][1:]
    rows = patients()
    unconfirmed = [n for n, row in enumerate(rows, start=2) if not row["confirmed_date"]]
    twice = len(routes) - len(set(routes))
    run = feed("kcdc", folder, "--as-of", "2020-06-01T00:00:00+09:00", out=tmp_path / "out")
    assert (len(rows), len(routes), len(unconfirmed), twice) == (3326, 5963, 3, 395)
    assert run.counts == counts(
        declared=len(rows) + len(routes),
        landed=len(rows) + len(routes) - twice - len(unconfirmed),
        unchanged=twice,
        quarantined=len(unconfirmed),
    )
    assert run.status == 1
    said = [line for line in run.errors if "confirmed_date" in line]
    assert [int(line.split(":")[1]) for line in said] == unconfirmed
    kinds = Counter(fact["kind"] for fact in run.facts)
    assert kinds == {
        "case.confirmed": len(rows) - len(unconfirmed),
        "case.discharged": sum(bool(row["released_date"]) for row in rows),
        "person.deceased": sum(bool(row["deceased_date"]) for row in rows),
        "stay": len(set(routes)),
    }
    left_out = [line for line in run.errors if "Left out" in line]
    assert [line.split(":")[0] for line in left_out] == ["Case.csv", "Region.csv"]


@pytest.mark.data
def test_rows_that_end_without_a_date_are_doubts(tmp_path: Path) -> None:
    undated = [
        line
        for line, row in enumerate(patients(), start=2)
        if row["state"] != "isolated" and not row["released_date"] and not row["deceased_date"]
    ]
    assert len(undated) == 434
    run = feed("kcdc", real("kcdc") / "PatientInfo.csv", out=tmp_path / "out")
    said = [line for line in run.errors if "stays open" in line]
    assert [int(line.split(":")[1]) for line in said] == undated


@pytest.mark.data
@pytest.mark.parametrize(
    ("day", "reds"), [("2020-02-15", 19), ("2020-03-15", 1818), ("2020-04-15", 2048)]
)
def test_the_reds_are_those_of_an_independent_count(tmp_path: Path, day: str, reds: int) -> None:
    out = tmp_path / "facts.jsonl"
    feed("kcdc", real("kcdc"), out=out)
    done = evaluate(out, f"{day}T12:00:00+09:00")
    red = {line["subject"] for line in done if line["colour"] == "red"}
    assert red == plain_reds(day)
    assert len(red) == reds


@pytest.mark.data
def test_who_died_before_the_confirmation_is_closed_and_never_red(tmp_path: Path) -> None:
    early = {
        f"kcdc:{row['patient_id']}": row["confirmed_date"]
        for row in patients()
        if row["confirmed_date"]
        and row["deceased_date"]
        and row["deceased_date"] < row["confirmed_date"]
    }
    assert len(early) == 2
    out = tmp_path / "facts.jsonl"
    feed("kcdc", real("kcdc"), out=out)
    for day in (*early.values(), "2020-02-24", "2020-04-15"):
        for line in evaluate(out, f"{day}T12:00:00+09:00"):
            if line["subject"] in early and day >= early[line["subject"]]:
                assert line["colour"] == "closed", line
    # Control: on the day before their death they were green, not closed from the start.
    first = {
        line["subject"]: line["colour"]
        for line in evaluate(out, "2020-02-18T12:00:00+09:00")
        if line["subject"] in early
    }
    assert set(first.values()) == {"green"}


def evaluate(facts: Path, at: str) -> list[dict[str, str]]:
    """Return what ``passlight evaluate`` says under shanghai-2020-02."""
    pack = Path(__file__).parents[2] / "policies/shanghai-2020-02"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "passlight.cli.main",
            "evaluate",
            "--pack",
            pack,
            "--facts",
            facts,
            "--at",
            at,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_end_counts_from_the_start_of_its_day_in_korea(tmp_path: Path) -> None:
    path = tmp_path / "PatientInfo.csv"
    path.write_text(HEADER + "1000000001,released,2020-01-23,2020-02-05,\n")
    run = feed("kcdc", path, out=tmp_path / "out")
    assert run.counts == counts(declared=1, landed=1)
    assert [(fact["kind"], fact["occurred_at"]) for fact in run.facts] == [
        ("case.confirmed", "2020-01-22T15:00:00+00:00"),
        ("case.discharged", "2020-02-04T15:00:00+00:00"),
    ]
    assert {fact["payload"]["case_id"] for fact in run.facts} == {"kcdc:1000000001"}
    assert {fact["subject"] for fact in run.facts} == {"kcdc:1000000001"}


def test_bad_rows_are_named_with_line_and_field(tmp_path: Path) -> None:
    path = tmp_path / "PatientInfo.csv"
    rows = [
        "1,isolated,2020-01-23,,",
        "2,isolated,2020-02-30,,",  # 3: no such day
        "3,isolated,23/01/2020,,",  # 4: another form
        ",isolated,2020-01-23,,",  # 5: nobody
        "5,isolated,2020-01-23,",  # 6: a cell is missing
        '6,"isolated,2020-01-23,,',  # 7: a lost quotation mark
        "7,isolated,2020-01-23,,",
        "8,isolated,2030-01-01,,",  # 9: in the future
    ]
    path.write_text(HEADER + "\n".join(rows) + "\n")
    run = feed("kcdc", path, "--as-of", "2020-06-01T00:00:00+09:00", out=tmp_path / "out")
    assert run.counts == counts(declared=8, landed=2, quarantined=6)
    where = [line.split(": ")[0:2] for line in run.errors]
    assert [place[0] for place in where] == [f"PatientInfo.csv:{n}" for n in (3, 4, 5, 6, 7, 9)]
    assert [place[1] for place in where[:3]] == ["confirmed_date", "confirmed_date", "patient_id"]
    assert where[5][1] == "occurred_at"


def test_routes_of_unknown_patients_are_kept_and_bad_dates_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "PatientRoute.csv"
    path.write_text(
        "patient_id,date,province,city,type,latitude,longitude\n"
        "9,2020-01-22,Seoul,Jung-gu,hospital,37.5,127.0\n"
        "9,2020-01-22,Seoul,Jung-gu,hospital,37.5,127.0\n"
        "9,soon,Seoul,Jung-gu,hospital,37.5,127.0\n"
        "9,,Seoul,Jung-gu,hospital,37.5,127.0\n"
    )
    run = feed("kcdc", path, out=tmp_path / "out")
    assert run.counts == counts(declared=4, landed=1, unchanged=1, quarantined=2)
    stay = run.facts[0]
    assert (stay["occurred_at"], stay["occurred_until"]) == (
        "2020-01-21T15:00:00+00:00",
        "2020-01-22T15:00:00+00:00",
    )


def test_a_table_with_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("case_id,province\n1,Seoul\n")
    run = feed("kcdc", tmp_path / "a.csv", out=tmp_path / "out")
    assert run.status == 2
    assert len(run.errors) == 1
    assert not (tmp_path / "out").exists()
    folder = feed("kcdc", tmp_path, out=tmp_path / "out")
    assert folder.status == 2
