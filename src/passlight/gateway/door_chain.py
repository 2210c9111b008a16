"""How far a device's chain is stored whole, and what of it is gone for good.

``highest`` is what the device may forget: every number up to it is stored with the very hash
that this device holds. It is never above what the batch itself shows, for a copy of the device
may have sent more; and where the chain has two branches it is followed by hash, not by number.

A database that was restored from an older backup lacks what the device deleted since. Nobody can
send that again, so it must not hold up what comes after: the device says from where on it has
everything, the chain counts from there, and the missing numbers are named for an alarm. A device
that lies about it hides nothing: the alarm names what it keeps back, and takes it when it comes.
"""

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from passlight.core.kernel.hash_chain import GENESIS
from passlight.gateway.door_batch import Batch, Gap, Row

Connection = psycopg.Connection[Any]
BRANCH_ROWS_MAX: Final = 100_000

# The first number without a successor, from one on below which nothing is missing.
_CONTIGUOUS = """
SELECT r.seq FROM gates_record r
WHERE r.device_id = %(device)s AND r.boot = %(boot)s AND r.seq >= %(start)s
  AND EXISTS (SELECT 1 FROM gates_record f
              WHERE f.device_id = %(device)s AND f.boot = %(boot)s AND f.seq = %(start)s)
  AND NOT EXISTS (SELECT 1 FROM gates_record n
              WHERE n.device_id = %(device)s AND n.boot = %(boot)s AND n.seq = r.seq + 1)
ORDER BY r.seq LIMIT 1
"""
# The number without a predecessor at or below one that is there.
_ISLAND = """
SELECT r.seq FROM gates_record r
WHERE r.device_id = %(device)s AND r.boot = %(boot)s AND r.seq <= %(start)s
  AND NOT EXISTS (SELECT 1 FROM gates_record p
              WHERE p.device_id = %(device)s AND p.boot = %(boot)s AND p.seq = r.seq - 1)
ORDER BY r.seq DESC LIMIT 1
"""
_CHAIN = """
SELECT seq, hash, prev FROM gates_record WHERE device_id = %s AND boot = %s
UNION SELECT seq, hash, prev FROM gates_branch WHERE device_id = %s AND boot = %s
LIMIT %s
"""
_LAST_BEFORE = """
SELECT hash FROM gates_record WHERE device_id = %s AND boot < %s
ORDER BY boot DESC, seq DESC LIMIT 1
"""
_KNOWN = """
SELECT EXISTS (SELECT 1 FROM gates_record WHERE device_id = %(device)s AND hash = %(hash)s)
    OR EXISTS (SELECT 1 FROM gates_branch WHERE device_id = %(device)s AND hash = %(hash)s)
"""


def reach(
    connection: Connection, batch: Batch, *, fresh: Sequence[Row], branched: bool
) -> tuple[int, Gap | None]:
    """Return up to which number of the batch all is stored, and what is gone for good below.

    ``fresh`` are its rows that were not there before.
    """
    if branched:
        return _by_hash(connection, batch)
    # What is new below where this boot was whole: the database was put back since.
    is_back = bool(fresh) and fresh[0].seq <= batch.whole
    return _by_number(connection, batch, whole_to=1 if is_back else batch.whole)


def gap_before(connection: Connection, batch: Batch, row: Row) -> Gap | None:
    """Return that the boot's first record follows one of an earlier boot that is nowhere."""
    if row.seq != 1 or row.prev == GENESIS:
        return None
    last = connection.execute(_LAST_BEFORE, (batch.device, batch.boot)).fetchone()
    if last is not None and bytes(last[0]) == row.prev:
        return None
    known = connection.execute(_KNOWN, {"device": batch.device, "hash": row.prev}).fetchone()
    return None if known is not None and known[0] else Gap(first=0, last=0)


def _by_number(connection: Connection, batch: Batch, *, whole_to: int) -> tuple[int, Gap | None]:
    last, held = batch.rows[-1].seq, _held_from(batch)
    # A database that was restored may lack what it had.
    whole = _contiguous(connection, batch, whole_to) or _contiguous(connection, batch, 1)
    if held is None or whole >= held - 1:
        return min(whole, last), None
    after = _contiguous(connection, batch, held)
    if not after:  # not even that is here: the device has it and sends it again
        return min(whole, last), None
    given = {"device": batch.device, "boot": batch.boot, "start": held}
    island = connection.execute(_ISLAND, given).fetchone()
    assert island is not None  # the one that was just found, at least
    return min(after, last), Gap(first=whole + 1, last=int(island[0]) - 1)


def _contiguous(connection: Connection, batch: Batch, start: int) -> int:
    given = {"device": batch.device, "boot": batch.boot, "start": start}
    found = connection.execute(_CONTIGUOUS, given).fetchone()
    return int(found[0]) if found is not None else 0


def _by_hash(connection: Connection, batch: Batch) -> tuple[int, Gap | None]:
    """Return up to which number the chain of this batch's own last records is stored whole."""
    place = (batch.device, batch.boot)
    known = {
        bytes(hashed): (seq, bytes(prev))
        for seq, hashed, prev in connection.execute(_CHAIN, (*place, *place, BRANCH_ROWS_MAX))
    }
    held = _held_from(batch) or 1
    for row in reversed(batch.rows):
        at, wanted = row.hash, row.seq
        while at in known and known[at][0] == wanted and wanted > 1:
            at, wanted = known[at][1], wanted - 1
        if at in known and known[at][0] == 1:
            return row.seq, None
        if wanted < held:  # it is nowhere, and from where on its branch is gone nobody can tell
            return row.seq, Gap(first=1, last=wanted)
    return 0, None


def _held_from(batch: Batch) -> int | None:
    """Return from where on the device has everything; never above what it just sent."""
    if batch.held_from is None:
        return None
    return min(batch.held_from, batch.rows[0].seq)
