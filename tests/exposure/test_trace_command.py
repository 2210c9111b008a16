"""``passlight trace``: the contract of design.md 3, by hand and against the oracle."""

import csv
import json
import re
import shutil
from contextlib import chdir
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from click.testing import CliRunner

from passlight.city import publication
from passlight.city.columns import instant
from passlight.city.trace_rows import _WORDS, read_instant
from passlight.cli.main import main
from passlight.cli.trace import command
from passlight.runtime.catalogue import catalogue
from tests.exposure.oracle import naive
from tests.exposure.test_trace import expected_of
from tests.exposure.worlds import cases_csv, visits_csv, worlds

HEAD = "subject,venue,zone,entered_at,left_at"
CASE_HEAD = "subject,case_id,infectious_from,isolated_at"
OUT = "case_id,subject,venue,zone,from,until,minutes,direct_minutes,lingering_minutes"
CASES = f"{CASE_HEAD}\ncase,17,2022-02-27T00:00:00+08:00,2022-03-02T00:00:00+08:00\n"
E31 = f"""{HEAD}
case,v,z,2022-03-01T10:00:00+08:00,2022-03-01T11:00:00+08:00
a,v,z,2022-03-01T10:30:00+08:00,2022-03-01T10:35:00+08:00
b,v,z,2022-03-01T11:10:00+08:00,2022-03-01T12:00:00+08:00
"""
E31_OUT = f"{OUT}\n17,b,v,z,2022-03-01T03:10:00+00:00,2022-03-01T03:30:00+00:00,20,0,20\n"


@pytest.fixture
def call(tmp_path):
    """Call the command on texts or paths; return status, standard output, standard error."""

    def run(visits, cases=CASES, *options, windows=None):
        def named(option, value, name):
            if value is None:
                return []
            if isinstance(value, str):
                path = tmp_path / name
                path.write_text(value, encoding="utf-8")
                value = path
            return [option, str(value)]

        arguments = [*named("--visits", visits, "visits.csv"), *map(str, options)]
        if windows is None:
            arguments += named("--cases", cases, "cases.csv")
        else:
            arguments += named("--windows", windows, "windows.csv")
        done = CliRunner().invoke(command, arguments)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr

    return run


def test_e31_by_command(call):
    assert call(E31)[:2] == (0, E31_OUT)


def test_options_by_hand(call):
    # From 5 minutes on, a counts; with 10 minutes of air b begins as it is clean.
    status, out, _ = call(E31, CASES, "--min-minutes", 5, "--linger-minutes", 10)
    assert (status, [line.split(",")[1] for line in out.splitlines()[1:]]) == (0, ["a"])


