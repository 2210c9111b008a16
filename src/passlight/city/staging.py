"""Raw chunks: facts as they were delivered, on their way into a store.

A chunk is a Parquet file that appears whole; whoever is killed goes on after the last one.
"""
# ruff: noqa: S608 - every part of the SQL is ours; paths and texts go through quoted()

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from passlight.city.columns import SCHEMA_HASH
from passlight.city.store import FORMAT, MANIFEST, PARTS, write_durably
from passlight.city.writing import quoted, write_parquet
from passlight.core.facts.kinds import KINDS, kind_rank

RAW_COLUMNS = {
    "place": "BIGINT",  # the order of delivery: a line's number, or the log's seq
    "fact_id": "VARCHAR",
    "ver": "INTEGER",
    "op": "VARCHAR",
    "kind": "VARCHAR",
    "subject": "VARCHAR",
    "occurred_at": "VARCHAR",
    "occurred_until": "VARCHAR",
    "recorded_at": "VARCHAR",
    "source": "VARCHAR",
    "payload": "VARCHAR",
}
"""The columns of a CSV of facts; instants are whole microseconds, or texts in UTC."""

WORK = ".work"
LINE_BYTES_MAX = 8 * 1024 * 1024
MEMORY_LIMIT = "1500MB"
THREADS = 2


@dataclass(frozen=True, slots=True)
class Work:
    """The folder in which a store is being built, and the engine that builds it."""

    folder: Path
    connection: duckdb.DuckDBPyConnection

    @property
    def raw(self) -> Path:
        """Return where raw chunks are."""
        return self.folder / "raw"

    def chunks(self) -> list[Path]:
        """Return the raw chunks that are whole, in order."""
        return sorted(self.raw.glob("chunk-*.parquet"))

    def chunk(self, number: int) -> Path:
        """Return where a raw chunk is, or will be."""
        return self.raw / f"chunk-{number:06}.parquet"

    @property
    def persons(self) -> Path:
        """Return where those are who have a line even without a fact."""
        return self.folder / "persons.parquet"

    def csv(self, path: Path, columns: Mapping[str, str]) -> str:
        """Return the query that reads a CSV in which texts are quoted and null is not."""
        typed = ", ".join(f"{quoted(name)}: {quoted(form)}" for name, form in columns.items())
        return (
            f"SELECT * FROM read_csv({quoted(path)}, auto_detect=false, header=false, "
            f"delim=',', quote='\"', escape='\"', new_line='\\n', nullstr='', "
            f"allow_quoted_nulls=false, max_line_size={LINE_BYTES_MAX}, columns={{{typed}}})"
        )

    def keep_chunk(self, number: int, csv: Path, *, micros: bool) -> None:
        """Make a raw chunk of a CSV of ``RAW_COLUMNS``, which is removed."""
        rows = f"({self.csv(csv, RAW_COLUMNS)})"
        write_parquet(self.connection, self.chunk(number), _as_facts(rows, micros=micros))
        csv.unlink()


def start_work(folder: Path, *, token: str | None) -> Work:
    """Return the work on the store in ``folder``: what was begun with the same token goes on.

    Anything else that stands there of a store is removed first, and so is what another version
    of Passlight began. None never goes on.
    """
    if token is not None:
        token = f"{token}, format {FORMAT}, {SCHEMA_HASH}"
    inside = folder / WORK
    mark = inside / "token"
    if token is None or not mark.is_file() or mark.read_text() != token:
        (folder / MANIFEST).unlink(missing_ok=True)
        for name in (*PARTS, inside.name):
            shutil.rmtree(folder / name, ignore_errors=True)
    temporary = inside / "temp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    (inside / "raw").mkdir(exist_ok=True)
    if token is not None:
        write_durably(mark, token.encode())
    connection = duckdb.connect(
        config={
            "memory_limit": MEMORY_LIMIT,
            "threads": THREADS,
            "temp_directory": str(temporary),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
        }
    )
    return Work(inside, connection)


def _as_facts(source: str, *, micros: bool) -> str:
    ranks = " ".join(f"WHEN {quoted(name)} THEN {kind_rank(name)}" for name in KINDS)
    times = ", ".join(
        f"{_instant(name, micros=micros)} AS {name}"
        for name in ("occurred_at", "occurred_until", "recorded_at")
    )
    return (
        f"SELECT place, fact_id, ver, op = 'assert' AS asserted, "
        f"CAST(CASE kind {ranks} ELSE {len(KINDS)} END AS SMALLINT) AS kind, "
        f"subject, {times}, source, payload FROM {source}"
    )


def _instant(name: str, *, micros: bool) -> str:
    # PostgreSQL writes 2020-03-01 02:00:00.5+00 when its session is in UTC.
    return f"CAST({name} AS BIGINT)" if micros else f"epoch_us(CAST({name}[:-4] AS TIMESTAMP))"
