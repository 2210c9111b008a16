"""Time as the tests of this folder set it, and short ways to write facts."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from passlight.core.facts.fact import Op
from passlight.office.facts.intake import NewFact

SHANGHAI = timezone(timedelta(hours=8))


def at(text: str) -> datetime:
    """``at("2026-03-01 10:00")`` in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


#: T of the acceptance cases (field/08 1.10), moved to 2026: scenes with codes are dated 2026.
T = at("2026-03-01 10:00")


class HandClock:
    """A clock that stands until it is moved."""

    def __init__(self, start: datetime = T) -> None:
        self.moment = start

    def now(self) -> datetime:
        return self.moment.astimezone(UTC)

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def move(self, **length: float) -> None:
        self.moment += timedelta(**length)

    def set(self, moment: datetime) -> None:
        self.moment = moment


def fact(
    fact_id: str,
    kind: str,
    subject: str,
    occurred_at: datetime,
    /,
    *,
    ver: int | None = None,
    op: Op = Op.ASSERT,
    source: str = "cdc",
    until: datetime | None = None,
    **payload: Any,
) -> NewFact:
    return NewFact(
        fact_id=fact_id,
        kind=kind,
        subject=subject,
        occurred_at=occurred_at,
        occurred_until=until,
        source=source,
        payload=payload,
        ver=ver,
        op=op,
    )
