"""Following the office: what it publishes is read at start and then as it changes.

One thread with one connection: ``LISTEN`` for news, a look every second besides. While the
database is away the gateway goes on with what it has, and the book's age says how old that is.
"""

import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.problem import ProblemError
from passlight.gateway.book import Line, StatusBook
from passlight.gateway.keys import NoKeyError
from passlight.gateway.published import (
    Entrance,
    Published,
    Reason,
    Venue,
    load_copy,
    read_door,
    save_copy,
)

POLL_SECONDS = 1.0
DAY_SECONDS = 86_400
SLOW_POLL = timedelta(seconds=60)
STAFF_POLL_SECONDS = 2.0
COPY_EVERY = timedelta(seconds=30)
BACKOFF_FIRST = 0.2
BACKOFF_LAST = 5.0
CHUNK = 2000
CHANNELS = ("passlight_statuses", "passlight_keys", "passlight_venues", "passlight_doors")
# A server that vanished without a word is noticed after seconds, not hours.
CONNECTION: dict[str, Any] = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "passlight-gateway",
}

SOURCE = """
SELECT (SELECT oid FROM pg_database WHERE datname = current_database())::text || '/' ||
       'statuses_publication'::regclass::oid::text || '/' ||
       (SELECT system_identifier FROM pg_control_system())::text
"""
HEARTBEAT = "SELECT at, publication_seq FROM statuses_heartbeat"
EVERYBODY = """
SELECT DISTINCT ON (ordinal) ordinal, segments, sampled_at, state
FROM statuses_publication WHERE seq <= %s ORDER BY ordinal, seq DESC
"""
CHANGES = """
SELECT ordinal, segments, sampled_at, state
FROM statuses_publication WHERE seq > %s AND seq <= %s ORDER BY seq
"""
DOORS = "SELECT venue_id::text, entrance, max(version) FROM gates_door GROUP BY 1, 2"
DOOR = "SELECT document FROM gates_door WHERE venue_id = %s AND entrance = %s AND version = %s"
STAFF = "SELECT venue_id::text, ordinal FROM gates_staff"
STARTED = """
SELECT DISTINCT venue_id::text, ordinal FROM gates_started
WHERE occurred_at >= to_timestamp(%s) AND occurred_at <= now() + interval '5 minutes'
"""
# Numbers given by a sequence can be committed out of order: look a little behind. A gate's
# grant lives for seven days, so what was revoked counts for longer than that.
REVOKED = """
SELECT seq, jti, handle, revoked_at FROM accounts_revocation
WHERE seq > %s - 500 AND revoked_at > now() - interval '8 days' ORDER BY seq
"""


