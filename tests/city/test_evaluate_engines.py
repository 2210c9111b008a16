"""``passlight evaluate`` with other engines: the same bytes, a store that is kept, Parquet.

The expected lines are those of the person evaluator, which the format's tests hold to lines
written by hand (tests/core/test_evaluate_command.py).
"""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from passlight.cli import evaluate_city
from passlight.cli.evaluate import command as evaluate
from passlight.core.facts.form import fact_line
from passlight.core.rules.schedule import PackSchedule
from passlight.runtime.packs import shipped_packs
from tests.city.differential import pack
from tests.city.generator import World, make_world

NAME = "jiangsu-2021"
AT = ("--at", "2021-08-15T10:00:00+08:00")


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(PackSchedule.only(pack(NAME)), people=30, seed=5, moments=3, knowledge=2)


@pytest.fixture(scope="module")
def facts(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("facts") / "facts.jsonl"
    bad = b'{"fact_id":"broken"}\n'
    path.write_bytes(b"".join(fact_line(one) for one in world.facts) + bad)
    return path


@pytest.fixture(scope="module")
def kept(facts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store that the command kept."""
    store = tmp_path_factory.mktemp("kept") / "store"
    found = run("--facts", str(facts), *AT, "--engine", "duckdb", "--store", str(store))
    assert found.exit_code == 1, "the broken line"
    return store


def run(*options: str) -> Result:
    found = CliRunner().invoke(evaluate, ["--pack", str(shipped_packs() / NAME), *options])
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


def test_duckdb_writes_the_bytes_of_the_person(facts: Path, tmp_path: Path) -> None:
    asked = tmp_path / "asked.txt"
    asked.write_text("p-001\nnobody\nz-last\n", encoding="utf-8")
    points = tmp_path / "points.csv"
    points.write_text(
        "at,known_at\n2021-08-15T10:00:00+08:00,\n2021-08-03T10:00:00+08:00,2021-08-09T00:00:00Z\n"
    )
    for options in (
        AT,
        (*AT, "--known-at", "2021-08-10T00:00:00+08:00"),
        ("--points", str(points)),
        (*AT, "--subjects", str(asked)),
    ):
        one = run("--facts", str(facts), *options)
        other = run("--facts", str(facts), *options, "--engine", "duckdb")
        assert one.stdout_bytes == other.stdout_bytes
        assert one.exit_code == other.exit_code == 1, "the broken line is a finding for both"
        assert "broken" in one.stderr or "facts.jsonl" in one.stderr
        assert len(one.stdout_bytes.splitlines()) >= 30


def test_engines_tell_the_same_of_lines_that_are_left_out(facts: Path, tmp_path: Path) -> None:
    """Bad lines and doubts as they are read, then what contradicts an earlier line, by line."""
    contact = {
        "fact_id": "x",
        "ver": 1,
        "op": "assert",
        "kind": "exposure.derived",
        "subject": "p-001",
        "occurred_at": "2021-08-01T10:00:00+08:00",
        "recorded_at": "2021-08-01T10:00:00+08:00",
        "source": "tracing",
        "payload": {"minutes": 20},
    }
    late = {**contact, "fact_id": "late", "occurred_at": "2021-09-01T10:00:00+08:00"}
    lines = (
        contact,
        {**contact, "payload": {"minutes": 21}},
        {**contact, "fact_id": "huge", "payload": {"minutes": 10**400}},
        {**contact, "fact_id": "w", "ver": 2},
        late,
        {**contact, "fact_id": "w", "ver": 2, "source": "else"},
        {"fact_id": "short"},
        {**contact, "payload": {"minutes": 22}},
    )
    named = tmp_path / "facts.jsonl"
    named.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    one = run("--facts", str(named), *AT)
    other = run("--facts", str(named), *AT, "--engine", "duckdb")
    # Three bad lines as they come, then the three contradictions; the short one lacks much.
    told = [text.removeprefix(f"{named}:").partition(":")[0] for text in one.stderr.splitlines()]
    summary = told.pop()
    assert list(dict.fromkeys(told)) == ["3", "5", "7", "2", "6", "8"]
    assert summary.startswith("facts 5, refused 6,")
    assert one.stderr == other.stderr
    assert one.stdout_bytes == other.stdout_bytes != b""
    assert one.exit_code == other.exit_code == 1


def test_a_store_is_kept_and_used_again(facts: Path, tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    first = run("--facts", str(facts), *AT, "--engine", "duckdb", "--store", store)
    again = run(*AT, "--engine", "duckdb", "--store", store)
    assert first.stdout_bytes == again.stdout_bytes != b""
    assert (first.exit_code, again.exit_code) == (1, 0)
    assert not again.stderr.startswith("facts 0,"), "the store says how many it holds"
    both = run("--facts", str(facts), *AT, "--engine", "duckdb", "--store", store)
    assert both.exit_code == 2
    assert "holds facts already" in both.stderr
    empty = run(*AT, "--engine", "duckdb", "--store", str(tmp_path / "none"))
    assert empty.exit_code == 2
    assert "--facts FILE" in empty.stderr


def test_what_is_read_is_not_written_over(facts: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    own.write_bytes(facts.read_bytes())
    for engine in ("person", "duckdb"):
        found = run("--facts", str(own), *AT, "--engine", engine, "--out", str(own))
        assert found.exit_code == 2
        assert "is read, and would be lost" in found.stderr
    assert own.read_bytes() == facts.read_bytes()


def _gone(file: Path) -> None:
    file.unlink()


def _half(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def _empty(file: Path) -> None:
    os.truncate(file, 0)


@pytest.mark.parametrize("part", ["facts/bucket=000", "people/bucket=000", "others", "asked"])
@pytest.mark.parametrize(
    ("harm", "said"), [(_gone, "missing"), (_half, "cut off"), (_empty, "cut off")]
)
def test_a_store_that_lost_a_file_says_which_and_what_to_do(
    kept: Path, tmp_path: Path, part: str, harm: Callable[[Path], None], said: str
) -> None:
    store = tmp_path / "store"
    shutil.copytree(kept, store)
    file = store / part / "data.parquet"
    harm(file)
    found = run(*AT, "--engine", "duckdb", "--store", str(store))
    assert (found.exit_code, found.stdout_bytes) == (2, b"")
    assert found.stderr.startswith(f"{file}: is {said}")
    assert f"Remove the folder {store} and run with --facts FILE --store {store}." in found.stderr
    assert found.stderr.count("\n") == 1


def test_a_store_built_again_as_the_message_says_answers(
    kept: Path, facts: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    shutil.copytree(kept, store)
    _half(store / "others" / "data.parquet")
    assert run(*AT, "--engine", "duckdb", "--store", str(store)).exit_code == 2
    shutil.rmtree(store)
    again = run("--facts", str(facts), *AT, "--engine", "duckdb", "--store", str(store))
    whole = run(*AT, "--engine", "duckdb", "--store", str(kept))
    assert again.stdout_bytes == whole.stdout_bytes != b""


@pytest.mark.parametrize("engine", ["person", "duckdb"])
def test_parquet_has_the_columns_of_the_line(facts: Path, tmp_path: Path, engine: str) -> None:
    lines, out = tmp_path / "out.jsonl", tmp_path / f"{engine}.parquet"
    run("--facts", str(facts), *AT, "--out", str(lines))
    run("--facts", str(facts), *AT, "--engine", engine, "--out", str(out))
    wanted = [json.loads(line) for line in lines.read_bytes().splitlines()]
    found = duckdb.connect().execute("SELECT * FROM read_parquet(?)", [str(out)])
    names = [column[0] for column in found.description]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert rows == wanted
    assert [path.name for path in tmp_path.iterdir() if path.suffix in {".part", ".draft"}] == []


@pytest.mark.parametrize(
    ("engine", "lacking", "extras"),
    [
        ("duckdb", {"duckdb"}, "city"),
        ("spark", {"duckdb", "pyspark"}, "city,spark"),
        ("spark", {"pyspark"}, "spark"),
    ],
)
def test_without_an_engine_the_command_says_what_to_install(
    facts: Path, monkeypatch: pytest.MonkeyPatch, engine: str, lacking: set[str], extras: str
) -> None:
    monkeypatch.setattr(
        evaluate_city, "find_spec", lambda name: None if name in lacking else object()
    )
    found = run("--facts", str(facts), *AT, "--engine", engine)
    assert (found.exit_code, found.stdout_bytes) == (2, b"")
    assert found.stderr == (
        f"--engine {engine} needs more than the core. Run: pip install 'passlight[{extras}]'\n"
    )


def test_without_java_the_command_says_what_to_install(
    facts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sh").symlink_to(shutil.which("sh") or "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    out = tmp_path / "out.jsonl"
    found = run("--facts", str(facts), *AT, "--engine", "spark", "--out", str(out))
    assert (found.exit_code, found.stdout_bytes) == (2, b"")
    assert re.search(r"There is no Java\. .*openjdk-17.*--engine duckdb", found.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["sh"]


@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_what_an_engine_is_not_given_is_asked_for(facts: Path, tmp_path: Path, engine: str) -> None:
    """Nothing is started for it: no session, no file, no folder."""
    empty, out = tmp_path / "store", tmp_path / "no" / "out.jsonl"
    wrong = (
        (AT, "Name them with --facts FILE."),
        ((*AT, "--store", str(empty)), "Name them with --facts FILE."),
        (("--facts", str(facts)), "Say when: --at"),
        ((*AT, "--facts", str(tmp_path / "none")), "cannot be read"),
        ((*AT, "--facts", str(facts), "--out", str(out)), str(out)),
    )
    for options, said in wrong:
        found = run(*options, "--engine", engine)
        assert (found.exit_code, found.stdout_bytes) == (2, b"")
        assert said in found.stderr
    assert list(tmp_path.iterdir()) == []
