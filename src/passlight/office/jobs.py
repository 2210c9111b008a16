"""The office's process of jobs: ``python -m passlight.office.jobs`` as role ``office``.

It sends notices and does what recurs: follows the doors' records and opens incidents, traces
cases, takes back places that ran out, escalates what nobody has read. One process leads; a
second waits for the first to go. Each chore has a thread and a connection of its own, so that
one which fails or hangs never holds up the others, and all of them are safe to do twice.
"""

import logging
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

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

log = logging.getLogger("passlight.jobs")

LEADER_LOCK: Final = 0x9A55_0010
BEAT_SECONDS: Final = 1.0
STOP_SECONDS: Final = 8.0
# A statement that takes longer hangs; its chore fails and comes again.
BOUNDS: Final = "SET statement_timeout = '60s'; SET lock_timeout = '10s'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """Something that recurs: ``run`` returns whether more waits to be done at once."""

    name: str
    every_seconds: float
    run: Callable[[Clock], bool]


def chores() -> Sequence[Chore]:
    """Return what this process does besides sending notices.

    Raises:
        ImportError: when a part is missing; better now than at the first record.
    """
    from passlight.office.exposures.following import Follower
    from passlight.office.gates.publishing import publish_due, publish_round
    from passlight.office.halls.actions import sweep
    from passlight.office.incidents.actions import escalate
    from passlight.office.incidents.follow import follow_records
    from passlight.office.notices.worker import rescue
    from passlight.office.recompute.attending import attend

    return (
        Chore(name="records", every_seconds=1, run=follow_records),
        Chore(name="exposures", every_seconds=0.5, run=Follower().turn),
        Chore(name="places", every_seconds=15, run=sweep),
        Chore(name="doors", every_seconds=5, run=publish_due),
        Chore(name="all-doors", every_seconds=300, run=publish_round),
        Chore(name="escalation", every_seconds=60, run=escalate),
        Chore(name="outbox", every_seconds=60, run=rescue),
        Chore(name="city", every_seconds=2, run=attend),
    )


def run(
    clock: Clock,
    stop: threading.Event,
    *,
    recurring: Sequence[Chore],
    worker: Callable[[Clock, threading.Event], None],
) -> None:
    """Lead until ``stop`` is set, through every restart of the database."""
    failures = 0
    while not stop.is_set():
        over = threading.Event()
        threads: list[threading.Thread] = []
        try:
            with _leading(stop) as alive:
                failures = 0
                if not stop.is_set():
                    log.info("leading")
                    threads = _start(clock, over, recurring=recurring, worker=worker)
                while not stop.wait(BEAT_SECONDS):
                    alive()
        except LOST as error:
            pause = pause_after(failures)
            failures += 1
            log.warning("no database (%s); trying again in %s s", type(error).__name__, pause)
            stop.wait(pause)
        finally:
            over.set()
            _join(threads, clock)


def _start(
    clock: Clock,
    over: threading.Event,
    *,
    recurring: Sequence[Chore],
    worker: Callable[[Clock, threading.Event], None],
) -> list[threading.Thread]:
    threads = [
        threading.Thread(
            target=_keep_doing, args=(chore, clock, over), name=chore.name, daemon=True
        )
        for chore in recurring
    ]
    sender = threading.Thread(
        target=_keep_working, args=(worker, clock, over), name="notices", daemon=True
    )
    threads.append(sender)
    for thread in threads:
        thread.start()
    return threads


def _join(threads: Sequence[threading.Thread], clock: Clock) -> None:
    """Wait for what is being done; what does not end in time is left to its transaction."""
    until = clock.monotonic() + STOP_SECONDS
    for thread in threads:
        thread.join(max(0.0, until - clock.monotonic()))
        if thread.is_alive():
            log.warning("%s did not end in time", thread.name)


def _keep_doing(chore: Chore, clock: Clock, over: threading.Event) -> None:
    failures = 0
    while not over.is_set():
        more, pause = False, chore.every_seconds
        try:
            with connection.cursor() as cursor:
                cursor.execute(BOUNDS)
            more = chore.run(clock)
            failures = 0
        except Exception as error:  # noqa: BLE001  # one chore never stops the others
            pause = pause_after(failures)
            failures += 1
            _report(chore.name, error, pause)
            close_connection()
        if not more:
            over.wait(pause)
    close_connection()


def _keep_working(
    worker: Callable[[Clock, threading.Event], None], clock: Clock, over: threading.Event
) -> None:
    failures = 0
    while not over.is_set():
        begun = clock.monotonic()
        try:
            worker(clock, over)
        except Exception as error:  # noqa: BLE001  # it begins again
            failures = failures + 1 if clock.monotonic() - begun < STOP_SECONDS else 0
            pause = pause_after(failures)
            _report("notices", error, pause)
            over.wait(pause)


def _report(name: str, error: Exception, pause: float) -> None:
    if isinstance(error, LOST):
        log.warning("%s: no database (%s); again in %s s", name, type(error).__name__, pause)
    else:
        log.error("%s failed; again in %s s", name, pause, exc_info=error)


@contextmanager
def _leading(stop: threading.Event) -> Iterator[Callable[[], None]]:
    """Wait to be the leader, and give a function that raises when that is over."""
    with own_connection() as held:
        while not stop.is_set():
            row = held.execute("SELECT pg_try_advisory_lock(%s)", [LEADER_LOCK]).fetchone()
            if row is not None and row[0]:
                break
            stop.wait(BEAT_SECONDS)

        def alive() -> None:
            held.execute("SELECT 1")

        yield alive


def _lead(stop: threading.Event) -> None:
    from passlight.messages.channels import silence
    from passlight.office.notices.worker import work

    log.setLevel(logging.INFO)
    silence()
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    try:
        recurring = chores()
    except ImportError as error:
        log.error("a part of this installation is missing: %s", error)  # noqa: TRY400  # no crash
        sys.exit(1)
    run(SystemClock(), stop, recurring=recurring, worker=work)


def main() -> None:
    """Run until SIGTERM or SIGINT; what is begun is finished first."""
    run_until_told("jobs", _lead)


if __name__ == "__main__":
    main()
