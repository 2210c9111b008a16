"""Writes a fact store bucket by bucket: each file appears whole, and a killed run goes on.

What is under its name is finished and is not written again; the manifest comes last.
"""
# ruff: noqa: S608 - every part of the SQL is ours; paths and texts go through quoted()

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from passlight.city.columns import (
    ASKED_COLUMNS,
    CROWDED_COLUMNS,
    DELIVERY_COLUMNS,
    FACT_COLUMNS,
    INSTANTS,
    OTHER_COLUMNS,
    PEOPLE_COLUMNS,
    RANGE_COLUMNS,
    SCHEMA_HASH,
    select_list,
)
from passlight.city.store import (
    CROWD,
    FORMAT,
    MANIFEST,
    Manifest,
    Store,
    facts_file,
    part_file,
    people_file,
    write_durably,
)

# Small enough that a reader skips most of a file for a few people, large enough to scan well.
ROWS_A_GROUP = 122_880
FACT_ORDER = "person, occurred_at, kind, fact, ver"


@dataclass(frozen=True, slots=True)
class StoreWriter:
    """Writes the parts of one store from SQL; queries give the columns of each part in full."""

    connection: duckdb.DuckDBPyConnection
    folder: Path
    crowd: int = CROWD

    def has_bucket(self, bucket: int) -> bool:
        """Return whether a bucket is written already."""
        return (
            people_file(self.folder, bucket).exists() and facts_file(self.folder, bucket).exists()
        )

    def bucket(self, bucket: int, *, people: str, facts: str) -> None:
        """Write one bucket of people and the facts about them."""
        self._write(facts_file(self.folder, bucket), FACT_COLUMNS, facts, order=FACT_ORDER)
        self._write(people_file(self.folder, bucket), PEOPLE_COLUMNS, people, order="person")

    def linked(self, *, people: str, facts: str) -> None:
        """Write who was ever named by a fact of identity, and the facts about them."""
        self._part("linked", FACT_COLUMNS, facts, order=FACT_ORDER)
        self._part("linked_people", PEOPLE_COLUMNS, people, order="person")

    def others(self, query: str) -> None:
        """Write the versions of facts about areas and identities."""
        self._part("others", OTHER_COLUMNS, query, order="subject, occurred_at, kind, fact, ver")

    def deliveries(self, query: str) -> None:
        """Write when sources delivered."""
        self._part("deliveries", DELIVERY_COLUMNS, query, order="source, recorded_at, withdrawn_at")

    def asked(self, query: str) -> None:
        """Write the areas that facts about people name."""
        self._part("asked", ASKED_COLUMNS, query, order="area")

    def crowded(self, query: str) -> None:
        """Write who has more versions of facts than ``crowd``, and how many."""
        self._part("crowded", CROWDED_COLUMNS, query, order="person")

    def ranges(self, query: str) -> None:
        """Write the earliest and the latest instant that facts of each kind name."""
        self._part("ranges", RANGE_COLUMNS, query, order="kind")

    def rest(self, buckets: int) -> None:
        """Write what follows from the parts that are there, and empty files for those that lack."""
        self.others(_nothing(OTHER_COLUMNS))
        self.deliveries(_nothing(DELIVERY_COLUMNS))
        if not buckets:
            self.linked(people=_nothing(PEOPLE_COLUMNS), facts=_nothing(FACT_COLUMNS))
            self.asked(_nothing(ASKED_COLUMNS))
            self.crowded(_nothing(CROWDED_COLUMNS))
            self.ranges(_nothing(RANGE_COLUMNS))
            return
        facts = files([facts_file(self.folder, one) for one in range(buckets)])
        people = files([people_file(self.folder, one) for one in range(buckets)])
        others = files([part_file(self.folder, "others")])
        pairs = f"SELECT unnest([p_a, p_b]) FROM {others} WHERE p_a IS NOT NULL"
        linked = f"SELECT * FROM {people} WHERE subject IN ({pairs})"
        self.linked(
            people=linked,
            facts=f"SELECT * FROM {facts} WHERE person IN (SELECT person FROM ({linked}))",
        )
        # Bucket by bucket: whoever counts everybody at once holds everybody at once.
        counted = (
            f"SELECT person, count(*) AS facts FROM {files([facts_file(self.folder, one)])} "
            f"GROUP BY person HAVING facts > {self.crowd}"
            for one in range(buckets)
        )
        self.crowded(" UNION ALL ".join(counted))
        lows = ", ".join(f"min({name})" for name in INSTANTS)
        highs = ", ".join(f"max({name})" for name in INSTANTS)
        self.ranges(
            f"SELECT kind, least({lows}) AS low, greatest({highs}) AS high "
            f"FROM {facts} GROUP BY kind"
        )
        areas = "SELECT unnest([p_area, p_from_area, p_to_area])"
        self.asked(f"SELECT DISTINCT area FROM ({areas} AS area FROM {facts}) WHERE area <> ''")

    def finish(self, *, buckets: int, people_a_bucket: int, up_to_seq: int | None = None) -> Store:
        """Count what is there, write the manifest and return the store."""
        manifest = Manifest(
            format=FORMAT,
            schema=SCHEMA_HASH,
            facts=self._rows(facts_file(self.folder, one) for one in range(buckets)),
            people=self._rows(people_file(self.folder, one) for one in range(buckets)),
            buckets=buckets,
            people_a_bucket=people_a_bucket,
            up_to_seq=up_to_seq,
            deliveries=self._rows([part_file(self.folder, "deliveries")]) > 0,
            crowd=self.crowd,
        )
        write_durably(self.folder / MANIFEST, manifest.to_json())
        return Store(self.folder, manifest)

    def _rows(self, files: Iterable[Path]) -> int:
        query = "SELECT coalesce(sum(num_rows), 0)::BIGINT FROM parquet_file_metadata(?)"
        return sum(
            int(count)
            for file in files
            for (count,) in self.connection.execute(query, [str(file)]).fetchall()
        )

    def _part(self, part: str, columns: Mapping[str, str], query: str, *, order: str) -> None:
        self._write(part_file(self.folder, part), columns, query, order=order)

    def _write(self, path: Path, columns: Mapping[str, str], query: str, *, order: str) -> None:
        if path.exists():
            return
        wanted = f"SELECT {', '.join(columns)} FROM ({query}) ORDER BY {order}"
        write_parquet(self.connection, path, wanted)


def write_parquet(connection: duckdb.DuckDBPyConnection, path: Path, query: str) -> None:
    """Write the rows of a query to a file that appears under its name when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    connection.execute(
        f"COPY ({query}) TO {quoted(part)} "
        f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROWS_A_GROUP})"
    )
    part.replace(path)


def files(paths: Iterable[Path]) -> str:
    """Return the table function that reads these files, without what their folders say."""
    names = ", ".join(quoted(path) for path in paths)
    return f"read_parquet([{names}], hive_partitioning = false)"


def _nothing(columns: Mapping[str, str]) -> str:
    return f"SELECT {select_list(columns, {})} WHERE false"


def quoted(text: str | Path) -> str:
    """Return the text, or the path, as a literal of SQL."""
    return "'" + str(text).replace("'", "''") + "'"
