"""The spool: what happened at a door, sealed and chained until the server has it (06 3.9).

SQLite with a write-ahead log and ``synchronous=FULL``: a record that ``append`` returned is on
the disk. Each row is sealed to the server's key when it is written, so a stolen disk shows
nothing; ``(boot, seq)`` names it, and a hash chain through all boots shows a gap or a copy.
Rows below the server's acknowledgement go only after the *next* success, so that an answer
that was wrong can be repaired.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal

from nacl.public import PublicKey, SealedBox

from passlight.core.kernel.hash_chain import GENESIS, first_break, link
from passlight.core.verification.replay import KEPT_SECONDS

FILE: Final = "spool.db"
ALARM_SHARE: Final = 0.8
SPARE_SHARE: Final = 20
ROW_BYTES_MAX: Final = 16 * 1024
# Room for a full spool of records of the usual size, which is under half a page.
_PAGES_A_ROW = 1
_PAGES_LEAST = 64

_ALL_ROWS = "SELECT boot, seq, sealed, previous, hash FROM record ORDER BY boot, seq"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    boot INTEGER NOT NULL, seq INTEGER NOT NULL, sealed BLOB NOT NULL,
    previous BLOB NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (boot, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tip (
    one INTEGER PRIMARY KEY CHECK (one = 1), boot INTEGER NOT NULL, hash BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS ack (boot INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS seen (
    body BLOB PRIMARY KEY, slot INTEGER NOT NULL, seen_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""


class SpoolError(Exception):
    """A record could not be made durable: the disk is full, slow or broken."""


class SpoolFullError(SpoolError):
    """The spool holds as many records as it may; somebody must let this door reach the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpooledRecord:
    """One record as it waits: sealed, with its place in the chain."""

    boot: int
    seq: int
    sealed: bytes
    previous: bytes
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenCode:
    """A code that was taken: the digest of its body, its slot, and when (POSIX seconds)."""

    body: bytes
    slot: int
    seen_at: int


