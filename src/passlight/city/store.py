"""The fact store: every fact of a city as Parquet, in buckets of people (field/04).

A folder that DuckDB and Spark read alike::

    manifest.json                      written last: a folder without it is no store
    people/bucket=000/data.parquet     person, subject; dense from 0 in code-point order
    facts/bucket=000/data.parquet      FACT_COLUMNS, sorted by person, occurred_at, kind, fact
    linked/data.parquet                FACT_COLUMNS of all whom a fact of identity ever named
    linked_people/data.parquet         who they are
    others/data.parquet                OTHER_COLUMNS of areas and identities
    deliveries/data.parquet            when a source delivered
    asked/data.parquet                 the areas that facts about people name
    ranges/data.parquet                the earliest and the latest instant of each kind of fact
    crowded/data.parquet               who has more than ``manifest.crowd`` versions of facts

A bucket is a contiguous range of people; with ``linked`` it can be evaluated alone.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from passlight.city.columns import SCHEMA_HASH

FORMAT = 2
PEOPLE_A_BUCKET = 1_000_000
# A year of a test a day stays below; what is held for one person grows with the square.
CROWD = 500
MANIFEST = "manifest.json"
PARTS = (
    *("people", "facts", "linked", "linked_people", "others", "deliveries", "asked"),
    *("crowded", "ranges"),
)
_DATA = "data.parquet"
# A Parquet file begins and ends with it; before the last one stands the length of its footer.
_MAGIC = b"PAR1"
_TAIL_BYTES = 4 + len(_MAGIC)


class StoreError(Exception):
    """A folder cannot be used as a fact store; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a store holds; ``up_to_seq`` is the last fact of the log that is in it."""

    format: int
    schema: str
    facts: int
    people: int
    buckets: int
    people_a_bucket: int
    up_to_seq: int | None
    deliveries: bool
    crowd: int

    def to_json(self) -> bytes:
        """Return the bytes of ``manifest.json``."""
        return (json.dumps(asdict(self), indent=1) + "\n").encode()


@dataclass(frozen=True, slots=True)
class Store:
    """An open store: where its parts are."""

    folder: Path
    manifest: Manifest

    @property
    def buckets(self) -> range:
        """Return the numbers of the buckets."""
        return range(self.manifest.buckets)

    @property
    def people_count(self) -> int:
        """Return how many people have a line."""
        return self.manifest.people

    @property
    def told_of_sources(self) -> bool:
        """Return whether deliveries are told at all; where not, freshness is not looked at.

        A file without any says nothing of sources. The log of an installation without any says
        that none came, and then nobody is vouched green (E47).
        """
        return self.manifest.deliveries or self.manifest.up_to_seq is not None

    def people(self, bucket: int) -> Path:
        """Return the file of the people of a bucket."""
        return people_file(self.folder, bucket)

    def facts(self, bucket: int) -> Path:
        """Return the file of the facts about the people of a bucket."""
        return facts_file(self.folder, bucket)

    @property
    def linked(self) -> Path:
        """Return the facts about everybody whom a fact of identity ever named."""
        return part_file(self.folder, "linked")

    @property
    def linked_people(self) -> Path:
        """Return who they are."""
        return part_file(self.folder, "linked_people")

    @property
    def others(self) -> Path:
        """Return the versions of the facts about areas and identities."""
        return part_file(self.folder, "others")

    @property
    def deliveries(self) -> Path:
        """Return when sources delivered."""
        return part_file(self.folder, "deliveries")

    @property
    def asked(self) -> Path:
        """Return the areas that facts about people name."""
        return part_file(self.folder, "asked")

    @property
    def crowded(self) -> Path:
        """Return who has more versions of facts than ``manifest.crowd``, and how many."""
        return part_file(self.folder, "crowded")

    @property
    def ranges(self) -> Path:
        """Return the earliest and the latest instant that facts of each kind name."""
        return part_file(self.folder, "ranges")


def people_file(folder: Path, bucket: int) -> Path:
    """Return where the people of a bucket are, or will be."""
    return folder / "people" / f"bucket={bucket:03}" / _DATA


def facts_file(folder: Path, bucket: int) -> Path:
    """Return where the facts of a bucket are, or will be."""
    return folder / "facts" / f"bucket={bucket:03}" / _DATA


def part_file(folder: Path, part: str) -> Path:
    """Return where a part that has no buckets is, or will be."""
    return folder / part / _DATA


def open_store(folder: Path) -> Store:
    """Return the store in ``folder``.

    Raises:
        StoreError: when there is none, one of another format, or one that has lost a file.
    """
    try:
        told = json.loads((folder / MANIFEST).read_bytes())
        if (told["format"], told["schema"]) != (FORMAT, SCHEMA_HASH):
            message = f"{folder}: written by another version of Passlight. Build the store again."
            raise StoreError(message)
        manifest = Manifest(**told)
    except FileNotFoundError as error:
        message = f"{folder}: no {MANIFEST}; the store was never finished. Build it again."
        raise StoreError(message) from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        message = f"{folder / MANIFEST}: cannot be read ({error}). Build the store again."
        raise StoreError(message) from error
    for file in _files(folder, manifest.buckets):
        _require_whole(file)
    return Store(folder, manifest)


def _files(folder: Path, buckets: int) -> Iterator[Path]:
    for bucket in range(buckets):
        yield people_file(folder, bucket)
        yield facts_file(folder, bucket)
    for part in PARTS:
        if part not in {"people", "facts"}:
            yield part_file(folder, part)


def _require_whole(file: Path) -> None:
    """Refuse a file of a finished store that is gone, or that does not end as Parquet does."""
    try:
        with file.open("rb") as source:
            first = source.read(len(_MAGIC))
            size = source.seek(0, os.SEEK_END)
            source.seek(max(0, size - _TAIL_BYTES))
            tail = source.read()
    except FileNotFoundError as error:
        raise StoreError(f"{file}: is missing from the store. Build the store again.") from error
    except OSError as error:
        message = f"{file}: cannot be read ({error.strerror}). Build the store again."
        raise StoreError(message) from error
    footer = int.from_bytes(tail[:4], "little")
    if first != _MAGIC or not tail.endswith(_MAGIC) or footer + len(_MAGIC) + _TAIL_BYTES > size:
        raise StoreError(f"{file}: is cut off ({size} bytes are there). Build the store again.")


def write_durably(path: Path, data: bytes) -> None:
    """Write a file that is there whole, or not at all, whatever happens."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as sink:
        sink.write(data)
        sink.flush()
        os.fsync(sink.fileno())
    part.replace(path)
