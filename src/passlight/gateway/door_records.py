"""Records of gates: sealed batches, straight into the database, acknowledged after the commit.

A record is named by device, boot and number; a repetition changes nothing. What is torn or
unreadable is kept with its fault and counts as received, so that it never blocks a queue. What
does not follow from what the device sent before is a branch, as of a copied disk: it is kept
beside, named in an alarm, and its events reach the office under keys of their own.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from passlight.core.entry.form import load_json
from passlight.core.entry.record import EntryRecord, Who, entry_from_json, entry_to_json
from passlight.core.kernel.base64url import from_base64url
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.hash_chain import link
from passlight.core.kernel.limits import ENTRY_RECORD_BYTES_MAX
from passlight.core.kernel.problem import ProblemError
from passlight.gateway.auth import Principal
from passlight.gateway.database import Database
from passlight.gateway.door_batch import Batch, Outcome, Row
from passlight.gateway.door_store import store
from passlight.gateway.errors import RefusedError, milliseconds
from passlight.gateway.keys import NoKeyError
from passlight.gateway.limits import BoundedMap
from passlight.gateway.published import Published
from passlight.gateway.schemas import DoorRecordIn, DoorRecordsOut, DoorRecordsRequest
from passlight.runtime.sealed import SealedError, Sealer, Use

OLDEST: Final = timedelta(days=30)
NEWEST: Final = timedelta(minutes=5)
NAMED: Final = "named"
PLACES_KEPT: Final = 20_000
_NUMBERS: Final = ("device", "boot", "seq")


@dataclass(frozen=True, slots=True)
class _FaultError(Exception):
    """Why a record cannot be read: a code, for ``entry:`` with the field that is wrong."""

    code: str


class DoorRecords:
    """Takes the records of gates."""

    def __init__(
        self,
        published: Published,
        *,
        clock: Clock,
        database: Database,
        sealer: Sealer,
        name: str,
    ) -> None:
        self._published = published
        self._clock = clock
        self._database = database
        self._sealer = sealer
        self._name = name
        # Where the search for the first gap may begin; a forgotten one costs a longer search.
        self._whole: BoundedMap[tuple[str, int], int] = BoundedMap(PLACES_KEPT)

    async def take(self, principal: Principal, asked: DoorRecordsRequest) -> DoorRecordsOut:
        """Return how far this device's records are durable, after the commit.

        Raises:
            RefusedError: 403 for another device's batch, 503 while nothing can be stored.
        """
        if asked.device != principal.handle:
            raise RefusedError(403, "wrong-device")
        try:
            key = self._published.keys.seal_key()
        except NoKeyError:
            raise RefusedError(503, "no-key", retry_after=5) from None
        now = self._clock.now()
        rows = await asyncio.to_thread(self._read, principal, asked, key, now)
        batch = Batch(
            device=principal.handle,
            thumbprint=principal.device,
            boot=asked.boot,
            gateway=self._name,
            now=now,
            rows=rows,
            whole=self._whole.get((principal.handle, asked.boot)) or 1,
            held_from=asked.held_from,
            report=None if asked.report is None else msgspec.to_builtins(asked.report),
        )
        outcome: Outcome = await self._database.run(lambda connection: store(connection, batch))
        if outcome.highest and not outcome.branch:
            self._whole.put((principal.handle, asked.boot), outcome.highest)
        return DoorRecordsOut(
            boot=asked.boot,
            highest=outcome.highest,
            set_aside=outcome.set_aside,
            branch=outcome.branch,
            call_office=outcome.call_office,
            now_ms=milliseconds(self._clock.now()),
        )

    def _read(
        self,
        principal: Principal,
        asked: DoorRecordsRequest,
        key: PrivateKey,
        now: datetime,
    ) -> list[Row]:
        """Return the rows in order, each read as far as it can be; a number twice is taken once."""
        box = SealedBox(key)
        found: dict[tuple[int, str], Row] = {}
        for sent in asked.records:
            found.setdefault((sent.seq, sent.hash), self._row(principal, asked, sent, box, now))
        return [found[name] for name in sorted(found)]

    def _row(
        self,
        principal: Principal,
        asked: DoorRecordsRequest,
        sent: DoorRecordIn,
        box: SealedBox[PrivateKey],
        now: datetime,
    ) -> Row:
        body = _bytes(sent.sealed)
        place = {"device": asked.device, "boot": asked.boot, "seq": sent.seq}
        hashed, previous = bytes.fromhex(sent.hash), bytes.fromhex(sent.prev)
        try:
            if body is None or link(previous, body) != hashed:
                raise _FaultError("torn")
            entry = _opened(body, box, place)
            record = self._record(principal, entry, place, now)
        except _FaultError as fault:
            record, code = None, fault.code
        else:
            code = ""
        return Row(
            seq=sent.seq,
            hash=hashed,
            prev=previous,
            body=sent.sealed.encode() if body is None else body,
            fault=code,
            record=record,
        )

    def _record(
        self, principal: Principal, entry: EntryRecord, place: dict[str, Any], now: datetime
    ) -> dict[str, Any]:
        """Return the office's record of an entry.

        Raises:
            _FaultError: it is of another door than the device's own.
        """
        claimed = entry.occurred_at
        # A box with a wrong clock must not lose a record: it is kept, and says so.
        in_time = now - OLDEST <= claimed <= now + NEWEST
        if str(entry.venue) not in principal.venues or entry.entrance != principal.entrance:
            # A gate speaks of its own door: else one from any wall could accuse a whole city's.
            raise _FaultError("other-door")
        ordinal = self._ordinal(principal, entry.who, venue=str(entry.venue))
        return {
            "kind": entry.kind.value,
            "actor": principal.handle,
            "venue_id": str(entry.venue),
            "entrance": entry.entrance,
            "ordinal": ordinal,
            "answer": entry.answer.value,
            "reason": entry.reason,
            "occurred_at": (claimed if in_time else now).isoformat(),
            "payload": {
                "entry": kept_entry(entry, named=ordinal is not None),
                "boot": place["boot"],
                "seq": place["seq"],
                **({} if in_time else {"claimed_at": claimed.isoformat()}),
            },
        }

    def _ordinal(self, principal: Principal, who: Who | None, *, venue: str) -> int | None:
        return ordinal_of(self._published, self._sealer, who, checker=principal.handle, venue=venue)


def kept_entry(entry: EntryRecord, *, named: bool) -> dict[str, Any]:
    """Return an entry as the office keeps it: whom it names stands in the record's own column.

    An index or a handle beside the visits key would tie the day's indices to the person, so
    ``who`` only says that the column does, or that nobody could tell.
    """
    form = entry_to_json(entry)
    who = entry.who
    if who is not None and not who.paper:
        form["who"] = {"lookup": NAMED} if named else None
    return form


def ordinal_of(
    published: Published, sealer: Sealer, who: Who | None, *, checker: str, venue: str
) -> int | None:
    """Return the person whom an entry names, however late it comes; None when nobody can tell."""
    if who is None or who.paper:
        return None
    if who.lookup:
        try:
            handle = sealer.open(Use.LOOKUP, who.lookup, checker=checker, now=None)
        except SealedError:
            return None
        # A handle of one venue never says that its person was at another.
        return handle.ordinal if handle.venue == venue else None
    if who.realm != published.keys.realm or who.epoch is None or who.index is None:
        return None
    try:
        permutation = published.keys.permutation(who.epoch)
    except NoKeyError:
        return None
    return permutation.ordinal_of(who.index) if who.index < permutation.size else None


def _opened(body: bytes, box: SealedBox[PrivateKey], place: dict[str, Any]) -> EntryRecord:
    """Return the entry inside, when it was sealed to us and says the place that it has."""
    try:
        content = load_json(box.decrypt(body), bytes_max=ENTRY_RECORD_BYTES_MAX)
    except (CryptoError, ValueError):
        raise _FaultError("unreadable") from None
    if not isinstance(content, dict) or {n: content.get(n) for n in _NUMBERS} != place:
        raise _FaultError("other-place")
    entry = {name: value for name, value in content.items() if name not in _NUMBERS}
    try:
        return entry_from_json(entry)
    except ProblemError as error:
        raise _FaultError(f"entry:{error.problems[0].field or ''}"[:40]) from None


def _bytes(text: str) -> bytes | None:
    try:
        return from_base64url(text)
    except ValueError:
        return None
