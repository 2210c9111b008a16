"""Records of checkers: what was done at a door, sent until acknowledged, kept exactly once."""

import asyncio
from datetime import datetime, timedelta

from passlight.core.kernel.clock import Clock
from passlight.gateway.answers import message
from passlight.gateway.auth import Principal
from passlight.gateway.errors import RefusedError, milliseconds
from passlight.gateway.published import Published
from passlight.gateway.schemas import RecordIn, RecordsOut, RecordsRequest, RefusedRecord
from passlight.journal.entry import ConflictError, Entry, JournalError
from passlight.journal.spool import Spool
from passlight.runtime.sealed import SealedError, Sealer, Use

OLDEST = timedelta(days=30)
NEWEST = timedelta(minutes=5)


class Records:
    """Takes records."""

    def __init__(self, published: Published, *, clock: Clock, spool: Spool, sealer: Sealer) -> None:
        self._published = published
        self._clock = clock
        self._spool = spool
        self._sealer = sealer

    async def take(self, principal: Principal, asked: RecordsRequest) -> tuple[int, RecordsOut]:
        """Return 200 and what is durable now; 409 when every record is a conflict.

        Raises:
            RefusedError: 503 when the journal took nothing.
        """
        outcomes = await asyncio.gather(*(self._one(principal, r) for r in asked.records))
        refused = [
            RefusedRecord(key=r.key, error=code, message=message(f"gateway.error-{code}"))
            for r, code in zip(asked.records, outcomes, strict=True)
            if code not in {"", "journal-full"}
        ]
        pairs = zip(asked.records, outcomes, strict=True)
        acknowledged = [record.key for record, code in pairs if not code]
        if not acknowledged and "journal-full" in outcomes:
            raise RefusedError(503, "journal-full", retry_after=5)
        out = RecordsOut(
            acknowledged=acknowledged,
            conflicts=[one.key for one in refused],
            refused=refused,
            now_ms=milliseconds(self._clock.now()),
        )
        return (200 if acknowledged else 409), out

    async def _one(self, principal: Principal, record: RecordIn) -> str:
        """Return the code of an error, empty when the record is durable."""
        claimed = _instant(record.occurred_at)
        if claimed is None:
            return "record-time"
        if record.venue not in self._published.venues:
            return "unknown-venue"
        try:
            await self._spool.append(self._entry(principal, record, claimed))
        except ConflictError:
            return "key-conflict"
        except JournalError:
            return "journal-full"
        return ""

    def _entry(self, principal: Principal, record: RecordIn, claimed: datetime) -> Entry:
        now = self._clock.now()
        # A phone with a wrong clock, or one that was off duty by the time its queue was sent,
        # must not lose a record: it is kept, and says so.
        in_time = now - OLDEST <= claimed <= now + NEWEST
        payload = {
            "verification": record.verification,
            "note": record.note,
            **({} if in_time else {"claimed_at": record.occurred_at}),
            **({} if record.venue in principal.venues else {"off_duty": True}),
        }
        return Entry(
            key=record.key,
            kind=record.kind,
            actor=principal.handle,
            occurred_at=claimed if in_time else now,
            claim={
                "venue": record.venue,
                "entrance": record.entrance,
                "occurred_at": record.occurred_at,
                "answer": record.answer,
                "reason": record.reason,
                "verification": record.verification,
                "note": record.note,
            },
            fields={
                "device": principal.device,
                "venue_id": record.venue,
                "entrance": record.entrance,
                "ordinal": self._ordinal(principal, record),
                "answer": record.answer,
                "reason": record.reason,
            },
            payload=payload,
        )

    def _ordinal(self, principal: Principal, record: RecordIn) -> int | None:
        """Return whom the sealed handle names, however old; None when it is not ours."""
        if record.lookup is None:
            return None
        try:
            handle = self._sealer.open(
                Use.LOOKUP, record.lookup, checker=principal.handle, now=None
            )
        except SealedError:
            return None
        # A handle of one venue never says that its person was at another.
        return handle.ordinal if handle.venue == record.venue else None


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