def test_without_java_it_says_so_before_it_reads(tmp_path, monkeypatch):
    (tmp_path / "sh").symlink_to(shutil.which("sh"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    asked = ["--visits", "not-there.csv", "--cases", "not-there.csv", "--engine", "spark"]
    done = CliRunner().invoke(command, asked)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("There is no Java. ")


def test_a_visit_over_midnight_is_one_exposure_of_two_days(call):
    """E35: 23:40 to 00:30 in Shanghai are 20 minutes of one day and 30 of the next."""
    visits = (
        f"{HEAD}\ncase,v,z,2022-03-01T23:00:00+08:00,2022-03-02T00:30:00+08:00\n"
        "b,v,z,2022-03-01T23:40:00+08:00,2022-03-02T01:00:00+08:00\n"
    )
    cases = CASES.replace("2022-03-02T00:00", "2022-03-02T00:30")
    zone = ("--by-day", "Asia/Shanghai")
    # Ten more while the air is not clean: the half hour after the case left.
    status, out, said = call(visits, cases, *zone, "--linger-minutes", 10)
    assert (status, len(out.splitlines())) == (0, 2)
    assert said.splitlines()[1:] == [
        "2022-03-01: exposures 1, minutes 20",
        "2022-03-02: exposures 1, minutes 40",
    ]
    told = json.loads(call(visits, cases, *zone, "--linger-minutes", 10, "--json")[2])
    assert told["days"]["2022-03-02"] == {"exposures": 1, "minutes": 40}
    assert call(visits, cases, "--by-day", "Shanghai")[0] == 2


def test_a_visit_without_an_end(call):
    open_visit = E31.replace("2022-03-01T12:00:00+08:00", "")
    status, out, said = call(open_visit)
    assert (status, out) == (1, f"{OUT}\n")
    assert said.startswith(f"{said.split(':')[0]}:4: left_at: is missing.")
    assert "--default-stay" in said
    # 15 minutes from 11:10 are within the air until 11:30.
    status, out, _ = call(open_visit, CASES, "--default-stay", 15)
    assert (status, out) == (0, E31_OUT.replace("03:30", "03:25").replace("20,0,20", "15,0,15"))


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        (",v,z,2022-03-01T11:10:00+08:00,2022-03-01T12:00:00+08:00", "subject", "is missing"),
        ("x, ,z,2022-03-01T11:10:00+08:00,2022-03-01T12:00:00+08:00", "venue", "is missing"),
        ("x,v,z,2022-03-01T11:10:00,2022-03-01T12:00:00+08:00", "entered_at", "has no offset"),
        ("x,v,z,2022-03-01T11:10:00+08:00,2022-03-01T12:00:00", "left_at", "has no offset"),
        ("x,v,z,2022-03-01T11:10:00+08:00,soon", "left_at", "'soon' is not a time"),
        ("x,v,z,2022-02-30T11:10:00+08:00,2022-03-01T12:00:00Z", "entered_at", "not a time"),
        ("x,v,z,2022-03-01T24:00:00+08:00,2022-03-05T12:00:00Z", "entered_at", "not a time"),
        ("x,v,z,2022-03-01T11:10:00+99:00,2022-03-05T12:00:00Z", "entered_at", "not a time"),
        ("x,v,z,1022-03-01T11:10:00+08:00,2022-03-01T12:00:00Z", "entered_at", "no time of ours"),
        ("x,v,z,2022-03-01T11:10:00+08:00,2022-03-01T11:09:59+08:00", "left_at", "before"),
        ("x,v,z,2022-03-01T11:10:00+08:00", None, "another number of cells"),
        ('x,"v"v,z,2022-03-01T11:10:00+08:00,2022-03-01T12:00:00Z', None, "another number"),
        (f"{'x' * 513},v,z,2022-03-01T11:10:00+08:00,2022-03-01T12:00:00Z", "subject", "too long"),
    ],
)
def test_a_bad_line_is_told_and_the_rest_counts(call, tmp_path, row, field, words):
    lines = E31.splitlines()
    status, out, said = call("\n".join([*lines[:3], row, *lines[3:]]) + "\n")
    assert (status, out) == (1, E31_OUT)
    told = said.splitlines()[0]
    where = f"{tmp_path}/visits.csv:4: " + (f"{field}: " if field else "")
    assert told.startswith(where) and words in told
    assert told.count(". ") >= 1  # and what to do


def test_a_line_that_is_no_utf8_is_told(call, tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes(E31.encode() + b"caf\xe9,v,z,2022-03-01T11:10:00+08:00,2022-03-01T12:00:00Z\n")
    status, out, said = call(path)
    assert (status, out) == (1, E31_OUT)
    assert f"{path}:5: subject: is not UTF-8." in said


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("+08:00", "+0800"),
        lambda text: text.replace(":00+08:00", "+08:00"),
        lambda text: text.replace("T", " "),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("b,v", '"b","v"'),
        lambda text: text.replace("left_at", "left_at,note").replace("0\n", "0,hello\n"),
    ],
)
def test_ways_to_write_the_same(call, change):
    assert call(change(E31))[:2] == (0, E31_OUT)


def test_the_order_of_the_columns_is_free(call):
    rows = list(csv.DictReader(E31.splitlines()))
    names = list(reversed(HEAD.split(",")))
    text = "\n".join([",".join(names), *(",".join(row[name] for name in names) for row in rows)])
    assert call(text)[:2] == (0, E31_OUT)


@pytest.mark.parametrize("visits", ["", "a,b,c\n1,2,3\n", f"{HEAD},zone\n", "subject,venue\n"])
def test_what_is_no_table_of_visits_is_unreadable(tmp_path, visits):
    (tmp_path / "v.csv").write_text(visits)
    (tmp_path / "c.csv").write_text(CASES)
    said = real(tmp_path, "--visits", "v.csv", "--cases", "c.csv")
    assert said.returncode == 2 and said.stdout == ""
    assert said.stderr.count("\n") == 1 and "v.csv: " in said.stderr


