"""Spark as the engine: the same SQL over the same Parquet, for what no single node holds.

No Python runs on the workers: rows are made, joined and folded by Spark's own functions, so a
cluster needs Java and the store, and nothing of Passlight. One session serves a process.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from passlight.city.engine import Row
from passlight.city.spark_dialect import SparkDialect

REMEDY = (
    "Install Java 17 (apt-get install openjdk-17-jre-headless) and pip install 'passlight[spark]', "
    "or use --engine duckdb."
)
_TYPES = {"VARCHAR": "STRING"}
# Spark looks for it in the same way.
_JAVA = '"${JAVA_HOME:+$JAVA_HOME/bin/}java" -version'
_GLOB = re.compile(r"[\\*?\[\]{}]")
# Spark pushes a filter below the stages of a chain with every expression written out in full: a
# query of 20 kB becomes a plan of 1.5 MB. The scans still get their filters, when planned.
_RULES_OFF = ("PushDownPredicates", "PushPredicateThroughNonJoin")
_OPTIMIZER = "org.apache.spark.sql.catalyst.optimizer."


class SparkMissingError(Exception):
    """Spark cannot be started here; the text says what to install."""


class SparkEngine:
    """Runs SQL on Spark: local, on the cluster of ``master``, or wherever spark-submit says."""

    def __init__(
        self,
        *,
        master: str | None = "local[2]",
        memory: str | None = None,
        temporary: Path | None = None,
        partitions: int = 4,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self._dialect = SparkDialect()
        self._names: set[str] = set()
        settings = _settings(master, memory, temporary, partitions) | dict(options or {})
        self._session, started = _session(settings)
        # What spills into a folder that the caller takes away again cannot go on.
        self._ends = started and temporary is not None

    @property
    def dialect(self) -> SparkDialect:
        """Return Spark's spellings."""
        return self._dialect

    def register_parquet(self, name: str, files: Sequence[Path]) -> None:
        """Make a view of Parquet files; the names of their folders say nothing here."""
        reader = self._session.read.option("recursiveFileLookup", "true")
        self._keep_as(name, reader.parquet(*(_GLOB.sub(r"\\\g<0>", str(file)) for file in files)))

    def register_rows(self, name: str, columns: Mapping[str, str], rows: Sequence[Row]) -> None:
        """Make a table of a few rows."""
        schema = ", ".join(
            f"`{column}` {_TYPES.get(kind, kind)}" for column, kind in columns.items()
        )
        self._keep_as(name, self._session.createDataFrame(list(rows), schema))

    def view(self, name: str, sql: str) -> None:
        """Make a view of a query."""
        self._keep_as(name, self._session.sql(sql))

    def keep(self, name: str, sql: str) -> None:
        """Run a query and keep its rows; what led to them is forgotten, or plans would grow."""
        self._keep_as(name, self._session.sql(sql).localCheckpoint(eager=True))

    def drop(self, name: str) -> None:
        """Forget a view or kept rows."""
        self._names.discard(name)
        self._session.catalog.dropTempView(name)

    def rows(self, sql: str, *, batch: int = 10_000) -> Iterator[list[Row]]:
        """Run a query and yield its rows in batches."""
        left = (tuple(map(_plain, row)) for row in self._session.sql(sql).toLocalIterator())
        while found := list(islice(left, batch)):
            yield found

    def copy(self, sql: str, target: Path) -> None:
        """Write a query to one Parquet file."""
        folder = target.with_name(f".{target.name}.spark")
        frame = self._session.sql(sql).coalesce(1)
        frame.write.mode("overwrite").option("compression", "zstd").parquet(str(folder))
        (part,) = folder.glob("part-*.parquet")
        part.replace(target)
        shutil.rmtree(folder)

    def close(self) -> None:
        """Forget everything; the session goes on serving this process, unless its disk goes."""
        for name in sorted(self._names):
            self.drop(name)
        self._session.catalog.clearCache()
        if self._ends:
            self._session.stop()

    def _keep_as(self, name: str, frame: Any) -> None:
        self._names.add(name)
        frame.createOrReplaceTempView(name)


def _plain(value: Any) -> Any:
    """Return lists as lists and structs as dictionaries."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if hasattr(value, "asDict"):
        return {name: _plain(one) for name, one in value.asDict().items()}
    return value


def _settings(
    master: str | None, memory: str | None, temporary: Path | None, partitions: int
) -> dict[str, str]:
    found = {
        "spark.app.name": "passlight",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.sql.session.timeZone": "UTC",
        # Nothing is kept there; by default it would be made wherever a command is called.
        "spark.sql.warehouse.dir": str(Path(tempfile.gettempdir()) / "passlight-spark-warehouse"),
        "spark.sql.ansi.enabled": "true",
        "spark.sql.variable.substitute": "false",
        "spark.sql.constraintPropagation.enabled": "false",
        "spark.sql.optimizer.excludedRules": ",".join(_OPTIMIZER + rule for rule in _RULES_OFF),
        "spark.sql.shuffle.partitions": str(partitions),
        "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
        "spark.sql.parquet.compression.codec": "zstd",
    }
    if master is not None:
        found["spark.master"] = master
        if master.startswith("local"):
            found |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    if memory is not None:
        found["spark.driver.memory"] = memory
    if temporary is not None:
        found["spark.local.dir"] = str(temporary)
    return found


def check_spark() -> None:
    """Look for PySpark and Java, before anybody waits for facts to be read.

    Raises:
        SparkMissingError: when one of them is not there.
    """
    try:
        import pyspark  # noqa: F401 - only whether it can be
    except ImportError as error:
        raise SparkMissingError(f"PySpark is not installed. {REMEDY}") from error
    if subprocess.run(["sh", "-c", _JAVA], capture_output=True, check=False).returncode:
        raise SparkMissingError(f"There is no Java. {REMEDY}")


def _session(settings: dict[str, str]) -> tuple[Any, bool]:
    """Return the session of this process, and whether it was made now: only when there is none.

    Raises:
        SparkMissingError: when PySpark or Java is not there.
    """
    check_spark()
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    running = SparkContext._active_spark_context  # noqa: SLF001 - there is no public way to ask
    started = running is None
    if running is None:
        conf = SparkConf().setAll(list(settings.items()))
        log = Path(tempfile.gettempdir()) / "passlight-spark.log"
        try:
            with log.open("ab") as sink:
                quiet = {"stderr": sink, "stdout": subprocess.DEVNULL}
                gateway = SparkContext._gateway  # noqa: SLF001
                gateway = gateway or launch_gateway(conf, quiet)  # type: ignore[no-untyped-call]
                running = SparkContext(conf=conf, gateway=gateway)
        except (PySparkException, OSError) as error:
            raise SparkMissingError(
                f"Spark cannot be started ({log} says why). {REMEDY}"
            ) from error
    session = SparkSession(running)
    for name, value in settings.items():
        if name.startswith("spark.sql.") and session.conf.isModifiable(name):
            session.conf.set(name, value)
    return session, started
