"""The evaluation worker: ``python -m passlight.office.statuses.worker`` as role ``evaluator``.

It follows the fact log and the publications of rule packs, and publishes what changed. Its
position is in the database, moved in the transaction that publishes: killed at any moment,
it goes on where that transaction left it. A second worker waits for the first to go.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

from passlight.core.kernel.clock import Clock
from passlight.office.background import (
    LOST,
    close_connection,
    own_connection,
    pause_after,
    run_until_told,
)
from passlight.runtime.clock import SystemClock

log = logging.getLogger("passlight.worker")

CHANNELS = ("passlight_facts", "passlight_packs")
# Held by the connection that publishes, for as long as it lives: one leader at a time.
LEADER_LOCK = 0x9A55_0002
POLL_SECONDS = 1.0
KEYS_EVERY_SECONDS = 3600.0


def run(clock: Clock, stop: threading.Event) -> None:
    """Publish until ``stop`` is set, through every restart of the database."""
    failures = 0
    while not stop.is_set():
        try:
            with _listening() as wait:
                log.info("connected")
                failures = 0
                _work(clock, stop, wait)
        except LOST as error:
            pause = pause_after(failures)
            failures += 1
            log.warning("no database (%s); trying again in %s s", type(error).__name__, pause)
            stop.wait(pause)
        finally:
            close_connection()


def _work(clock: Clock, stop: threading.Event, wait: Callable[[], None]) -> None:
    from passlight.office.statuses.publishing import Publisher

    while not stop.is_set() and not _take_the_lead():
        wait()
    publisher = Publisher(clock)
    keys_due = clock.monotonic()
    try:
        while not stop.is_set():
            more = publisher.step()
            if clock.monotonic() >= keys_due:
                _renew_keys(clock)
                keys_due = clock.monotonic() + KEYS_EVERY_SECONDS
            if not more:
                wait()
    finally:
        publisher.close()


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
    except LOST:
        raise
    except Exception:
        log.exception("keys were not renewed; trying again in an hour")


@contextmanager
def _listening() -> Iterator[Callable[[], None]]:
    """Give a function that waits for news or ``POLL_SECONDS``, on a connection of its own.

    Of its own, so that news which comes while facts are evaluated waits in its socket.
    """
    with own_connection() as ears:
        for channel in CHANNELS:
            ears.execute(f"listen {channel}")

        def wait() -> None:
            for _ in ears.notifies(timeout=POLL_SECONDS, stop_after=1):
                pass

        yield wait


def main() -> None:
    """Run until SIGTERM or SIGINT; what is begun is finished first."""
    run_until_told("worker", lambda stop: run(SystemClock(), stop))


if __name__ == "__main__":
    main()
