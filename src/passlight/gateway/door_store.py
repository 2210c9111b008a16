"""Storing a gate's batch: one transaction, the device's chain checked against what is there.

``highest`` is what the device may forget: every number up to it is stored with the very hash
that this device holds. It is never above what the batch itself shows, for a copy of the device
may have sent more; and where the chain has two branches it is followed by hash, not by number.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import psycopg

Connection = psycopg.Connection[Any]
BRANCH_ROWS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One record of a batch; ``record`` is what the office shall read, None with a fault."""

    seq: int
    hash: bytes
    prev: bytes
    body: bytes
    fault: str
    record: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one device sent of one boot, in the order of its numbers."""

    device: str
    thumbprint: str
    boot: int
    gateway: str
    now: datetime
    rows: Sequence[Row]
    whole: int
    """Up to where this boot was found whole before."""
    report: dict[str, Any] | None


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What the device is told."""

    highest: int = 0
    set_aside: list[int] = field(default_factory=list)
    branch: bool = False
    call_office: bool = False


# The person's key in the domain of visits is looked up here, so that no record names an ordinal.
_RECORDS = """
INSERT INTO records_record (key, kind, gateway, spool_seq, device, actor, venue_id, entrance,
  visits_key, answer, reason, body_hash, occurred_at, acknowledged_at, digest, payload)
SELECT r.key, r.kind, %(gateway)s, r.seq, %(device)s, r.actor, r.venue_id, r.entrance,
  (SELECT p.visits_key FROM people_person p WHERE p.ordinal = r.ordinal),
  r.answer, r.reason, NULL, r.occurred_at, %(now)s, decode(r.digest, 'hex'), r.payload
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (key text, kind text, seq bigint, actor text,
  venue_id uuid, entrance text, ordinal int, answer text, reason text,
  occurred_at timestamptz, digest text, payload jsonb)
ON CONFLICT (key) DO NOTHING
"""
_SENT = """
INSERT INTO {table} (device_id, boot, seq, hash, prev, body, gateway, received_at, fault)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_MAIN, _ASIDE = _SENT.format(table="gates_record"), _SENT.format(table="gates_branch")
_NEAR = """
SELECT seq, hash, prev FROM gates_record
WHERE device_id = %s AND boot = %s AND seq BETWEEN %s AND %s
"""
_NEAR_ASIDE = """
SELECT hash FROM gates_branch WHERE device_id = %s AND boot = %s AND seq BETWEEN %s AND %s
"""
# The first number without a successor, from one on below which nothing is missing.
_CONTIGUOUS = """
SELECT r.seq FROM gates_record r
WHERE r.device_id = %(device)s AND r.boot = %(boot)s AND r.seq >= %(whole)s
  AND EXISTS (SELECT 1 FROM gates_record f
              WHERE f.device_id = %(device)s AND f.boot = %(boot)s AND f.seq = %(whole)s)
  AND NOT EXISTS (SELECT 1 FROM gates_record n
              WHERE n.device_id = %(device)s AND n.boot = %(boot)s AND n.seq = r.seq + 1)
ORDER BY r.seq LIMIT 1
"""
_CHAIN = """
SELECT seq, hash, prev FROM gates_record WHERE device_id = %s AND boot = %s
UNION SELECT seq, hash, prev FROM gates_branch WHERE device_id = %s AND boot = %s
LIMIT %s
"""
_REPORT = """
INSERT INTO gates_report (device_id, at, waiting, feed_as_of, software, clock_sure)
VALUES (%s, %s, %s, to_timestamp(%s), %s, %s)
ON CONFLICT (device_id) DO UPDATE SET at = excluded.at, waiting = excluded.waiting,
  feed_as_of = excluded.feed_as_of, software = excluded.software,
  clock_sure = excluded.clock_sure
"""


def store(connection: Connection, batch: Batch) -> Outcome:
    """Store a batch and return what is durable once the transaction commits."""
    outcome = Outcome()
    # One batch of a device after the other: both would see the same end of the chain.
    connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"gate:{batch.device}",)
    )
    state = connection.execute(
        "SELECT state FROM gates_device WHERE id = %s", (batch.device,)
    ).fetchone()
    outcome.call_office = state is None or state[0] != "active"
    if state is None:
        return outcome
    if batch.report is not None:
        _store_report(connection, batch, batch.report)
    if batch.rows:
        main, aside = _sort(connection, batch)
        _store_rows(connection, batch, main, aside)
        outcome.set_aside = sorted({row.seq for row in batch.rows if row.fault})
        outcome.branch = bool(aside)
        outcome.highest = _highest(connection, batch, branched=bool(aside))
    return outcome


def _sort(connection: Connection, batch: Batch) -> tuple[list[Row], list[Row]]:
    """Return the batch's new rows: those that follow the chain, and those that do not."""
    first, last = batch.rows[0].seq - 1, batch.rows[-1].seq + 1
    known = {
        seq: (bytes(hashed), bytes(prev))
        for seq, hashed, prev in connection.execute(_NEAR, (batch.device, batch.boot, first, last))
    }
    branched = {
        bytes(hashed)
        for (hashed,) in connection.execute(_NEAR_ASIDE, (batch.device, batch.boot, first, last))
    }
    main, aside = [], []
    for row in batch.rows:
        present = known.get(row.seq)
        if present is not None and present[0] == row.hash:
            continue
        # What follows a branch is of the branch, also where the chain has not come so far.
        if present is None and row.prev not in branched and _joins(row, known):
            main.append(row)
            known[row.seq] = (row.hash, row.prev)
        else:
            aside.append(row)
            branched.add(row.hash)
    return main, aside


