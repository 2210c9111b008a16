"""Rows of the log as the core's facts, and back."""

from passlight.core.facts.fact import Fact, Op
from passlight.office.facts.models import FactVersion

COLUMNS = (
    *("seq", "fact_id", "ver", "op", "kind", "subject", "occurred_at", "occurred_until"),
    *("recorded_at", "source", "batch_id", "payload"),
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
