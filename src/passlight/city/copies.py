"""Versions that were delivered more than once: which delivery stands (E12, E14, E50).

Of two deliveries under one number the first recorded stands; of two recorded at once, with
different contents, the one that reads smaller, so that no order of arrival can matter.
"""
# ruff: noqa: S608 - every part of the SQL is ours; paths and texts go through quoted()

import json
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import duckdb

from passlight.city.columns import instant
from passlight.core.facts.kinds import KINDS

_NAMES = (*KINDS, "")
_CONTENT = "asserted, kind, subject, occurred_at, occurred_until, source, payload"


@dataclass(slots=True)
class Copies:
    """Deliveries that say something else than the first one under the same number."""

    contradictions: list[tuple[int, str, int]] = field(default_factory=list)
    """Place of delivery, fact_id, ver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    place: int
    fact_id: str
    ver: int
    recorded_at: int
    content: tuple[Any, ...]
    reading: tuple[str, ...]


def settle_copies(connection: duckdb.DuckDBPyConnection, copies: Copies) -> None:
    """Fill the table ``set_aside`` with the places, of ``delivered``, that do not stand."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE set_aside AS SELECT place FROM (SELECT place, row_number() "
        "OVER (PARTITION BY fact_id, ver ORDER BY recorded_at, place) AS turn "
        "FROM delivered WHERE copies > 1) WHERE turn > 1"
    )
    rows = connection.execute(
        "SELECT place, fact_id, ver, recorded_at, asserted, kind, subject, occurred_at, "
        "occurred_until, source, payload FROM delivered "
        "WHERE copies > 1 AND (fact_id, ver) IN (SELECT (fact_id, ver) FROM delivered "
        "WHERE copies > 1 GROUP BY fact_id, ver "
        f"HAVING count(DISTINCT ({_CONTENT})) > 1) ORDER BY fact_id, ver, place"
    ).fetchall()
    stands: list[int] = []
    aside: list[int] = []
    for _, group in groupby(map(_delivery, rows), key=lambda one: (one.fact_id, one.ver)):
        deliveries = list(group)
        first = deliveries[0]
        copies.contradictions.extend(
            (one.place, one.fact_id, one.ver)
            for one in deliveries[1:]
            if one.content != first.content
        )
        kept = min(deliveries, key=lambda one: (one.recorded_at, one.reading))
        stands.append(kept.place)
        aside.extend(one.place for one in deliveries if one is not kept)
    if aside:
        connection.execute("DELETE FROM set_aside WHERE place IN (SELECT unnest(?))", [stands])
        connection.execute("INSERT INTO set_aside SELECT unnest(?)", [aside])


def _delivery(row: tuple[Any, ...]) -> _Delivery:
    place, fact_id, ver, recorded_at, asserted, rank, subject, since, until, source, text = row
    kind = _NAMES[rank]
    payload = json.loads(text)
    op = "assert" if asserted else "retract"
    ended = None if until is None else instant(until)
    items = sorted(payload.items(), key=lambda item: item[0])
    occurred = instant(since).isoformat()
    return _Delivery(
        place=place,
        fact_id=fact_id,
        ver=ver,
        recorded_at=recorded_at,
        content=(op, kind, subject, since, until, source, payload),
        reading=(op, kind, subject, occurred, str(ended), source, repr(items)),
    )