class Spool:
    """The records of one door; one writer, safe to call from several threads."""

    def __init__(
        self,
        path: Path,
        *,
        boot: int,
        rows_max: int,
        synchronous: Literal["FULL", "OFF"] = "FULL",
    ) -> None:
        self.boot = boot
        self.rows_max = rows_max
        self._path = path
        self._lock = threading.Lock()
        self._db = _open(path, rows_max=rows_max, synchronous=synchronous)
        self._seq = self._last_seq()
        self._tip = self._read_tip()
        self._waiting = self._count()
        self._inode = path.stat().st_ino

    def close(self) -> None:
        """Close the file; every record is in it."""
        with self._lock:
            self._db.close()

    @property
    def tip(self) -> bytes:
        """Return the last link of the chain."""
        return self._tip

    @property
    def waiting(self) -> int:
        """Return how many records the server has not yet acknowledged."""
        return self._waiting

    @property
    def alarming(self) -> bool:
        """Return whether the spool is nearly full."""
        return self._waiting >= ALARM_SHARE * self.rows_max

    def append(
        self,
        write: Callable[[int], bytes],
        *,
        key: PublicKey,
        seen: TakenCode | None = None,
        keep: Mapping[str, bytes] | None = None,
        routine: bool = False,
    ) -> SpooledRecord:
        """Seal a record and make it durable, together with the code that was taken and ``keep``.

        ``write`` returns the record's bytes for its number, which stands inside the seal, too.
        What is ``routine`` leaves the last twentieth free.

        Raises:
            SpoolFullError: no room by our own limit.
            SpoolError: the disk is full or broken.
        """
        with self._lock:
            spare = self.rows_max // SPARE_SHARE if routine else 0
            if self._waiting >= self.rows_max - spare:
                raise SpoolFullError(f"{self._waiting} records wait for the server.")
            self._check_file()
            sealed = bytes(SealedBox(key).encrypt(write(self._seq + 1)))
            if len(sealed) > ROW_BYTES_MAX:
                raise SpoolError(f"A record of {len(sealed)} bytes is too long.")
            row = SpooledRecord(
                boot=self.boot,
                seq=self._seq + 1,
                sealed=sealed,
                previous=self._tip,
                hash=link(self._tip, sealed),
            )
            with _transaction(self._db):
                self._insert(row)
                if seen is not None:
                    self._remember(seen)
                self._keep(keep or {})
            self._seq, self._tip = row.seq, row.hash
            self._waiting += 1
        return row

    def batch(self, size: int) -> list[SpooledRecord]:
        """Return the oldest records above what the server acknowledged, of one boot."""
        with self._lock:
            found = self._db.execute(
                "SELECT r.boot, r.seq, r.sealed, r.previous, r.hash FROM record r"
                " LEFT JOIN ack a ON a.boot = r.boot WHERE r.seq > coalesce(a.seq, 0)"
                " ORDER BY r.boot, r.seq LIMIT ?",
                (size,),
            ).fetchall()
        rows = [_row(values) for values in found]
        return [row for row in rows if row.boot == rows[0].boot]

    def held_from(self, *, boot: int, seq: int) -> int:
        """Return from where on every number of a boot up to ``seq`` is still here.

        Right below it nothing is: it was acknowledged and deleted, or could not be read any more.
        """
        with self._lock:
            row = self._db.execute(
                "SELECT r.seq FROM record r WHERE r.boot = :boot AND r.seq <= :seq"
                " AND NOT EXISTS (SELECT 1 FROM record p WHERE p.boot = r.boot"
                " AND p.seq = r.seq - 1) ORDER BY r.seq DESC LIMIT 1",
                {"boot": boot, "seq": seq},
            ).fetchone()
        return int(row[0]) if row else seq

    def acknowledge(self, *, boot: int, highest: int) -> None:
        """Take the server's answer: all of ``boot`` up to ``highest`` is durable there.

        What an earlier answer acknowledged is deleted now; what this one does, after the next.
        An answer above what was ever written, or below an earlier one, changes nothing else.

        Raises:
            SpoolError: the disk is full or broken; nothing is deleted.
        """
        with self._lock, _transaction(self._db):
            former = dict(self._db.execute("SELECT boot, seq FROM ack").fetchall())
            for old_boot, old_seq in former.items():
                self._db.execute(
                    "DELETE FROM record WHERE boot = ? AND seq <= ?", (old_boot, old_seq)
                )
            last = self._db.execute(
                "SELECT max(seq) FROM record WHERE boot = ?", (boot,)
            ).fetchone()[0]
            highest = min(highest, last or 0)
            if highest > former.get(boot, 0):
                self._db.execute("INSERT OR REPLACE INTO ack VALUES (?, ?)", (boot, highest))
            self._db.execute(
                "DELETE FROM ack WHERE boot < ? AND boot NOT IN (SELECT boot FROM record)",
                (self.boot,),
            )
        with self._lock:
            self._waiting = self._count()

    def repair(self, *, boot: int, highest: int) -> int:
        """Send again what the server says it does not have after all; return how many.

        Raises:
            SpoolError: the disk is full or broken.
        """
        with self._lock, _transaction(self._db):
            self._db.execute("UPDATE ack SET seq = min(seq, ?) WHERE boot = ?", (highest, boot))
        with self._lock:
            before, self._waiting = self._waiting, self._count()
        return self._waiting - before

    def keep(self, name: str, value: bytes) -> None:
        """Keep a small value of the door's own beside its records.

        Raises:
            SpoolError: the disk is full or broken.
        """
        with self._lock, _transaction(self._db):
            self._keep({name: value})

    def kept(self, name: str) -> bytes | None:
        """Return a value that was kept, or None."""
        with self._lock:
            row = self._db.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return bytes(row[0]) if row else None

    def seen(self, *, now: int) -> list[TakenCode]:
        """Return the codes that were taken lately, for a door that was started again."""
        with self._lock:
            rows = self._db.execute(
                "SELECT body, slot, seen_at FROM seen WHERE seen_at > ? ORDER BY seen_at",
                (now - KEPT_SECONDS,),
            ).fetchall()
        return [TakenCode(body=body, slot=slot, seen_at=at) for body, slot, at in rows]

    def take_over(self, rows: Sequence[SpooledRecord]) -> None:
        """Take what could be read of a broken spool; its records keep their places.

        Raises:
            SpoolError: the disk is full or broken.
        """
        with self._lock:
            with _transaction(self._db):
                for row in rows:
                    self._insert(row)
            self._seq, self._tip = self._last_seq(), self._read_tip()
            self._waiting = self._count()

    def _check_file(self) -> None:
        """Refuse to write where a restart would not look.

        Raises:
            SpoolError: somebody removed or replaced the file under us.
        """
        try:
            same = self._path.stat().st_ino == self._inode
            self._path.with_name(f"{self._path.name}-wal").stat()
        except OSError:
            same = False
        if not same:
            raise SpoolError("The spool's file was removed or replaced.")

    def _insert(self, row: SpooledRecord) -> None:
        self._db.execute(
            "INSERT INTO record VALUES (?, ?, ?, ?, ?)",
            (row.boot, row.seq, row.sealed, row.previous, row.hash),
        )
        self._db.execute("INSERT OR REPLACE INTO tip VALUES (1, ?, ?)", (row.boot, row.hash))

    def _keep(self, values: Mapping[str, bytes]) -> None:
        self._db.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", list(values.items()))

    def _remember(self, seen: TakenCode) -> None:
        self._db.execute("DELETE FROM seen WHERE seen_at <= ?", (seen.seen_at - KEPT_SECONDS,))
        self._db.execute(
            "INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (seen.body, seen.slot, seen.seen_at)
        )

    def _last_seq(self) -> int:
        last = self._db.execute(
            "SELECT max(seq) FROM record WHERE boot = ?", (self.boot,)
        ).fetchone()[0]
        acked = self._db.execute("SELECT seq FROM ack WHERE boot = ?", (self.boot,)).fetchone()
        return max(last or 0, acked[0] if acked else 0)

    def _read_tip(self) -> bytes:
        row = self._db.execute("SELECT hash FROM tip").fetchone()
        return bytes(row[0]) if row else GENESIS

    def _count(self) -> int:
        counted = self._db.execute(
            "SELECT count(*) FROM record r LEFT JOIN ack a ON a.boot = r.boot"
            " WHERE r.seq > coalesce(a.seq, 0)"
        ).fetchone()
        return int(counted[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A spool that is ready; ``set_aside`` names the broken file, when there was one."""

    spool: Spool
    set_aside: Path | None = None
    saved: int = 0


def last_boot(path: Path) -> int:
    """Return the highest boot that a spool knows; 0 when it cannot be read."""
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(path)) as db:
            row = db.execute("SELECT boot FROM tip").fetchone()
            return int(row[0]) if row else 0
    except (sqlite3.Error, TypeError, ValueError):
        return 0


def open_spool(path: Path, *, boot: int, rows_max: int) -> Opened:
    """Return the spool; a broken file is set aside and what can be read of it is kept.

    Raises:
        SpoolError: not even a new file can be written.
    """
    if _is_sound(path):
        return Opened(spool=Spool(path, boot=boot, rows_max=rows_max))
    aside = _put_aside(path)
    rows = _readable(aside)
    spool = Spool(path, boot=boot, rows_max=rows_max)
    spool.take_over(rows)
    return Opened(spool=spool, set_aside=aside, saved=len(rows))


def _open(path: Path, *, rows_max: int, synchronous: str) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        path.chmod(0o600)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {synchronous}")
        db.execute("PRAGMA secure_delete = ON")
        db.execute("PRAGMA busy_timeout = 2000")
        db.execute(f"PRAGMA max_page_count = {_PAGES_LEAST + rows_max * _PAGES_A_ROW}")
        db.executescript(_SCHEMA)
    except (sqlite3.Error, OSError) as error:
        raise SpoolError(f"The spool {path.name} cannot be opened ({error}).") from error
    return db


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Run statements together or not at all; when this ends they are on the disk."""
    try:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
    except sqlite3.Error as error:
        raise SpoolError(f"The spool cannot be written ({error}).") from error


def _is_sound(path: Path) -> bool:
    """Return whether a spool is whole: its pages, its chain and its end; a missing one is."""
    if not path.exists():
        return True
    try:
        with closing(sqlite3.connect(path)) as db:
            if db.execute("PRAGMA quick_check").fetchone() != ("ok",):
                return False
            rows = [_row(values) for values in db.execute(_ALL_ROWS)]
            tip = db.execute("SELECT hash FROM tip").fetchone()
    except (sqlite3.Error, ValueError, AssertionError, TypeError):
        return False
    if not rows:
        return True
    chain = [(row.sealed, row.hash) for row in rows]
    follows = first_break(chain, after=rows[0].previous) is None
    linked = all(row.previous == before.hash for before, row in pairwise(rows))
    return follows and linked and tip is not None and bytes(tip[0]) == rows[-1].hash


def _readable(path: Path) -> list[SpooledRecord]:
    """Return the records of a broken spool that can be read and are what they were."""
    found: list[SpooledRecord] = []
    try:
        with closing(sqlite3.connect(path)) as db:
            for values in db.execute(_ALL_ROWS):
                row = _row(values)
                if link(row.previous, row.sealed) == row.hash:
                    found.append(row)
    except (sqlite3.Error, AssertionError, TypeError, ValueError):
        return found  # as far as it went
    return found


def _put_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.torn-{number}")).exists():
        number += 1
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    return aside


def _row(values: Sequence[Any]) -> SpooledRecord:
    boot, seq, sealed, previous, hashed = values
    return SpooledRecord(
        boot=int(boot),
        seq=int(seq),
        sealed=bytes(sealed),
        previous=bytes(previous),
        hash=bytes(hashed),
    )
