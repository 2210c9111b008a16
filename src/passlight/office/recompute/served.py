"""What doors are told about everybody, read once into Parquet beside the fact store."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import psycopg

from passlight.city.columns import instant
from passlight.city.store import write_durably
from passlight.city.writing import quoted, write_parquet

PEOPLE_A_CHUNK: Final = 500_000
_TOLD: Final = "served.json"
_COLUMNS: Final = {
    "ordinal": "INTEGER",
    "subject": "VARCHAR",
    "seq": "BIGINT",
    "segments": "VARCHAR",
    "sampled_at": "BIGINT",
    "state": "VARCHAR",
    "as_of": "BIGINT",
}
_PEOPLE_ALONE = """
copy (
select ordinal, facts_key, null, null, null, null, null from people_person
 where ordinal >= {first} and ordinal < {end}
) to stdout (format csv, force_quote (facts_key))
"""
_MICROS = "(extract(epoch from {}) * 1000000)::bigint"
_QUERY = f"""
copy (
select p.ordinal, p.facts_key, s.seq, s.segments::text, {_MICROS.format("s.sampled_at")},
       s.state, {_MICROS.format("s.as_of")}
  from people_person p
  left join lateral (select * from statuses_publication
                      where ordinal = p.ordinal and fact_seq <= {{fact_seq}}
                        and packs_seq <= {{packs_seq}}
                      order by seq desc limit 1) s on true
 where p.ordinal >= {{first}} and p.ordinal < {{end}}
) to stdout (format csv, force_quote (facts_key, segments, state))
"""  # noqa: S608  # numbers of ours

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What was served when it was read: one row a person, and who the last of them is."""

    folder: Path
    people: int
    ordinals: int
    """One more than the highest ordinal: who comes later is not in here."""
    latest_at: datetime
    """No row was published after this."""

    @property
    def files(self) -> list[Path]:
        """Return the Parquet files."""
        return sorted(self.folder.glob("chunk-*.parquet"))


def read_served(
    connection: psycopg.Connection[Any],
    folder: Path,
    *,
    fact_seq: int,
    packs_seq: int,
    progress: Progress,
) -> Served:
    """Return what was served on the facts up to a number under the packs up to another.

    Rows on newer facts are passed over: facts newer than a snapshot are no difference. What was
    read before a kill is not read again.
    """
    query = _QUERY.replace("{fact_seq}", f"{fact_seq:d}").replace("{packs_seq}", f"{packs_seq:d}")
    return _read(connection, folder, query, progress)


def read_people(connection: psycopg.Connection[Any], folder: Path, *, progress: Progress) -> Served:
    """Return who the people of the office are, without what is served about them."""
    return _read(connection, folder, _PEOPLE_ALONE, progress)


def _read(
    connection: psycopg.Connection[Any], folder: Path, query: str, progress: Progress
) -> Served:
    told = folder / _TOLD
    if told.exists():
        return _served(folder, json.loads(told.read_text()))
    folder.mkdir(parents=True, exist_ok=True)
    row = connection.execute("select coalesce(max(ordinal) + 1, 0) from people_person").fetchone()
    ordinals = int(row[0]) if row else 0
    engine = duckdb.connect(config={"autoinstall_known_extensions": False, "threads": 1})
    with engine:
        for first in range(0, ordinals, PEOPLE_A_CHUNK):
            progress("served", first, ordinals)
            target = folder / f"chunk-{first // PEOPLE_A_CHUNK:05}.parquet"
            if not target.exists():
                end = min(ordinals, first + PEOPLE_A_CHUNK)
                _read_chunk(connection, engine, target, query.format(first=first, end=end))
        found = _counted(engine, folder, ordinals)
    write_durably(told, json.dumps(found).encode())
    progress("served", ordinals, ordinals)
    return _served(folder, found)


def _read_chunk(
    connection: psycopg.Connection[Any],
    engine: duckdb.DuckDBPyConnection,
    target: Path,
    query: str,
) -> None:
    """Write one chunk; the file appears whole."""
    csv = target.with_suffix(".csv")
    with connection.transaction(), connection.cursor() as cursor, csv.open("wb") as sink:
        cursor.execute("set local time zone 'UTC'")
        with cursor.copy(query) as copy:
            for block in copy:
                sink.write(block)
    columns = ", ".join(f"{quoted(name)}: {quoted(form)}" for name, form in _COLUMNS.items())
    table = (
        f"read_csv({quoted(str(csv))}, auto_detect=false, header=false, delim=',', quote='\"', "
        f"escape='\"', new_line='\\n', nullstr='', allow_quoted_nulls=false, "
        f"columns={{{columns}}})"
    )
    write_parquet(engine, target, f"select * from {table}")  # noqa: S608  # a path of ours
    csv.unlink()


def _counted(
    engine: duckdb.DuckDBPyConnection, folder: Path, ordinals: int
) -> dict[str, int | None]:
    found: tuple[int, int | None] = (0, None)
    if ordinals:
        files = quoted(str(folder / "chunk-*.parquet"))
        row = engine.execute(f"select count(*), max(as_of) from read_parquet({files})").fetchone()  # noqa: S608  # a path
        assert row is not None, "a count has a row"
        found = (row[0], row[1])
    return {"people": found[0], "ordinals": ordinals, "latest_at": found[1]}


def _served(folder: Path, found: dict[str, Any]) -> Served:
    return Served(
        folder=folder,
        people=found["people"],
        ordinals=found["ordinals"],
        latest_at=instant(found["latest_at"] or 0),
    )
