"""The spool: a durable local queue of entries in one SQLite file, with group commit.

One writer thread takes whatever waits, up to ``GROUP`` entries, and commits it in one
transaction (WAL, ``synchronous=FULL``: the commit returns after fsync). A sender is
answered after the commit that holds its entry, so many senders share one fsync and none
is told "done" too early. Drained entries lose their body but keep key and digest for a
while, so that a late repetition is recognised.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from passlight.core.kernel.clock import Clock
from passlight.journal.entry import (
    BusyError,
    ConflictError,
    Entry,
    FullError,
    JournalError,
    Receipt,
    Stored,
)

GROUP = 512
WAITING = 20_000
PAGE = 4096
PRUNE = 5000
RESERVE_PAGES = 8192
_MILLISECOND = timedelta(milliseconds=1)
SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  digest BLOB NOT NULL,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  note TEXT NOT NULL,
  body BLOB NOT NULL,
  acknowledged_ms INTEGER NOT NULL,
  drained_ms INTEGER,
  set_aside TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS entry_waiting ON entry (seq) WHERE drained_ms IS NULL;
CREATE INDEX IF NOT EXISTS entry_drained ON entry (drained_ms) WHERE drained_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS entry_noted ON entry (acknowledged_ms) WHERE note <> '';
"""


class SpoolLockedError(RuntimeError):
    """Another process owns the folder: a spool has one writer."""


_Answer = Receipt | JournalError
_Request = tuple[Entry, Callable[[_Answer], None]]
_Task = Callable[[], None]