def real(folder, *arguments):
    """Call the whole command, with the ends that ``cli.errors`` gives it."""
    with chdir(folder):
        done = CliRunner().invoke(main, ["trace", *arguments])
    return SimpleNamespace(returncode=done.exit_code, stdout=done.stdout, stderr=done.stderr)


def test_usage_and_missing_files_end_with_two(call, tmp_path):
    assert call(E31, None)[0] == 2
    (tmp_path / "visits.csv").write_text(E31)
    (tmp_path / "x.parquet").write_bytes(b"PAR1 no")
    for more in (["--cases", "none.csv"], ["--cases", "x.parquet"]):
        done = real(tmp_path, "--visits", "visits.csv", *more)
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith(more[1])
        assert "Traceback" not in done.stderr
    assert call(E31, CASES, "--out", tmp_path)[0] == 2
    assert call(E31, CASES, "--out", tmp_path / "no" / "x.csv")[0] == 2


def test_windows_of_our_own_do_not_linger(call):
    head = "case_id,venue,zone,from,until"
    window = "w,v,z,2022-03-01T11:00:00+08:00,2022-03-01T11:25:00+08:00"
    expected = f"{OUT}\nw,b,v,z,2022-03-01T03:10:00+00:00,2022-03-01T03:25:00+00:00,15,15,0\n"
    assert call(E31, windows=f"{head}\n{window}\n{window}\n")[:2] == (0, expected)
    backwards = "w,v,z,2022-03-01T11:25:00+08:00,2022-03-01T11:00:00+08:00"
    status, out, said = call(E31, windows=f"{head}\n{window}\n{backwards}\n")
    assert (status, out) == (1, expected)
    assert ":3: until: is before" in said


def test_windows_in_parquet_and_a_publication_go_together(call, tmp_path):
    head = "case_id,venue,zone,from,until"
    window = "w,v,z,2022-03-01T11:00:00+08:00,2022-03-01T11:25:00+08:00"
    (tmp_path / "w.csv").write_text(f"{head}\n{window}\n")
    duckdb.execute(
        f"COPY (SELECT * FROM read_csv('{tmp_path / 'w.csv'}', all_varchar = true)) "
        f"TO '{tmp_path / 'w.parquet'}' (FORMAT parquet)"
    )
    # 11:00 to 11:30 in Shanghai is 4:00 pm to 4:30 pm in Auckland (+13:00); its zone is empty.
    layout = ",".join(publication.SECOND_LAYOUT)
    row = 'v,Shop,1 Road,Town,"1/03/2022, 4:00 pm","1/03/2022, 4:30 pm",,,,,NA'
    (tmp_path / "p.csv").write_text(f"{layout}\n{row}\n")
    visits = E31 + "c,v,,2022-03-01T11:10:00+08:00,2022-03-01T12:00:00+08:00\n"
    status, out, _ = call(
        visits, None, "--windows", tmp_path / "p.csv", windows=tmp_path / "w.parquet"
    )
    assert status == 0
    assert out.splitlines()[1:] == [
        "v,c,v,,2022-03-01T03:10:00+00:00,2022-03-01T03:30:00+00:00,20,20,0",
        "w,b,v,z,2022-03-01T03:10:00+00:00,2022-03-01T03:25:00+00:00,15,15,0",
    ]


def test_cases_are_read_once_each(call, tmp_path):
    again = tmp_path / "again.csv"
    again.write_text(CASES)
    assert call(E31, CASES, "--cases", again)[:2] == (0, E31_OUT)
    # Another window under the same number for the same person is a mistake; the first holds.
    other = "case,17,2022-02-27T00:00:00+08:00,2022-03-01T09:00:00+08:00"
    status, out, said = call(E31, f"{CASES}{other}\n")
    assert (status, out) == (1, E31_OUT)
    assert ":3: case_id: has another window" in said
    # Not isolated yet: no end. Isolated before they infected anybody: nothing.
    assert call(E31, CASES.replace("2022-03-02T00:00:00+08:00", ""))[:2] == (0, E31_OUT)
    early = CASES.replace("2022-03-02T00:00:00+08:00", "2022-02-20T00:00:00+08:00")
    assert call(E31, early)[:2] == (0, f"{OUT}\n")


