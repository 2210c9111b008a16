"""Rows of the log as the core's facts, and back."""

import json
from collections.abc import Sequence
from typing import Any

from passlight.core.facts.fact import Fact, Op
from passlight.office.facts.models import FactVersion

COLUMNS = (
    *("seq", "fact_id", "ver", "op", "kind", "subject", "occurred_at", "occurred_until"),
    *("recorded_at", "source", "batch_id", "payload"),
)

# What the core reads of a version, in the order in which ``read_row`` takes it.
FACT_COLUMNS = tuple(name for name in COLUMNS if name != "batch_id")


def read_row(row: Sequence[Any]) -> Fact:
    """Return the core's view of a row of ``FACT_COLUMNS``."""
    seq, fact_id, ver, op, kind, subject, occurred_at, occurred_until, *others = row
    recorded_at, source, told = others
    return Fact(
        fact_id=fact_id,
        ver=ver,
        op=Op(op),
        kind=kind,
        subject=subject,
        occurred_at=occurred_at,
        occurred_until=occurred_until,
        recorded_at=recorded_at,
        source=source,
        payload=json.loads(told) if isinstance(told, str) else told,
        seq=seq,
    )


def to_fact(row: FactVersion) -> Fact:
    """Return the core's view of a stored version."""
    return Fact(
        fact_id=row.fact_id,
        ver=row.ver,
        op=Op(row.op),
        kind=row.kind,
        subject=row.subject,
        occurred_at=row.occurred_at,
        occurred_until=row.occurred_until,
        recorded_at=row.recorded_at,
        source=row.source,
        payload=row.payload,
        seq=row.seq,
    )
