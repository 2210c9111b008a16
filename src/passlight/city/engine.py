"""Engine: what the set-based side asks of whoever runs its SQL; DuckDB and Spark answer."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from passlight.city.dialect import Dialect

Row = tuple[Any, ...]


class Engine(Protocol):
    """Runs SQL over Parquet files; one session, one thread asks.

    A name is registered, kept or dropped; registering or keeping it again replaces it. Lists
    come back as lists, structs as dictionaries.
    """

    @property
    def dialect(self) -> Dialect:
        """Return how this engine writes SQL."""
        ...

    def register_parquet(self, name: str, files: Sequence[Path]) -> None:
        """Make a view of Parquet files that have one schema."""
        ...

    def register_rows(self, name: str, columns: Mapping[str, str], rows: Sequence[Row]) -> None:
        """Make a table of a few rows; ``columns`` maps names to SQL types, perhaps no row."""
        ...

    def view(self, name: str, sql: str) -> None:
        """Make a view of a query; it runs when somebody reads it."""
        ...

    def keep(self, name: str, sql: str) -> None:
        """Run a query and keep its rows under a name."""
        ...

    def drop(self, name: str) -> None:
        """Forget a view or kept rows, if they are there."""
        ...

    def rows(self, sql: str, *, batch: int = 10_000) -> Iterator[list[Row]]:
        """Run a query and yield its rows in batches; read all before asking anything else."""
        ...

    def copy(self, sql: str, target: Path) -> None:
        """Write a query to one Parquet file, zstd, in the order of the query."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...
