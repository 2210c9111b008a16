"""Records of checkers: what was done at a door, sent until acknowledged, kept exactly once."""

import asyncio
from datetime import datetime, timedelta

from passlight.core.entry.record import EntryRecord, Who, entry_from_json
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.gateway.answers import message
from passlight.gateway.auth import Principal
from passlight.gateway.door_records import kept_entry, ordinal_of
from passlight.gateway.errors import RefusedError, milliseconds
from passlight.gateway.published import Published
from passlight.gateway.schemas import RecordIn, RecordsOut, RecordsRequest, RefusedRecord
from passlight.journal.entry import ConflictError, Entry, JournalError
from passlight.journal.spool import Spool
from passlight.runtime.sealed import Sealer

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
            entry = None if record.entry is None else _entry_of(record)
        except ProblemError:
            return "bad-entry"
        try:
            await self._spool.append(self._entry(principal, record, claimed, entry))
        except ConflictError:
            return "key-conflict"
        except JournalError:
            return "journal-full"
        return ""

    def _entry(
        self, principal: Principal, record: RecordIn, claimed: datetime, entry: EntryRecord | None
    ) -> Entry:
        now = self._clock.now()
        # A phone with a wrong clock, or one that was off duty by the time its queue was sent,
        # must not lose a record: it is kept, and says so.
        in_time = now - OLDEST <= claimed <= now + NEWEST
        ordinal = self._ordinal(principal, record, entry)
        payload = {
            **({} if entry is None else {"entry": kept_entry(entry, named=ordinal is not None)}),
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
                **({} if record.entry is None else {"entry": record.entry}),
            },
            fields={
                "device": principal.device,
                "venue_id": record.venue,
                "entrance": record.entrance,
                "ordinal": ordinal,
                "answer": record.answer,
                "reason": record.reason,
            },
            payload=payload,
        )

    def _ordinal(
        self, principal: Principal, record: RecordIn, entry: EntryRecord | None
    ) -> int | None:
        """Return whom the record names, however old it is; None when nobody can tell."""
        who = Who(lookup=record.lookup) if record.lookup is not None else None
        if who is None and entry is not None:
            who = entry.who
        return ordinal_of(
            self._published, self._sealer, who, checker=principal.handle, venue=record.venue
        )


def _entry_of(record: RecordIn) -> EntryRecord:
    """Return what was asked, measured and registered, checked against the record around it.

    Raises:
        ProblemError: it is malformed, or of another act or door.
    """
    entry = entry_from_json(record.entry)
    said = (record.kind, record.venue, record.entrance)
    if (entry.kind.value, str(entry.venue), entry.entrance) != said:
        raise ProblemError(
            Problem(
                code="gateway.error-bad-entry",
                message="The entry is of another act or door than its record.",
                remedy="Send each entry with the record that it belongs to.",
                field="entry",
            )
        )
    return entry


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
