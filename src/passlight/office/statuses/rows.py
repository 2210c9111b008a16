"""Rows: what would be published about a person, whether it differs, and how it is written."""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection

from passlight.core.kernel.colour import Colour
from passlight.core.status.timeline import Timeline
from passlight.office.statuses.evaluation import EvaluationFailure
from passlight.office.statuses.models import Publication
from passlight.office.statuses.reasons import FAILED_KEY
from passlight.office.statuses.segments import from_moment, to_published

log = logging.getLogger("passlight.worker")

#: How much of an error's text a task keeps.
DETAIL_CHARS = 300
_STATES = {
    Colour.CLOSED: Publication.State.CLOSED,
    Colour.UNKNOWN: Publication.State.UNKNOWN,
}
# The newest row of each: one step in the index for each person.
_HELD = """
select s.ordinal, s.segments::text, s.sampled_at, s.state
  from unnest(%s::int[]) as o (ordinal)
  cross join lateral (select * from statuses_publication where ordinal = o.ordinal
                      order by seq desc limit 1) s
"""
_COPY = """
copy statuses_publication
    (seq, ordinal, segments, sampled_at, state, as_of, fact_seq, packs_seq) from stdin
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What would be published about one person now."""

    ordinal: int
    segments: list[dict[str, Any]]
    sampled_at: datetime | None
    state: str
    failure: str | None = None


def row_of(ordinal: int, found: Timeline | EvaluationFailure, now: datetime) -> Row:
    """Return what evaluation makes of a person from ``now`` on; a fault shows as unknown."""
    if isinstance(found, EvaluationFailure):
        return _failed(ordinal, found.error)
    try:
        segments = to_published(found.segments(now))
        return Row(
            ordinal=ordinal,
            segments=segments,
            sampled_at=found.sampled_at(now),
            state=state_of(segments),
        )
    except Exception as error:  # noqa: BLE001  # this person's alone, as in evaluation
        return _failed(ordinal, error)


def state_of(segments: Sequence[dict[str, Any]]) -> str:
    """Return whether a person has a colour at all.

    A state holds for good: who is unknown only until rules take effect is active.
    """
    colours = {Colour(str(segment["colour"])) for segment in segments}
    state = _STATES.get(colours.pop()) if len(colours) == 1 else None
    return (state or Publication.State.ACTIVE).value


def _failed(ordinal: int, error: Exception) -> Row:
    log.error("person %s: %s: %s", ordinal, type(error).__name__, error)
    return Row(
        ordinal=ordinal,
        segments=[{"from": None, "colour": Colour.UNKNOWN.value, "reason": FAILED_KEY}],
        sampled_at=None,
        state=Publication.State.UNKNOWN.value,
        failure=f"{type(error).__name__}: {error}"[:DETAIL_CHARS],
    )


def rows_held(ordinals: Sequence[int]) -> dict[int, Row]:
    """Return what is published about these people."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [list(ordinals)])
        return {
            ordinal: Row(
                ordinal=ordinal, segments=json.loads(told), sampled_at=sampled, state=state
            )
            for ordinal, told, sampled, state in cursor.fetchall()
        }


def differing(rows: Sequence[Row], now: datetime) -> list[Row]:
    """Return those of ``rows`` that say something else than what is published, from now on."""
    held = rows_held([row.ordinal for row in rows])
    return [row for row in rows if differs(row, held.get(row.ordinal), now)]


def differs(row: Row, held: Row | None, now: datetime) -> bool:
    """Return whether ``row`` says something else than ``held`` from ``now`` on."""
    return (
        held is None
        or row.state != held.state
        or row.sampled_at != held.sampled_at
        or row.segments != from_moment(held.segments, now)
    )


def cut_to(row: Row, moment: datetime) -> Row:
    """Return what is left of a row at ``moment``, as if it had been computed then."""
    segments = from_moment(row.segments, moment)
    return replace(row, segments=segments, state=state_of(segments))


def append_rows(
    rows: Sequence[Row], *, after: int, as_of: datetime, fact_seq: int, packs_seq: int
) -> int:
    """Append rows to the log of publications and return the number of the last."""
    if rows:
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for line in _lines(rows, after, as_of, fact_seq, packs_seq):
                copy.write_row(line)
    return after + len(rows)


def _lines(
    rows: Sequence[Row], after: int, as_of: datetime, fact_seq: int, packs_seq: int
) -> Iterator[tuple[Any, ...]]:
    for seq, row in enumerate(rows, start=after + 1):
        told = json.dumps(row.segments)
        yield (seq, row.ordinal, told, row.sampled_at, row.state, as_of, fact_seq, packs_seq)
