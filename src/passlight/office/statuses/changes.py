"""Changes: what a switch's process found to differ, a file a bucket, on the way to the worker.

``bucket-00003.jsonl`` appears whole: a head, then a line a person, ``[ordinal, segments,
sampling]``, or ``[ordinal]`` for somebody whom the worker evaluates itself. ``done.json`` comes
last. Whoever writes is the evaluator's own process, in a folder that is the evaluator's alone.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from passlight.city.columns import instant, micros
from passlight.office.statuses.rows import Row, state_of

DONE = "done.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Somebody to publish about; without a row the worker evaluates the person itself."""

    ordinal: int
    row: Row | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The end of a switch's evaluation: how many buckets, and whom it covered."""

    buckets: int
    ordinals: int


def bucket_file(folder: Path, bucket: int) -> Path:
    """Return where the changes of a bucket are, or will be."""
    return folder / f"bucket-{bucket:05}.jsonl"


def write_bucket(folder: Path, bucket: int, changes: Iterable[Change], *, people: int) -> None:
    """Write the changes of a bucket of ``people``; the file appears when it is whole."""
    target = bucket_file(folder, bucket)
    draft = target.with_suffix(".part")
    with draft.open("w", encoding="utf-8") as sink:
        sink.write(json.dumps({"people": people}) + "\n")
        sink.writelines(json.dumps(_line(change)) + "\n" for change in changes)
    draft.replace(target)


def _line(change: Change) -> list[Any]:
    row = change.row
    if row is None:
        return [change.ordinal]
    sampling = None if row.sampled_at is None else micros(row.sampled_at)
    return [change.ordinal, row.segments, sampling]


def people_of(folder: Path, bucket: int) -> int:
    """Return how many people a bucket has, changed or not."""
    with bucket_file(folder, bucket).open(encoding="utf-8") as source:
        people: int = json.loads(source.readline())["people"]
        return people


def read_bucket(folder: Path, bucket: int) -> Iterator[Change]:
    """Yield the changes of a bucket, line by line."""
    with bucket_file(folder, bucket).open(encoding="utf-8") as source:
        source.readline()
        for line in source:
            yield _change(json.loads(line))


def _change(told: list[Any]) -> Change:
    if len(told) == 1:
        return Change(ordinal=told[0], row=None)
    ordinal, segments, sampling = told
    row = Row(
        ordinal=ordinal,
        segments=segments,
        sampled_at=None if sampling is None else instant(sampling),
        state=state_of(segments),
    )
    return Change(ordinal=ordinal, row=row)


def write_end(folder: Path, ended: Ended) -> None:
    """Say that every bucket is written."""
    draft = folder / f"{DONE}.part"
    draft.write_text(json.dumps({"buckets": ended.buckets, "ordinals": ended.ordinals}))
    draft.replace(folder / DONE)


def read_end(folder: Path) -> Ended | None:
    """Return the end, or None while buckets are still to come."""
    try:
        return Ended(**json.loads((folder / DONE).read_text()))
    except FileNotFoundError:
        return None