def test_nobody_else_there_is_a_header(call):
    assert call(f"{HEAD}\n")[:2] == (0, f"{OUT}\n")
    assert call(E31, f"{CASE_HEAD}\n")[:2] == (0, f"{OUT}\n")


def expected_csv(rows):
    lines = [OUT]
    for row in sorted(rows, key=lambda r: (r.case_id, r.subject, r.begun, r.venue, r.zone)):
        begun, ended = instant(row.begun).isoformat(), instant(row.ended).isoformat()
        numbers = (row.minutes, row.direct, row.minutes - row.direct)
        lines.append(
            ",".join(
                map(str, (row.case_id, row.subject, row.venue, row.zone, begun, ended, *numbers))
            )
        )
    return lines


def test_worlds_by_command_in_every_form(call, tmp_path):
    """CSV whole, CSV with a bad line (read row by row) and three Parquet types: the same bytes."""
    visits, cases = worlds(120, seed="command")
    expected = expected_csv(expected_of(visits, cases, linger=30, least=10))
    whole, sick = visits_csv(tmp_path / "all.csv", visits), cases_csv(tmp_path / "sick.csv", cases)
    status, first, _ = call(whole, sick)
    assert (status, first.splitlines()) == (0, expected)
    spoilt = tmp_path / "spoilt.csv"
    spoilt.write_text(whole.read_text() + "x,v,,soon,soon\n")
    assert call(spoilt, sick)[:2] == (1, first)
    types = {
        "text": "entered_at, left_at",
        "zone": "CAST(entered_at AS TIMESTAMPTZ) AS entered_at, CAST(left_at AS TIMESTAMPTZ) AS left_at",
        "micros": "epoch_us(CAST(entered_at AS TIMESTAMPTZ)) AS entered_at, epoch_us(CAST(left_at AS TIMESTAMPTZ)) AS left_at",
    }
    for name, times in types.items():
        file = tmp_path / f"{name}.parquet"
        duckdb.execute(
            f"COPY (SELECT subject, venue, zone, {times} FROM read_csv('{whole}', "
            f"all_varchar = true)) TO '{file}' (FORMAT parquet)"
        )
        assert call(file, sick)[:2] == (0, first), name
    # A folder of two files, and cases in Parquet.
    folder = tmp_path / "days"
    folder.mkdir()
    visits_csv(folder / "1.csv", visits[::2])
    visits_csv(folder / "2.csv", visits[1::2])
    duckdb.execute(
        f"COPY (SELECT * FROM read_csv('{sick}', all_varchar = true)) "
        f"TO '{tmp_path / 'sick.parquet'}' (FORMAT parquet)"
    )
    assert call(folder, tmp_path / "sick.parquet")[:2] == (0, first)


def test_bad_rows_of_parquet_are_told_by_their_number(call, tmp_path):
    file = tmp_path / "v.parquet"
    duckdb.execute(
        f"COPY (SELECT * FROM read_csv('{_spoilt(tmp_path)}', all_varchar = true)) "
        f"TO '{file}' (FORMAT parquet)"
    )
    status, out, said = call(file)
    assert (status, out) == (1, E31_OUT)
    assert [line.split(": ")[:2] for line in said.splitlines()[:3]] == [
        [f"{file}:2", "entered_at"],
        [f"{file}:5", "subject"],
        [f"{file}:6", "left_at"],
    ]
    micros = tmp_path / "m.parquet"
    duckdb.execute(
        f"COPY (SELECT 'case' AS subject, 'v' AS venue, NULL::VARCHAR AS zone, 0::BIGINT AS entered_at, "
        f"NULL::BIGINT AS left_at) TO '{micros}' (FORMAT parquet)"
    )
    assert call(micros)[0] == 1
    assert call(micros, CASES, "--default-stay", 10)[0] == 0
    naive_times = tmp_path / "n.parquet"
    duckdb.execute(
        "COPY (SELECT 'a' AS subject, 'v' AS venue, '' AS zone, TIMESTAMP '2022-03-01' AS entered_at, "
        f"TIMESTAMP '2022-03-01' AS left_at) TO '{naive_times}' (FORMAT parquet)"
    )
    (tmp_path / "c.csv").write_text(CASES)
    done = real(tmp_path, "--visits", "n.parquet", "--cases", "c.csv")
    assert done.returncode == 2 and "which has no offset" in done.stderr


