"""Durable check-ins through the spool beside the bare group-commit loop on the same disk.

Both commit groups of the same size with ``synchronous=FULL``; the bare loop is what SQLite
alone can do (one thread, one INSERT of the same bytes), the spool adds keys, digests, the
queue and an acknowledgement to each sender.
"""

import asyncio
import sqlite3
import statistics
import tempfile
import time
import uuid
from pathlib import Path

from bench.row import Row
from passlight.journal.entry import Entry
from passlight.journal.spool import GROUP, Spool
from passlight.runtime.clock import SystemClock

ROUNDS = 5
SENDERS = 512


def run(seconds: float) -> list[Row]:
    """Return the figures; ``seconds`` is how long each is taken."""
    bare, spooled, groups = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            rate, size = asyncio.run(_spool(Path(folder) / str(number), seconds / ROUNDS))
            spooled.append(rate)
            groups.append(size)
            bare.append(_bare(Path(folder) / f"bare-{number}", seconds / ROUNDS, size))
    group = round(statistics.median(groups))
    best, ours = statistics.median(bare), statistics.median(spooled)
    return [
        Row(name=f"bare group commit, {group} rows a commit (SQLite FULL)", value=best, unit="/s"),
        Row(
            name=f"durable check-ins, {SENDERS} senders at once",
            value=ours,
            unit="/s",
            compared_with="bare group commit",
            ratio=ours / best,
        ),
    ]


async def _spool(folder: Path, seconds: float) -> tuple[float, float]:
    """Return acknowledged entries a second, and entries a commit."""
    clock = SystemClock()
    spool = Spool(folder, clock=clock)
    commits = 0
    until = time.monotonic() + seconds
    done = 0

    async def sender() -> None:
        nonlocal done
        while time.monotonic() < until:
            await spool.append(_entry(clock))
            done += 1

    original = spool._commit  # noqa: SLF001  # counted, not changed

    def counted(batch):
        nonlocal commits
        commits += 1
        original(batch)

    spool._commit = counted  # type: ignore[method-assign]  # noqa: SLF001
    began = time.monotonic()
    await asyncio.gather(*(sender() for _ in range(SENDERS)))
    took = time.monotonic() - began
    spool.close()
    return done / took, min(GROUP, done / max(1, commits))


def _entry(clock: SystemClock) -> Entry:
    key = str(uuid.uuid4())
    return Entry(
        key=key,
        kind="checkin",
        actor="r" * 43,
        occurred_at=clock.now(),
        claim={"venue_token": "t" * 142},
        fields={"device": "d" * 43, "venue_id": key, "entrance": "east", "ordinal": 7},
        payload={"presence": "weak", "zone": "", "made_on": "2026-11-23"},
    )


def _bare(path: Path, seconds: float, size: float) -> float:
    """Return rows a second of a loop that only inserts and commits."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE entry (seq INTEGER PRIMARY KEY, key TEXT UNIQUE, body BLOB)")
    body, rows = b"x" * 420, max(1, round(size))
    began, done = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        connection.execute("BEGIN IMMEDIATE")
        batch = [(str(uuid.uuid4()), body) for _ in range(rows)]
        connection.executemany("INSERT INTO entry (key, body) VALUES (?, ?)", batch)
        connection.execute("COMMIT")
        done += rows
    took = time.monotonic() - began
    connection.close()
    return done / took