class Spool:
    """One gateway's spool, below ``folder``; open until ``close``."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock,
        limit_bytes: int = 2 << 30,
        keep: timedelta = timedelta(days=7),
    ) -> None:
        """Open the spool, creating it when there is none.

        Raises:
            SpoolLockedError: when another process has it open.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.clock = clock
        self.keep = keep
        self._path = folder / "spool.sqlite3"
        self._lock = _lock(folder / "lock")
        self._limit_pages = limit_bytes // PAGE
        self._requests: queue.Queue[_Request | _Task | None] = queue.Queue(maxsize=WAITING)
        self._connection = self._connect()
        self.waiting = self._count("drained_ms IS NULL AND set_aside IS NULL")
        self.set_aside = self._count("set_aside IS NOT NULL")
        self._appended = threading.Event()
        self._writer = threading.Thread(target=self._write, name="journal-writer", daemon=True)
        self._writer.start()

    async def append(self, entry: Entry) -> Receipt:
        """Return the receipt once the entry is on disk.

        Raises:
            ConflictError: when the key was used for something else.
            FullError: when the spool or the disk is full.
            BusyError: when too many entries wait to be written.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt] = loop.create_future()

        def settle(answer: _Answer) -> None:
            with contextlib.suppress(RuntimeError):  # the loop closed while we wrote
                loop.call_soon_threadsafe(_settle, future, answer)

        self._put((entry, settle))
        return await future

    def append_now(self, entry: Entry) -> Receipt:
        """Do what ``append`` does, for a caller without an event loop."""
        done = threading.Event()
        answers: list[_Answer] = []

        def settle(answer: _Answer) -> None:
            answers.append(answer)
            done.set()

        self._put((entry, settle))
        done.wait()
        if isinstance(answers[0], JournalError):
            raise answers[0]
        return answers[0]

    def pending(self, limit: int, *, after: int = 0) -> list[Stored]:
        """Return the oldest entries that wait to be drained; for one reader thread."""
        with contextlib.closing(sqlite3.connect(self._path)) as reader:
            rows = reader.execute(
                "SELECT seq, key, digest, body, acknowledged_ms FROM entry"
                " WHERE drained_ms IS NULL AND set_aside IS NULL AND seq > ?"
                " ORDER BY seq LIMIT ?",
                (after, limit),
            ).fetchall()
        return [
            Stored(seq=seq, key=key, digest=digest, body=body, acknowledged_at=_instant(ms))
            for seq, key, digest, body, ms in rows
        ]

    def noted(self, kind: str, *, since: datetime) -> Iterator[tuple[str, str, datetime]]:
        """Return actor, note and time of the noted entries of ``kind``, oldest first."""
        with contextlib.closing(sqlite3.connect(self._path)) as reader:
            rows = reader.execute(
                "SELECT actor, note, acknowledged_ms FROM entry"
                " WHERE note <> '' AND kind = ? AND acknowledged_ms >= ? ORDER BY seq",
                (kind, _milliseconds(since)),
            )
            for actor, note, ms in rows:
                yield actor, note, _instant(ms)

    def mark_drained(self, seqs: Sequence[int]) -> None:
        """Record that these entries are safe elsewhere; returns after it is on disk."""
        now = _milliseconds(self.clock.now())

        def mark() -> None:
            self._connection.executemany(
                "UPDATE entry SET drained_ms = ?, body = x'' WHERE seq = ?",
                [(now, seq) for seq in seqs],
            )
            # Past its window a repetition is still recognised by the office's own unique key.
            self._connection.execute(
                "DELETE FROM entry WHERE seq IN (SELECT seq FROM entry"
                " WHERE drained_ms <= ? ORDER BY drained_ms LIMIT ?)",
                (now if self._crowded() else now - self.keep // _MILLISECOND, PRUNE),
            )

        self._run(mark, waiting=-len(seqs))

    def mark_set_aside(self, seq: int, why: str) -> None:
        """Keep an entry that the office cannot take, out of the way of the others."""

        def mark() -> None:
            self._connection.execute("UPDATE entry SET set_aside = ? WHERE seq = ?", (why, seq))

        self._run(mark, waiting=-1, set_aside=1)

    def wait_for_entries(self, seconds: float) -> None:
        """Return as soon as something was appended, or after ``seconds``."""
        self._appended.wait(seconds)
        self._appended.clear()

    def close(self) -> None:
        """Write what waits, stop the writer and give the folder back."""
        self._requests.put(None)
        self._writer.join()
        self._connection.close()
        self._lock.close()

    def _put(self, request: _Request) -> None:
        try:
            self._requests.put_nowait(request)
        except queue.Full:
            raise BusyError from None

    def _crowded(self) -> bool:
        return self._used_pages() > self._limit_pages // 2

    def _used_pages(self) -> int:
        pages, free = (
            int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count")
        )
        return pages - free

    def _run(self, task: _Task, *, waiting: int, set_aside: int = 0) -> None:
        """Do ``task`` in a transaction of the writer's; the counters change with it."""
        done = threading.Event()
        errors: list[sqlite3.Error] = []

        def wrapped() -> None:
            try:
                self._recover()
                self._connection.execute("BEGIN IMMEDIATE")
                task()
                self._connection.execute("COMMIT")
                self.waiting += waiting
                self.set_aside += set_aside
            except sqlite3.Error as error:
                errors.append(error)
            finally:
                done.set()

        self._requests.put(wrapped)
        done.wait()
        if errors:
            raise FullError(str(errors[0]))

    def _connect(self) -> sqlite3.Connection:
        # Made here, used by the writer thread alone from then on.
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        os.chmod(self._path, 0o600)  # noqa: PTH101  # Path.chmod follows the same call
        connection.execute(f"PRAGMA page_size = {PAGE}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # Above the limit for entries: marking them as drained needs room, too.
        connection.execute(f"PRAGMA max_page_count = {self._limit_pages + RESERVE_PAGES}")
        connection.executescript(SCHEMA)
        return connection

    def _count(self, where: str) -> int:
        row = self._connection.execute(f"SELECT count(*) FROM entry WHERE {where}")  # noqa: S608
        return int(row.fetchone()[0])

    def _write(self) -> None:
        while True:
            first = self._requests.get()
            batch: list[_Request] = []
            stop = self._sort(first, batch)
            while not stop and len(batch) < GROUP:
                try:
                    item = self._requests.get_nowait()
                except queue.Empty:
                    break
                stop = self._sort(item, batch)
            if batch:
                self._commit(batch)
            if stop:
                return

    def _sort(self, item: _Request | _Task | None, batch: list[_Request]) -> bool:
        """Put a request into ``batch``, run a task at once; return whether to stop."""
        if item is None:
            return True
        if isinstance(item, tuple):
            batch.append(item)
            return False
        if batch:
            self._commit(batch)
            batch.clear()
        item()
        return False

    def _commit(self, batch: list[_Request]) -> None:
        answers: list[_Answer] = []
        try:
            self._recover()
            self._connection.execute("BEGIN IMMEDIATE")
            full = self._used_pages() >= self._limit_pages
            answers = [self._insert(entry, full=full) for entry, _ in batch]
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            # Nothing of this group is acknowledged; what the disk holds of it is rolled back.
            answers = [FullError(str(error)) for _ in batch]
        fresh = sum(isinstance(answer, Receipt) and not answer.repeated for answer in answers)
        self.waiting += fresh
        for (_, settle), answer in zip(batch, answers, strict=True):
            settle(answer)
        if fresh:
            self._appended.set()

    def _recover(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _insert(self, entry: Entry, *, full: bool) -> _Answer:
        digest = entry.digest
        known = self._connection.execute(
            "SELECT digest, acknowledged_ms FROM entry WHERE key = ?", (entry.key,)
        ).fetchone()
        if known is not None:
            if known[0] != digest:
                return ConflictError(entry.key)
            return Receipt(key=entry.key, acknowledged_at=_instant(known[1]), repeated=True)
        if full:
            return FullError("the spool has reached its bound")
        now = _milliseconds(self.clock.now())
        self._connection.execute(
            "INSERT INTO entry (key, digest, kind, actor, note, body, acknowledged_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (entry.key, digest, entry.kind, entry.actor, entry.note, _body(entry), now),
        )
        return Receipt(key=entry.key, acknowledged_at=_instant(now), repeated=False)


def _body(entry: Entry) -> bytes:
    whole = {
        "kind": entry.kind,
        "actor": entry.actor,
        "occurred_at": entry.occurred_at.isoformat(),
        **entry.fields,
        "payload": dict(entry.payload),
    }
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def _settle(future: asyncio.Future[Receipt], answer: _Answer) -> None:
    if future.done():  # the sender went away; the entry stays
        return
    if isinstance(answer, JournalError):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _lock(path: Path) -> IO[str]:
    handle = path.open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise SpoolLockedError(
            f"{path.parent} belongs to a running gateway; give this one another name "
            "(PASSLIGHT_GATEWAY_NAME) or stop the other."
        ) from None
    return handle


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
