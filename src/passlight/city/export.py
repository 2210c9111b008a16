"""Makes a fact store of the fact log in PostgreSQL, with COPY and in pieces that can go on.

Facts are never changed, and ``seq`` grows in the order of commits: whoever copies up to a number
copies the same rows whenever it is done, so a killed export goes on where it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from passlight.city.building import FACTS_A_RANGE, Building, Progress, silent
from passlight.city.staging import Work, start_work
from passlight.city.store import PEOPLE_A_BUCKET, Store
from passlight.city.writing import write_parquet

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg import Connection

FACTS_A_CHUNK = 1_000_000
_COLUMNS = (
    "seq, fact_id, ver, op, kind, subject, occurred_at, occurred_until, recorded_at, "
    "source, payload"
)
_QUOTED = "fact_id, op, kind, subject, source, payload"


def export_facts(
    connection: Connection[Any],
    folder: Path,
    *,
    up_to_seq: int | None = None,
    persons: str | None = None,
    people_a_bucket: int = PEOPLE_A_BUCKET,
    facts_a_chunk: int = FACTS_A_CHUNK,
    facts_a_range: int = FACTS_A_RANGE,
    progress: Progress = silent,
) -> Store:
    """Return the store of all facts up to a number of the log; None takes what is there now.

    The connection's role may read ``facts_fact``; it must not be in a transaction. ``persons`` is
    a query of one column, the subjects that have a line even without a fact. A second call with
    the same ``up_to_seq`` goes on where the first was killed.
    """
    last = _last_seq(connection) if up_to_seq is None else up_to_seq
    # Whatever cuts the pieces: pieces of two cuts do not fit, and a fact between them is lost.
    cut = f"{facts_a_chunk} a chunk, {facts_a_range} a range, {people_a_bucket} a bucket"
    work = start_work(folder, token=f"facts up to {last}, {cut}, persons: {persons}")
    for number, after in enumerate(range(0, last, facts_a_chunk)):
        progress("facts", after, last)
        if not work.chunk(number).exists():
            _copy_chunk(
                connection, work, number, after=after, last=min(last, after + facts_a_chunk)
            )
    progress("facts", last, last)
    building = Building(
        work=work,
        folder=folder,
        people_a_bucket=people_a_bucket,
        facts_a_range=facts_a_range,
        progress=progress,
    )
    if persons is not None:
        _copy_persons(connection, work, persons)
    return building.run(up_to_seq=last)


def _last_seq(connection: Connection[Any]) -> int:
    with connection.transaction(), connection.cursor() as cursor:
        row = cursor.execute("SELECT coalesce(max(seq), 0) FROM facts_fact").fetchone()
    return int(row[0]) if row else 0


def _copy_chunk(
    connection: Connection[Any], work: Work, number: int, *, after: int, last: int
) -> None:
    csv = work.folder / "chunk.csv"
    query = (
        f"COPY (SELECT {_COLUMNS} FROM facts_fact WHERE seq > {after:d} AND seq <= {last:d})"  # noqa: S608 - ours
        f" TO STDOUT (FORMAT csv, FORCE_QUOTE ({_QUOTED}))"
    )
    _copy(connection, query, csv)
    work.keep_chunk(number, csv, micros=False)


def _copy_persons(connection: Connection[Any], work: Work, query: str) -> None:
    if work.persons.exists():
        return
    csv = work.folder / "persons.csv"
    _copy(connection, f"COPY ({query}) TO STDOUT (FORMAT csv, FORCE_QUOTE *)", csv)
    write_parquet(work.connection, work.persons, work.csv(csv, {"subject": "VARCHAR"}))
    csv.unlink()


def _copy(connection: Connection[Any], query: str, target: Path) -> None:
    with connection.transaction(), connection.cursor() as cursor, target.open("wb") as sink:
        cursor.execute("SET LOCAL TIME ZONE 'UTC'")
        cursor.execute("SET LOCAL datestyle = 'ISO'")
        cursor.execute("SET LOCAL client_encoding = 'UTF8'")
        with cursor.copy(query) as copy:
            for block in copy:
                sink.write(block)