def _joins(row: Row, known: dict[int, tuple[bytes, bytes]]) -> bool:
    """Return whether a record fits between its neighbours, as far as they are there."""
    before, after = known.get(row.seq - 1), known.get(row.seq + 1)
    follows = before is None or before[0] == row.prev
    return follows and (after is None or after[1] == row.hash)


def _store_rows(
    connection: Connection, batch: Batch, main: Sequence[Row], aside: Sequence[Row]
) -> None:
    with connection.cursor() as cursor:
        if main:
            cursor.executemany(_MAIN, [_sent(batch, row) for row in main])
        fresh_aside = [row for row in aside if cursor.execute(_ASIDE, _sent(batch, row)).rowcount]
    records = [_record(batch, row, branch=False) for row in main if row.record is not None]
    records += [_record(batch, row, branch=True) for row in aside if row.record is not None]
    if records:
        given = {
            "rows": json.dumps(records),
            "gateway": batch.gateway,
            "device": batch.thumbprint,
            "now": batch.now,
        }
        connection.execute(_RECORDS, given)
    _alarm(connection, batch, "fork", fresh_aside)
    _alarm(connection, batch, "set-aside", [row for row in main if row.fault])


def _sent(batch: Batch, row: Row) -> tuple[Any, ...]:
    return (
        *(batch.device, batch.boot, row.seq, row.hash, row.prev, row.body),
        *(batch.gateway, batch.now, row.fault),
    )


def _record(batch: Batch, row: Row, *, branch: bool) -> dict[str, Any]:
    """Return a record for the office; one of a branch has a key of its own and says so."""
    assert row.record is not None
    key = f"gate:{batch.device}:{batch.boot}:{row.seq}"
    payload = row.record["payload"]
    if branch:
        key, payload = f"{key}:{row.hash.hex()[:16]}", {**payload, "branch": True}
    return {
        **row.record,
        "key": key,
        "seq": row.seq,
        "digest": hashlib.sha256(row.body).hexdigest(),
        "payload": payload,
    }


def _alarm(connection: Connection, batch: Batch, kind: str, rows: Sequence[Row]) -> None:
    """Raise one alarm for what is new in this batch; a repetition raises none."""
    if rows:
        details = {
            "boot": batch.boot,
            "from": rows[0].seq,
            "to": rows[-1].seq,
            "faults": sorted({row.fault for row in rows if row.fault}),
        }
        connection.execute(
            "INSERT INTO gates_alarm (device_id, kind, details, at) VALUES (%s, %s, %s, %s)",
            (batch.device, kind, json.dumps(details), batch.now),
        )


def _highest(connection: Connection, batch: Batch, *, branched: bool) -> int:
    if branched:
        return _highest_by_hash(connection, batch)
    for whole in (batch.whole, 1):  # a database that was restored may lack what it had
        given = {"device": batch.device, "boot": batch.boot, "whole": whole}
        found = connection.execute(_CONTIGUOUS, given).fetchone()
        if found is not None:
            return min(int(found[0]), batch.rows[-1].seq)
    return 0


def _highest_by_hash(connection: Connection, batch: Batch) -> int:
    """Return up to which number the chain of this batch's own last records is stored whole."""
    place = (batch.device, batch.boot)
    known = {
        bytes(hashed): (seq, bytes(prev))
        for seq, hashed, prev in connection.execute(_CHAIN, (*place, *place, BRANCH_ROWS_MAX))
    }
    for row in reversed(batch.rows):
        at, wanted = row.hash, row.seq
        while at in known and known[at][0] == wanted and wanted > 1:
            at, wanted = known[at][1], wanted - 1
        if at in known and known[at][0] == 1:
            return row.seq
    return 0


def _store_report(connection: Connection, batch: Batch, report: dict[str, Any]) -> None:
    connection.execute(
        _REPORT,
        (
            *(batch.device, batch.now, report["waiting"], report["feed_as_of"]),
            *(report["software"], report["clock_sure"]),
        ),
    )
