"""Draining: from the spool into the office's table, in batches, each entry exactly once.

A batch is one transaction; its entries are marked as drained after its commit. A crash in
between sends the batch again, and the table's unique key lets nothing in twice.
"""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from passlight.journal.entry import Stored
from passlight.journal.spool import Spool

BATCH = 500
BACKOFF_FIRST = 0.2
BACKOFF_LAST = 10.0
IDLE_SECONDS = 1.0

# The person's key in the domain of visits is looked up here, so that no record names an
# ordinal; whoever has no person (a checker, a venue) has none.
INSERT = """
INSERT INTO records_record (key, kind, gateway, spool_seq, device, actor, venue_id, entrance,
  visits_key, answer, reason, body_hash, occurred_at, acknowledged_at, digest, payload)
SELECT r.key, r.kind, %(gateway)s, r.spool_seq, coalesce(r.device, ''), r.actor, r.venue_id,
  coalesce(r.entrance, ''),
  (SELECT p.visits_key FROM people_person p WHERE p.ordinal = r.ordinal),
  coalesce(r.answer, ''), coalesce(r.reason, ''), decode(r.body_hash, 'hex'), r.occurred_at,
  to_timestamp(r.acknowledged_ms / 1000.0), decode(r.digest, 'hex'), r.payload
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (key text, kind text, spool_seq bigint,
  device text, actor text, venue_id uuid, entrance text, ordinal int, answer text,
  reason text, body_hash text, occurred_at timestamptz, acknowledged_ms bigint, digest text,
  payload jsonb)
ON CONFLICT (key) DO NOTHING
"""
FOREIGN = """
SELECT r.key FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (key text, digest text)
JOIN records_record t ON t.key = r.key AND t.digest <> decode(r.digest, 'hex')
"""


@dataclass(slots=True)
class DrainState:
    """How the draining goes; read by the health report."""

    connected: bool = False
    drained: int = 0
    error: str = ""


class Drainer:
    """Empties one spool into one database, in a thread of its own."""

    def __init__(self, spool: Spool, *, url: Callable[[], str], gateway: str) -> None:
        """Take the spool; ``url`` is asked at each connection, for a server may move."""
        self._spool = spool
        self._url = url
        self._gateway = gateway
        self.state = DrainState()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-drain", daemon=True)

    def start(self) -> None:
        """Begin to drain."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch in hand and stop."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        delay = BACKOFF_FIRST
        while not self._stop.is_set():
            try:
                with psycopg.connect(self._url(), connect_timeout=3) as connection:
                    self.state.connected, self.state.error = True, ""
                    delay = BACKOFF_FIRST
                    self._drain_until_stopped(connection)
            except Exception as error:  # noqa: BLE001  # whatever it is, entries stay and we retry
                self.state.connected = False
                self.state.error = type(error).__name__
                self._stop.wait(delay)
                delay = min(BACKOFF_LAST, delay * 2)

    def _drain_until_stopped(self, connection: psycopg.Connection[Any]) -> None:
        while not self._stop.is_set():
            batch = self._spool.pending(BATCH)
            if batch:
                self.drain(connection, batch)
            else:
                self._spool.wait_for_entries(IDLE_SECONDS)

    def drain(self, connection: psycopg.Connection[Any], batch: Sequence[Stored]) -> None:
        """Store ``batch`` and mark it; what the table cannot take is set aside, one by one."""
        try:
            self._store(connection, batch)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if len(batch) == 1:
                self._spool.mark_set_aside(batch[0].seq, type(error).__name__)
                return
            middle = len(batch) // 2
            self.drain(connection, batch[:middle])
            self.drain(connection, batch[middle:])
            return
        self._spool.mark_drained([entry.seq for entry in batch])
        self.state.drained += len(batch)

    def _store(self, connection: psycopg.Connection[Any], batch: Sequence[Stored]) -> None:
        rows = [_row(entry) for entry in batch]
        with connection.transaction():
            given = {"rows": json.dumps(rows), "gateway": self._gateway}
            connection.execute(INSERT, given)
            foreign = {key for (key,) in connection.execute(FOREIGN, given)}
            if foreign:
                # Another gateway took the key for something else. Both were acknowledged, so
                # both are kept; the second under a key that says whose it is.
                aside = [
                    {
                        **row,
                        "key": f"{row['key']}#{self._gateway}-{row['spool_seq']}",
                        "payload": {**row["payload"], "conflicts_with": row["key"]},
                    }
                    for row in rows
                    if row["key"] in foreign
                ]
                connection.execute(INSERT, {**given, "rows": json.dumps(aside)})


def _row(entry: Stored) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(entry.body)
    return {
        **body,
        "key": entry.key,
        "spool_seq": entry.seq,
        "digest": entry.digest.hex(),
        "acknowledged_ms": int(entry.acknowledged_at.timestamp() * 1000),
    }
