"""The evaluation worker: ``python -m passlight.office.statuses.worker`` as role ``evaluator``.

It follows the fact log and the publications of rule packs, and publishes what changed. Its
position is in the database, moved in the transaction that publishes: killed at any moment,
it goes on where that transaction left it. A second worker waits for the first to go.
"""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import django
import psycopg
from django.db import InterfaceError, OperationalError, connection

from passlight.core.kernel.clock import Clock
from passlight.runtime.clock import SystemClock

log = logging.getLogger("passlight.worker")

CHANNELS = ("passlight_facts", "passlight_packs")
# Held by the connection that publishes, for as long as it lives: one leader at a time.
LEADER_LOCK = 0x9A55_0002
POLL_SECONDS = 1.0
KEYS_EVERY_SECONDS = 3600.0
BACKOFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_LOST = (OperationalError, InterfaceError, psycopg.OperationalError)


def run(clock: Clock, stop: threading.Event) -> None:
    """Publish until ``stop`` is set, through every restart of the database."""
    failures = 0
    while not stop.is_set():
        try:
            with _listening() as wait:
                log.info("connected")
                failures = 0
                _work(clock, stop, wait)
        except _LOST as error:
            pause = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
            failures += 1
            log.warning("no database (%s); trying again in %s s", type(error).__name__, pause)
            stop.wait(pause)
        finally:
            _close()


def _work(clock: Clock, stop: threading.Event, wait: Callable[[], None]) -> None:
    from passlight.office.statuses.publishing import Publisher

    while not stop.is_set() and not _take_the_lead():
        wait()
    publisher = Publisher(clock)
    keys_due = clock.monotonic()
    while not stop.is_set():
        more = publisher.step()
        if clock.monotonic() >= keys_due:
            _renew_keys(clock)
            keys_due = clock.monotonic() + KEYS_EVERY_SECONDS
        if not more:
            wait()


def _take_the_lead() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(%s)", [LEADER_LOCK])
        (led,) = cursor.fetchone()
    return bool(led)


def _renew_keys(clock: Clock) -> None:
    """Renew the keys of codes; a fault there must not keep colours from being published."""
    from passlight.office.keyring.actions import ensure_keys
    from passlight.office.people.models import Person
    from passlight.runtime.clock import SystemEntropy
    from passlight.runtime.keys import KeyFolder
    from passlight.runtime.settings import read_settings

    try:
        keys = KeyFolder(read_settings().keys)
        ensure_keys(clock, SystemEntropy(), keys, registered=Person.objects.count())
    except _LOST:
        raise
    except Exception:
        log.exception("keys were not renewed; trying again in an hour")


@contextmanager
def _listening() -> Iterator[Callable[[], None]]:
    """Give a function that waits for news or ``POLL_SECONDS``, on a connection of its own.

    Of its own, so that news which comes while facts are evaluated waits in its socket.
    """
    target = connection.settings_dict
    with psycopg.connect(
        dbname=target["NAME"],
        user=target["USER"],
        password=target["PASSWORD"],
        host=target["HOST"],
        port=target["PORT"],
        connect_timeout=3,
        autocommit=True,
    ) as ears:
        for channel in CHANNELS:
            ears.execute(f"listen {channel}")

        def wait() -> None:
            for _ in ears.notifies(timeout=POLL_SECONDS, stop_after=1):
                pass

        yield wait


def _close() -> None:
    try:
        connection.close()
    except _LOST:
        connection.connection = None


def main() -> None:
    """Run until SIGTERM or SIGINT; what is begun is finished first."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s worker %(message)s")
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    django.setup()
    run(SystemClock(), stop)
    log.info("stopped")


if __name__ == "__main__":
    main()
