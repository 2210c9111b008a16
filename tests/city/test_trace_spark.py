"""``passlight trace --engine spark``: the oracle's rows and DuckDB's bytes, in the one session."""

from pathlib import Path

from click.testing import CliRunner

from passlight.cli.trace import command
from tests.exposure.test_trace import expected_of
from tests.exposure.test_trace_command import expected_csv
from tests.exposure.worlds import cases_csv, edges, visits_csv, worlds

# With the other tests of Spark, so that one process has the one session.


def test_spark_finds_the_same_bytes(tmp_path: Path) -> None:
    (visits, cases), (more, others) = worlds(150, seed="spark"), edges()
    visits, cases = visits + more, cases + others
    arguments = ["--visits", str(visits_csv(tmp_path / "visits.csv", visits))]
    arguments += ["--cases", str(cases_csv(tmp_path / "cases.csv", cases)), "--min-minutes", "0"]
    told = {}
    for engine in ("duckdb", "spark"):
        out = tmp_path / f"{engine}.csv"
        done = CliRunner().invoke(command, [*arguments, "--engine", engine, "--out", str(out)])
        assert done.exit_code == 0, done.output
        told[engine] = out.read_bytes()
    assert told["spark"] == told["duckdb"]
    expected = expected_csv(expected_of(visits, cases, linger=30, least=0))
    assert told["spark"].decode().splitlines() == expected
