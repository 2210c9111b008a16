"""Makes a store of raw chunks: which version is in force when, who is who, one bucket at a time.

Facts are first cut into ranges of their ids, so that all versions of one are together, and then
into buckets of people. Nothing is ever sorted or joined as a whole but the names of the people,
and every step leaves a file that appears whole: memory stays small and a killed run goes on.
"""
# ruff: noqa: S608 - every part of the SQL is ours; paths and texts go through quoted()

import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from passlight.city.columns import FACT_COLUMNS, OTHER_COLUMNS, micros, select_list
from passlight.city.copies import Copies, settle_copies
from passlight.city.payload import ODD, dated, odd_instants, payload_values, texts
from passlight.city.staging import Work
from passlight.city.store import CROWD, PEOPLE_A_BUCKET, Store
from passlight.city.writing import StoreWriter, files, quoted, write_parquet
from passlight.core.facts.fact import AREA_PREFIX, SOURCE_PREFIX
from passlight.core.facts.identity import KINDS_OF_IDENTITY
from passlight.core.facts.kinds import KINDS, kind_rank

FACTS_A_RANGE = 2_000_000
# A range is numbered in the upper half of a fact's number, its place inside in the lower.
_RANGE_STEP = 2**32
_SAMPLES_A_RANGE = 64

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

_OF_AREAS = ", ".join(str(kind_rank(name)) for name in KINDS if name.startswith("area."))
_OF_IDENTITY = ", ".join(str(kind_rank(name)) for name in sorted(KINDS_OF_IDENTITY))
_PERSON = (
    f"NOT (starts_with(subject, '{AREA_PREFIX}') OR starts_with(subject, '{SOURCE_PREFIX}')"
    f" OR kind IN ({_OF_AREAS}))"
)
_OF_SOURCES = (
    f"asserted AND kind = {kind_rank('source.delivered')} "
    f"AND starts_with(subject, '{SOURCE_PREFIX}')"
)
# A version that says the same of the same source again leaves the earlier one; any other ends it.
_DELIVERIES = (
    f"WITH told AS (SELECT fact_id, ver, subject, recorded_at, {_OF_SOURCES} AS delivers "
    f"FROM versions WHERE fact_id IN (SELECT fact_id FROM versions WHERE {_OF_SOURCES})) "
    f"SELECT DISTINCT subject[{len(SOURCE_PREFIX) + 1}:] AS source, recorded_at, withdrawn_at FROM "
    "(SELECT one.subject, one.recorded_at, min(later.recorded_at) AS withdrawn_at FROM told AS one "
    "LEFT JOIN told AS later ON later.fact_id = one.fact_id AND later.ver > one.ver "
    "AND NOT (later.delivers AND later.subject = one.subject) WHERE one.delivers "
    "GROUP BY one.fact_id, one.ver, one.subject, one.recorded_at) "
    "WHERE withdrawn_at IS NULL OR recorded_at < withdrawn_at"
)


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


