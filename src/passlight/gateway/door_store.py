"""Storing a gate's batch: one transaction, the device's chain checked against what is there."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from passlight.gateway.door_batch import Batch, Gap, Outcome, Row
from passlight.gateway.door_chain import Connection, gap_before, reach

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
_GAP = """
INSERT INTO gates_alarm (device_id, kind, details, at)
SELECT %(device)s, 'gap', %(details)s::jsonb, %(now)s
WHERE NOT EXISTS (SELECT 1 FROM gates_alarm
  WHERE device_id = %(device)s AND kind = 'gap' AND (details->>'boot')::bigint = %(boot)s
    AND (details->>'from')::bigint <= %(first)s AND (details->>'to')::bigint >= %(last)s)
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
        outcome.highest, gone = reach(connection, batch, fresh=main, branched=bool(aside))
        for gap in (gap_before(connection, batch, batch.rows[0]), gone):
            if gap is not None:
                _alarm_gap(connection, batch, gap)
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


def _alarm_gap(connection: Connection, batch: Batch, gap: Gap) -> None:
    """Raise one alarm for records that are gone for good; what one names already raises none."""
    details = {"boot": batch.boot, "from": gap.first, "to": gap.last, "faults": []}
    connection.execute(
        _GAP,
        {
            "device": batch.device,
            "details": json.dumps(details),
            "now": batch.now,
            "boot": batch.boot,
            "first": gap.first,
            "last": gap.last,
        },
    )


def _store_report(connection: Connection, batch: Batch, report: dict[str, Any]) -> None:
    connection.execute(
        _REPORT,
        (
            *(batch.device, batch.now, report["waiting"], report["feed_as_of"]),
            *(report["software"], report["clock_sure"]),
        ),
    )