class Follower:
    """Keeps ``published`` as the office has it."""

    def __init__(
        self,
        published: Published,
        *,
        clock: Clock,
        url: Callable[[], str],
        copy: Path,
        copy_key: bytes,
        keys_changed: Callable[[], None],
    ) -> None:
        self._published = published
        self._clock = clock
        self._url = url
        self._copy = copy
        self._copy_key = copy_key
        self._keys_changed = keys_changed
        self._stop = threading.Event()
        self.settled = threading.Event()
        """Set once the first load succeeded, or the copy was read because it did not."""
        self._thread = threading.Thread(target=self._run, name="gateway-follow", daemon=True)
        self._looked = -SLOW_POLL.total_seconds()
        self._looked_at_staff = -STAFF_POLL_SECONDS
        self._copied = -COPY_EVERY.total_seconds()
        self._copied_as_of: Any = None
        self.error = ""

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and leave a copy of the present state."""
        self._stop.set()
        self._thread.join(timeout=5)
        if not self._thread.is_alive():
            self._save()

    def _run(self) -> None:
        delay = BACKOFF_FIRST
        while not self._stop.is_set():
            try:
                with psycopg.connect(self._url(), autocommit=True, **CONNECTION) as connection:
                    delay = BACKOFF_FIRST
                    self._follow(connection)
            except Exception as error:  # noqa: BLE001  # whatever it is: go on with what we have
                self.error = type(error).__name__
                self._published.connected = False
                if not self.settled.is_set():
                    self._start_from_copy()
                self._stop.wait(delay)
                delay = min(BACKOFF_LAST, delay * 2)

    def _follow(self, connection: psycopg.Connection[Any]) -> None:
        for channel in CHANNELS:
            connection.execute(f"LISTEN {channel}")
        self._look_slowly(connection)
        while not self._stop.is_set():
            self._look(connection)
            self._look_at_staff(connection)
            self._published.connected, self.error = True, ""
            self.settled.set()
            self._save_sometimes()
            channels = {
                note.channel for note in connection.notifies(timeout=POLL_SECONDS, stop_after=1)
            }
            since = self._clock.monotonic() - self._looked
            if channels - {"passlight_statuses"} or since >= SLOW_POLL.total_seconds():
                self._look_slowly(connection)

    def _look(self, connection: psycopg.Connection[Any]) -> None:
        """Take new statuses and revocations, all from one moment of the database."""
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            for seq, jti, handle, at in connection.execute(
                REVOKED, (self._published.revocations.seq,)
            ):
                self._published.revocations.add(seq, jti=jti, handle=handle, revoked_at=at)
            heartbeat = connection.execute(HEARTBEAT).fetchone()
            if heartbeat is None:
                return
            at, last = heartbeat
            book = self._published.book
            (source,) = connection.execute(SOURCE).fetchone() or ("",)
            if book.source != source or last < book.seq:
                # Another database, or one restored to an earlier day: its ordinals are
                # other people, so nothing of the old book may stay.
                book = StatusBook()
                book.source = source
                self._read(connection, book, EVERYBODY, (last,), seq=None)
                book.seq = last
                book.settle()
            elif last > book.seq:
                self._read(connection, book, CHANGES, (book.seq, last), seq=last)
            book.seq = last
            # A worker whose clock runs ahead must not make the book look younger than it is.
            book.as_of = min(at, self._clock.now())
            self._published.book = book

    def _look_at_staff(self, connection: psycopg.Connection[Any]) -> None:
        """Take who works at which venue, and whose day there has begun in the realm's day."""
        if self._clock.monotonic() - self._looked_at_staff < STAFF_POLL_SECONDS:
            return
        try:
            shift = self._published.keys.offset * 60
        except NoKeyError:
            return
        now = int(self._clock.now().timestamp())
        midnight = (now + shift) // DAY_SECONDS * DAY_SECONDS - shift
        staff = _by_venue(connection.execute(STAFF))
        started = _by_venue(connection.execute(STARTED, (midnight,)))
        self._looked_at_staff = self._clock.monotonic()
        if (staff, started) != (self._published.staff, self._published.started):
            self._published.staff, self._published.started = staff, started
            self._published.staffed += 1

    def _read(
        self,
        connection: psycopg.Connection[Any],
        book: StatusBook,
        query: str,
        given: tuple[int, ...],
        *,
        seq: int | None,
    ) -> None:
        now = int(self._clock.now().timestamp())
        self._read_reasons(connection)
        with connection.cursor(name="publications") as cursor:
            cursor.itersize = CHUNK
            for ordinal, segments, sampled_at, state in cursor.execute(query, given):
                line = Line.of_publication(
                    ordinal=ordinal, segments=segments, sampled_at=sampled_at, state=state
                )
                book.put(line, now=now, seq=seq)

    def _read_reasons(self, connection: psycopg.Connection[Any]) -> None:
        rows = connection.execute(
            "SELECT key, reason, advice FROM statuses_reason WHERE NOT key = ANY(%s)",
            (list(self._published.reasons),),
        )
        for key, reason, advice in rows:
            self._published.reasons[key] = Reason(reason=reason, advice=advice)

    def _look_slowly(self, connection: psycopg.Connection[Any]) -> None:
        """Take the keys and the venues; they change rarely."""
        self._looked = self._clock.monotonic()
        row = connection.execute(
            "SELECT document FROM keyring_trustlist ORDER BY version DESC LIMIT 1"
        ).fetchone()
        if row is not None and bytes(row[0]) != self._published.keys.document:
            try:
                self._published.keys.take(bytes(row[0]))
            except ProblemError as error:
                self.error = error.problems[0].code  # the former list stays, until it expires
            else:
                self._keys_changed()
        self._published.venues = _venues(connection)
        self._look_at_doors(connection)

    def _look_at_doors(self, connection: psycopg.Connection[Any]) -> None:
        """Take new door documents; one that cannot be read leaves the former in use."""
        doors = dict(self._published.doors)
        for venue, entrance, version in connection.execute(DOORS).fetchall():
            known = doors.get((venue, entrance))
            if known is None or known.version != version:
                row = connection.execute(DOOR, (venue, entrance, version)).fetchone()
                assert row is not None, "documents are appended and never removed"
                try:
                    doors[venue, entrance] = read_door(bytes(row[0]), version=version)
                except ProblemError as error:
                    self.error = error.problems[0].code
        self._published.doors = doors

    def _start_from_copy(self) -> None:
        try:
            found = load_copy(self._published, self._copy, key=self._copy_key)
        except (ProblemError, ValueError, KeyError, TypeError, OSError):
            found = False
        if found:
            self._keys_changed()
        self.settled.set()

    def _save_sometimes(self) -> None:
        started = self._clock.monotonic()
        if started - self._copied < COPY_EVERY.total_seconds():
            return
        self._save()
        # A copy of a big book takes time: give it a twentieth of it at most.
        took = self._clock.monotonic() - started
        self._copied = self._clock.monotonic() + max(0.0, 20 * took - COPY_EVERY.total_seconds())

    def _save(self) -> None:
        as_of = self._published.book.as_of
        if as_of is None or as_of == self._copied_as_of:
            return
        try:
            save_copy(self._published, self._copy, key=self._copy_key)
            self._copied_as_of = as_of
        except OSError as error:  # a full disk must not stop the following
            self.error = type(error).__name__


def _by_venue(rows: Iterable[tuple[str, int]]) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for venue, ordinal in rows:
        found.setdefault(venue, set()).add(ordinal)
    return {venue: frozenset(ordinals) for venue, ordinals in found.items()}


def _venues(connection: psycopg.Connection[Any]) -> dict[str, Venue]:
    doors: dict[str, dict[str, Entrance]] = {}
    for venue, code, zone, name, name_en in connection.execute(
        "SELECT venue_id::text, code, zone, name, name_en FROM venues_entrance WHERE active"
    ):
        doors.setdefault(venue, {})[code] = Entrance(
            code=code, zone=zone, name=name, name_en=name_en
        )
    rows = connection.execute(
        "SELECT id::text, name, name_en, address, freshness_seconds, active FROM venues_venue"
    )
    return {
        row[0]: Venue(
            id=row[0],
            name=row[1],
            name_en=row[2],
            address=row[3],
            freshness_seconds=row[4],
            active=row[5],
            entrances=doors.get(row[0], {}),
        )
        for row in rows
    }
