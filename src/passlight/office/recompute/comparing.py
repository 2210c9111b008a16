"""Comparing what the set-based engine computed with what doors are told, bucket by bucket.

Nearly everybody is green on both sides, and the engine sees that by itself; who is not is looked
at here, with the same rounding and cutting as in the worker.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from json import loads
from pathlib import Path
from typing import Any, Final

import duckdb

from passlight.city.columns import instant
from passlight.city.writing import files, quoted
from passlight.core.kernel.colour import Colour
from passlight.core.status.status import Segment
from passlight.office.recompute.models import Difference
from passlight.office.recompute.served import Served
from passlight.office.statuses.models import Publication
from passlight.office.statuses.rows import Row, cut_to, state_of
from passlight.office.statuses.segments import to_published

ROWS_A_TIME: Final = 5_000
# How PostgreSQL writes the line of somebody who is green and stays so.
GREEN: Final = '[{"from": null, "colour": "green", "reason": null}]'
_ALIKE = f"""
    s.segments = {quoted(GREEN)} and s.state = 'active' and len(r.segments) = 1
    and r.segments[1].colour = 'green' and r.segments[1].rule is null
    and s.sampled_at is not distinct from r.sampled_at
"""
_QUERY = """
select s.ordinal, s.seq, s.segments, s.sampled_at, s.state, r.segments, r.sampled_at
  from {computed} r join {served} s on s.subject = r.subject
 where ({alike}) is not true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One person whose lines differ: what is served (None: nothing), and what was computed."""

    ordinal: int
    seq: int | None
    served: Row | None
    computed: Row

    @property
    def kind(self) -> Difference.Kind:
        """Return what differs, the gravest that does."""
        if self.served is None:
            return Difference.Kind.MISSING
        old, new = _told(self.served), _told(self.computed)
        if old[0]["colour"] != new[0]["colour"]:
            return Difference.Kind.COLOUR
        if _colours(old) != _colours(new):
            return Difference.Kind.LATER
        return Difference.Kind.REASON if old != new else Difference.Kind.SAMPLED


def _colours(segments: Sequence[dict[str, Any]]) -> list[tuple[int | None, str]]:
    """Return the colours and when they begin, without the reasons."""
    told: list[tuple[int | None, str]] = []
    for part in segments:
        if not told or told[-1][1] != part["colour"]:
            told.append((part["from"], part["colour"]))
    return told


class Comparison:
    """Compares buckets of results with what was served, as of one moment."""

    def __init__(self, served: Served, moment: datetime) -> None:
        self._served = served
        self._moment = moment
        self._engine = duckdb.connect(
            config={"autoinstall_known_extensions": False, "threads": 1, "memory_limit": "1GB"}
        )

    def close(self) -> None:
        """Give the engine's memory back."""
        self._engine.close()

    def differing(self, computed: Path) -> Iterator[Compared]:
        """Yield the people of a bucket whose two lines say something else from the moment on."""
        for ordinal, seq, told, sampled, state, segments, taken in self._candidates(computed):
            fresh = cut_to(computed_row(ordinal, segments, taken), self._moment)
            held = None
            if told is not None:
                row = Row(
                    ordinal=ordinal, segments=loads(told), sampled_at=_at(sampled), state=state
                )
                held = replace(cut_to(row, self._moment), state=state)
            if held is None or _differ(held, fresh):
                yield Compared(ordinal=ordinal, seq=seq, served=held, computed=fresh)

    def _candidates(self, computed: Path) -> Iterator[tuple[Any, ...]]:
        if not self._served.files:
            return
        query = _QUERY.format(
            computed=files([computed]), served=files(self._served.files), alike=_ALIKE
        )
        found = self._engine.execute(query)
        while rows := found.fetchmany(ROWS_A_TIME):
            yield from rows

    def people(self, computed: Path) -> int:
        """Return how many people of the office a bucket has."""
        if not self._served.files:
            return 0
        row = self._engine.execute(
            f"select count(*) from {files([computed])} r "  # noqa: S608  # paths of ours
            f"join {files(self._served.files)} s on s.subject = r.subject"
        ).fetchone()
        return int(row[0]) if row else 0


def _differ(held: Row, fresh: Row) -> bool:
    return (
        held.segments != fresh.segments
        or held.sampled_at != fresh.sampled_at
        or _told(held) != _told(fresh)
    )


def _told(row: Row) -> Sequence[dict[str, Any]]:
    """Return what doors go by: a state that is not active stands for all times."""
    if row.state == Publication.State.ACTIVE:
        return row.segments
    return [{"from": None, "colour": row.state, "reason": row.segments[0]["reason"]}]


def computed_row(ordinal: int, segments: Sequence[dict[str, Any]], sampled: int | None) -> Row:
    """Return a person's row as the worker would publish it, of what the engine computed."""
    told = to_published(
        Segment(_at(one["from_at"]), Colour(one["colour"]), reason_of(one)) for one in segments
    )
    return Row(ordinal=ordinal, segments=told, sampled_at=_at(sampled), state=state_of(told))


def reason_of(segment: dict[str, Any]) -> str | None:
    """Return the key of a segment's reason, as ``core.rules.pack`` writes it."""
    if segment["rule"] is None:
        return None
    return f"{segment['pack']}/{segment['rule']}/{segment['phase']}"


def _at(micros: int | None) -> datetime | None:
    return None if micros is None else instant(micros)