def _spoilt(folder):
    lines = E31.splitlines()
    lines.insert(2, "x,v,z,2022-03-01T11:10:00,2022-03-01T12:00:00+08:00")
    lines.append(",v,z,2022-03-01T11:10:00+08:00,2022-03-01T12:00:00+08:00")
    lines.append("y,v,z,2022-03-01T11:10:00+08:00,")
    path = folder / "spoilt.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_parquet_out_holds_the_same(call, tmp_path):
    out = tmp_path / "found.parquet"
    status, said, _ = call(E31, CASES, "--out", out, "--json")
    assert status == 0
    assert json.loads(said) == {
        "visits": 3,
        "cases": 1,
        "windows": 1,
        "exposures": 1,
        "people": 1,
        "refused": 0,
    }
    relation = duckdb.execute(f"SELECT * FROM '{out}'")
    assert [name for name, *_ in relation.description] == OUT.split(",")
    assert [",".join(map(str, row)) for row in relation.fetchall()] == E31_OUT.splitlines()[1:]


def test_a_run_that_fails_leaves_what_was_there(call, tmp_path):
    out = tmp_path / "found.csv"
    out.write_text("before")
    (tmp_path / "none").mkdir()
    assert call(tmp_path / "none", CASES, "--out", out)[0] == 2
    assert out.read_text() == "before"
    assert call(E31, CASES, "--out", out)[0] == 0
    assert out.read_text() == E31_OUT
    # The draft and the work beside it are gone.
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        *("cases.csv", "found.csv", "none", "visits.csv")
    ]


def test_what_is_read_is_not_written_over(call, tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "cases.csv")
    for name in ("visits.csv", "cases.csv", "link.csv"):
        status, _, told = call(E31, CASES, "--out", tmp_path / name)
        assert (status, "would be lost" in told) == (2, True)
    assert (tmp_path / "visits.csv").read_text() == E31
    assert (tmp_path / "cases.csv").read_text() == CASES


def test_one_row_for_each_pair_however_often_it_was_recorded(call):
    twice = E31 + E31.splitlines()[3] + "\n"
    assert call(twice)[1].count("17,b,v,z") == 2
    visits, cases = worlds(1)
    assert naive([], cases, linger=30, least=10) == naive(visits, [], linger=30, least=10) == []


def test_how_a_time_is_read():
    assert read_instant("1970-01-01T00:00:01Z") == (1_000_000, "")
    assert read_instant("1970-01-01T08:00:00.000001+08:00") == (1, "")
    assert read_instant("1970-01-01") == (None, "naive-time")


def test_every_reason_has_words_in_both_languages():
    """The codes are read from the sources, not from running them."""
    used = {f"trace.{code}" for code in _WORDS} | {"trace.unreadable"}
    source = Path(publication.__file__).read_text(encoding="utf-8")
    used |= {f"trace.{code}" for code in re.findall(r'_problem\(\s*"([a-z-]+)"', source)}
    assert {"trace.layout", "trace.time"} <= used
    assert used == {code for code in catalogue() if code.startswith("trace.")}


@pytest.mark.parametrize("name", ["\tb", " b ", "王*明 ", "=1+1", "b;c", "é" * 300])
def test_strange_names_are_names(call, tmp_path, name):
    """From CSV, where SQL doubts some of them, and from Parquet, where it does too."""
    expected = E31_OUT.replace("17,b,", f"17,{name},")
    path = tmp_path / "strange.csv"
    path.write_text(E31.replace("b,v", f"{name},v"), encoding="utf-8")
    assert call(path)[:2] == (0, expected)
    duckdb.execute(
        f"COPY (SELECT * FROM read_csv('{path}', all_varchar = true, delim = ',', header = true)) "
        f"TO '{tmp_path / 'strange.parquet'}' (FORMAT parquet)"
    )
    assert call(tmp_path / "strange.parquet")[:2] == (0, expected)
