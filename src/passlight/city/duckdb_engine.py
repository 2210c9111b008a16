"""DuckDB as the engine: one process, two settings (threads, memory), spills beside the store."""
# ruff: noqa: S608 - every part of the SQL is ours; texts go through Dialect.text

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb

from passlight.city.dialect import DuckDialect
from passlight.city.engine import Row
from passlight.city.writing import quoted


class DuckEngine:
    """Runs SQL on DuckDB, in memory, spilling to ``temporary``."""

    def __init__(
        self,
        *,
        temporary: Path | None = None,
        threads: int | None = None,
        memory: str | None = None,
    ) -> None:
        self._dialect = DuckDialect()
        self._kept: dict[str, str] = {}
        self._connection = duckdb.connect(":memory:")
        self._connection.execute("SET enable_progress_bar = false")
        self._connection.execute("SET preserve_insertion_order = false")
        if threads is not None:
            self._connection.execute(f"SET threads = {threads:d}")
        if memory is not None:
            self._connection.execute("SET memory_limit = ?", [memory])
        if temporary is not None:
            self._connection.execute(f"SET temp_directory = {quoted(temporary)}")

    @property
    def dialect(self) -> DuckDialect:
        """Return DuckDB's spellings."""
        return self._dialect

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """Return the connection, for what only DuckDB does: building and benchmarking stores."""
        return self._connection

    def register_parquet(self, name: str, files: Sequence[Path]) -> None:
        """Make a view of Parquet files."""
        listed = ", ".join(quoted(file) for file in files)
        self.view(name, f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false)")

    def register_rows(self, name: str, columns: Mapping[str, str], rows: Sequence[Row]) -> None:
        """Make a table of a few rows."""
        self.drop(name)
        typed = ", ".join(f"{column} {type_}" for column, type_ in columns.items())
        self._connection.execute(f"CREATE TEMP TABLE {name} ({typed})")
        self._kept[name] = "TABLE"
        if rows:
            # A list a column is taken in at once; a row at a time takes a thousand times as long.
            taken = ", ".join(f"CAST(unnest(?) AS {type_})" for type_ in columns.values())
            lists = [list(column) for column in zip(*rows, strict=True)]
            self._connection.execute(f"INSERT INTO {name} SELECT {taken}", lists)

    def view(self, name: str, sql: str) -> None:
        """Make a view of a query."""
        self.drop(name)
        self._connection.execute(f"CREATE TEMP VIEW {name} AS {sql}")
        self._kept[name] = "VIEW"

    def keep(self, name: str, sql: str) -> None:
        """Run a query and keep its rows."""
        self.drop(name)
        self._connection.execute(f"CREATE TEMP TABLE {name} AS {sql}")
        self._kept[name] = "TABLE"

    def drop(self, name: str) -> None:
        """Forget a view or kept rows."""
        kind = self._kept.pop(name, None)
        if kind is not None:
            self._connection.execute(f"DROP {kind} IF EXISTS {name}")

    def rows(self, sql: str, *, batch: int = 10_000) -> Iterator[list[Row]]:
        """Run a query and yield its rows in batches; read all before asking anything else."""
        result = self._connection.execute(sql)
        while found := result.fetchmany(batch):
            yield found

    def copy(self, sql: str, target: Path) -> None:
        """Write a query to one Parquet file."""
        self._connection.execute("SET preserve_insertion_order = true")
        try:
            self._connection.execute(
                f"COPY ({sql}) TO {quoted(target)} (FORMAT parquet, COMPRESSION zstd)"
            )
        finally:
            self._connection.execute("SET preserve_insertion_order = false")

    def close(self) -> None:
        """Give everything back."""
        self._connection.close()
