"""Spark says what the person evaluator says, byte by byte, over all shipped packs (field/08 4).

One session serves the process: starting it takes longer than anything it is asked here.
"""

import shutil
import sys
from collections.abc import Iterator

import duckdb
import pytest
from click.testing import CliRunner

from passlight.city.duckdb_engine import DuckEngine
from passlight.city.engine import Engine
from passlight.city.evaluate import evaluate_compact, told_lines
from passlight.city.load import load_facts
from passlight.city.spark_engine import SparkEngine, SparkMissingError
from passlight.cli.evaluate import command as evaluate
from passlight.core.facts.form import fact_line
from passlight.core.rules.schedule import PackSchedule
from passlight.runtime.packs import shipped_packs
from tests.city.differential import differences, pack, shipped
from tests.city.generator import World, make_world

# With the other tests of Spark, so that one process has the one session.
POINTS = 20_000
# A short life: most of what Java would do here is compile what runs once.
QUICK = {
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkEngine]:
    engine = SparkEngine(memory="1g", partitions=1, options=QUICK)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def worlds() -> dict[str, World]:
    each = {
        name: make_world(
            PackSchedule.only(pack(name)), people=48, seed=number, moments=72, knowledge=6
        )
        for number, name in enumerate(shipped(), start=40)
    }
    # What a shorter list of packs would not reach is no test.
    assert sum(len(one.book.persons) * len(one.moments) for one in each.values()) >= POINTS
    return each


@pytest.mark.parametrize("name", shipped())
def test_spark_gives_the_person_evaluators_lines(spark, worlds, tmp_path, name):
    world = worlds[name]
    store = load_facts(enumerate(world.facts), tmp_path, persons=world.book.persons).store
    told = (
        (moment, line)
        for moment, _, line in told_lines(spark, store, world.schedule, world.moments)
    )
    compared, found = differences(world, told)
    assert compared == len(world.book.persons) * len(world.moments)
    assert found == []


def test_the_compact_rows_for_the_office_are_those_of_duckdb(spark, worlds, tmp_path):
    world = worlds["shanghai-2020-02"]
    facts = enumerate(world.facts)
    store = load_facts(facts, tmp_path / "store", people_a_bucket=30).store
    at = sorted(moment[0] for moment in world.moments)[len(world.moments) // 2]
    known_at = max(known for _, known in world.moments if known is not None)
    rows = {}
    engines: dict[str, Engine] = {"spark": spark, "duckdb": DuckEngine(threads=1)}
    for name, engine in engines.items():
        files = evaluate_compact(
            engine, store, world.schedule, at=at, known_at=known_at, out_folder=tmp_path / name
        )
        assert len(files) == len(store.buckets) > 1
        rows[name] = [
            duckdb.execute("FROM read_parquet(?) ORDER BY person", [str(file)]).fetchall()
            for file in files
        ]
    assert rows["spark"] == rows["duckdb"]
    assert {row[2] for bucket in rows["spark"] for row in bucket} > {"green"}


def test_texts_and_paths_come_through_as_they_are(spark, tmp_path):
    odd = "a'b\\n\"${x}\\' 病 𠮷\n"
    dialect = spark.dialect
    assert list(spark.rows(f"SELECT {dialect.text(odd)}")) == [[(odd,)]]
    spark.register_rows("odd", {"at": "BIGINT", "name": "VARCHAR"}, [(2, odd), (1, None)])
    target = tmp_path / "it's a [folder]" / "out.parquet"
    target.parent.mkdir()
    spark.copy("SELECT * FROM odd ORDER BY at", target)
    assert duckdb.execute("FROM read_parquet(?)", [str(target)]).fetchall() == [(1, None), (2, odd)]
    assert list(target.parent.iterdir()) == [target]
    spark.register_parquet("again", [target])
    assert list(spark.rows("SELECT name FROM again WHERE at = 2")) == [[(odd,)]]
    spark.drop("again")
    spark.drop("again")


def test_without_java_the_error_says_what_to_install(monkeypatch, tmp_path):
    (tmp_path / "sh").symlink_to(shutil.which("sh") or "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(SparkMissingError, match=r"no Java.*openjdk-17.*--engine duckdb"):
        SparkEngine()
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(SparkMissingError, match=r"PySpark is not installed.*passlight.spark"):
        SparkEngine()


def test_the_command_writes_the_bytes_and_messages_of_the_person(spark, tmp_path):
    """The command takes the session that runs here; last, for it has settings of its own."""
    world = make_world(
        PackSchedule.only(pack("shanghai-2020-02")), people=12, seed=5, moments=1, knowledge=1
    )
    named = tmp_path / "facts.jsonl"
    named.write_bytes(b"".join(map(fact_line, world.facts)) + b'{"fact_id":"broken"}\n')
    at = world.moments[0][0].isoformat()
    options = [
        "--pack",
        str(shipped_packs() / "shanghai-2020-02"),
        "--facts",
        str(named),
        "--at",
        at,
    ]
    person, other = (
        CliRunner().invoke(evaluate, [*options, "--engine", engine])
        for engine in ("person", "spark")
    )
    assert other.exception is None or isinstance(other.exception, SystemExit), other.exception
    assert other.stdout_bytes == person.stdout_bytes
    assert other.stderr == person.stderr
    assert other.exit_code == person.exit_code == 1
    assert len(person.stdout_bytes.splitlines()) == len(world.book.persons) > 9