@dataclass(slots=True, kw_only=True)
class Building:
    """One store on its way from raw chunks to a manifest."""

    work: Work
    folder: Path
    people_a_bucket: int = PEOPLE_A_BUCKET
    facts_a_range: int = FACTS_A_RANGE
    crowd: int = CROWD
    progress: Progress = silent
    copies: Copies = field(default_factory=Copies)

    def run(self, *, up_to_seq: int | None = None) -> Store:
        """Return the finished store; those of ``work.persons`` have a line even without a fact."""
        self._people()
        ranges = self._ranges()
        for number in range(ranges):
            self.progress("versions", number, ranges)
            self._versions(number)
        self.progress("versions", ranges, ranges)
        writer = StoreWriter(self.work.connection, self.folder, self.crowd)
        buckets = self._buckets()
        for bucket in range(buckets):
            self.progress("buckets", bucket, buckets)
            self._bucket(writer, bucket)
        self.progress("buckets", buckets, buckets)
        self._small_parts(writer, buckets)
        store = writer.finish(
            buckets=buckets, people_a_bucket=self.people_a_bucket, up_to_seq=up_to_seq
        )
        self.work.connection.close()
        shutil.rmtree(self.work.folder)
        return store

    def _raw(self) -> str:
        return files(self.work.chunks())

    def _people(self) -> None:
        """Write who the people are: in order, and then by bucket with their number."""
        done = self.work.folder / "people"
        if done.exists():
            return
        self.progress("people", 0, 1)
        told = [f"SELECT subject FROM {self._raw()} WHERE {_PERSON}"] if self.work.chunks() else []
        if self.work.persons.exists():
            told.append(f"SELECT subject FROM {files([self.work.persons])}")
        told.append("SELECT NULL WHERE false")
        ordered = self.work.folder / "subjects.parquet"
        everybody = f"SELECT DISTINCT subject FROM ({' UNION ALL '.join(told)}) AS told (subject)"
        write_parquet(self.work.connection, ordered, f"{everybody} ORDER BY subject")
        self._scatter(
            f"SELECT file_row_number AS person, subject, "
            f"file_row_number // {self.people_a_bucket} AS bucket "
            f"FROM read_parquet({quoted(ordered)}, file_row_number = true)",
            done,
            by="bucket",
        )
        ordered.unlink()

    def _buckets(self) -> int:
        return len(list((self.work.folder / "people").glob("bucket=*")))

    def _ranges(self) -> int:
        """Cut the raw chunks into ranges of fact ids; return how many."""
        connection = self.work.connection
        if not self.work.chunks():
            return 0
        starts = self.work.folder / "ranges.parquet"
        if not starts.exists():
            rows = self._count(self._raw())
            wanted = max(1, -(-rows // self.facts_a_range))
            every = max(1, rows // (wanted * _SAMPLES_A_RANGE))
            write_parquet(
                connection,
                starts,
                "SELECT fact_id AS first, row_number() OVER (ORDER BY fact_id) AS range FROM ("
                f"SELECT min(fact_id) AS fact_id FROM (SELECT fact_id, ntile({wanted})"
                f" OVER (ORDER BY fact_id) AS tile FROM {self._raw()}"
                f" WHERE hash(fact_id) % {every} = 0) WHERE tile > 1 GROUP BY tile)"
                " UNION ALL SELECT '', 0",
            )
        chunks = self.work.chunks()
        for number, chunk in enumerate(chunks):
            self.progress("ranges", number, len(chunks))
            into = self.work.folder / "ranges" / chunk.stem
            if not into.exists():
                self._scatter(
                    f"SELECT raw.*, range FROM {files([chunk])} AS raw "
                    f"ASOF JOIN {files([starts])} AS starts ON raw.fact_id >= starts.first",
                    into,
                    by="range",
                )
        self.progress("ranges", len(chunks), len(chunks))
        return self._count(files([starts]))

    def _versions(self, number: int) -> None:
        """Write the versions of one range of facts, with the time until which each is in force."""
        done = self.work.folder / "versions" / f"range={number}"
        if done.exists():
            return
        connection = self.work.connection
        found = sorted((self.work.folder / "ranges").glob(f"*/range={number}/*.parquet"))
        if not found:
            return
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE delivered AS SELECT *, count(*) OVER "
            f"(PARTITION BY fact_id, ver) AS copies FROM {files(found)}"
        )
        settle_copies(connection, self.copies)
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE versions AS "
            "SELECT *, min(recorded_at) OVER (PARTITION BY fact_id ORDER BY ver "
            "ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS superseded_at, "
            f"{number * _RANGE_STEP} + dense_rank() OVER (ORDER BY fact_id) - 1 AS fact "
            "FROM delivered WHERE place NOT IN (SELECT place FROM set_aside)"
        )
        # What is never in force at any time of knowledge says nothing.
        standing = "asserted AND (superseded_at IS NULL OR recorded_at < superseded_at)"
        others = (
            f"SELECT * FROM versions WHERE {standing} AND kind IN ({_OF_AREAS}, {_OF_IDENTITY})"
        )
        self._write(f"others/range={number}.parquet", others)
        self._write(f"deliveries/range={number}.parquet", _DELIVERIES)
        self._scatter(
            f"SELECT versions.*, bucket FROM versions ASOF JOIN ({self._first_people()}) AS firsts"
            f" ON versions.subject >= firsts.first WHERE {standing} AND {_PERSON}",
            done,
            by="bucket",
        )
        connection.execute("DROP TABLE delivered; DROP TABLE versions")

    def _first_people(self) -> str:
        people = sorted((self.work.folder / "people").glob("bucket=*/*.parquet"))
        if not people:
            return (
                "SELECT CAST(NULL AS VARCHAR) AS first, CAST(NULL AS BIGINT) AS bucket WHERE false"
            )
        every = files(people)
        return (
            f"SELECT subject AS first, person // {self.people_a_bucket} AS bucket FROM {every}"
            f" WHERE person % {self.people_a_bucket} = 0"
        )

    def _bucket(self, writer: StoreWriter, bucket: int) -> None:
        if writer.has_bucket(bucket):
            return
        connection = self.work.connection
        people = sorted((self.work.folder / "people").glob(f"bucket={bucket}/*.parquet"))
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE here AS SELECT person, subject FROM {files(people)}"
        )
        found = sorted((self.work.folder / "versions").glob(f"*/bucket={bucket}/*.parquet"))
        writer.bucket(
            bucket, people="SELECT person, subject FROM here", facts=self._rows_about_people(found)
        )
        connection.execute("DROP TABLE here")

    def _rows_about_people(self, found: list[Path]) -> str:
        if not found:
            return f"SELECT {select_list(FACT_COLUMNS, {})} WHERE false"
        rows = files(found)
        values = _values(FACT_COLUMNS, odd=self._explain(rows))
        return (
            f"SELECT {select_list(FACT_COLUMNS, values)} FROM "
            f"(SELECT *, {texts()} AS v FROM {rows} JOIN here USING (subject))"
        )

    def _explain(self, rows: str) -> bool:
        """Fill the table of instants that only Python reads; return whether there are any."""
        connection = self.work.connection
        found = [text for (text,) in connection.execute(odd_instants(rows)).fetchall()]
        if not found:
            return False
        read = [micros(datetime.fromisoformat(text).astimezone(UTC)) for text in found]
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {ODD} AS "
            "SELECT unnest($texts) AS text, unnest($micros)::BIGINT AS micros",
            {"texts": found, "micros": read},
        )
        return True

    def _small_parts(self, writer: StoreWriter, buckets: int) -> None:
        others = sorted((self.work.folder / "others").glob("*.parquet"))
        if others:
            rows = files(others)
            values = _values(OTHER_COLUMNS, odd=self._explain(rows))
            writer.others(
                f"SELECT {select_list(OTHER_COLUMNS, values)} FROM "
                f"(SELECT *, {texts()} AS v FROM {rows})"
            )
            deliveries = sorted((self.work.folder / "deliveries").glob("*.parquet"))
            writer.deliveries(f"SELECT * FROM {files(deliveries)}")
        writer.rest(buckets)

    def _write(self, name: str, query: str) -> None:
        write_parquet(self.work.connection, self.work.folder / name, query)

    def _scatter(self, query: str, into: Path, *, by: str) -> None:
        """Write rows to a folder of folders that appears whole."""
        part = into.with_name(f".{into.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        self.work.connection.execute(
            f"COPY ({query}) TO {quoted(part)} (FORMAT parquet, PARTITION_BY ({by}))"
        )
        part.replace(into)

    def _count(self, source: str) -> int:
        row = self.work.connection.execute(f"SELECT count(*) FROM {source}").fetchone()
        return int(row[0]) if row else 0


def _values(columns: Collection[str], *, odd: bool) -> dict[str, str]:
    payload = payload_values(odd=odd)
    plain = {name: name for name in columns if name not in payload}
    return {**plain, **payload, "dated": dated()}
