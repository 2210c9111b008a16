"""A switch: a change that concerns everybody, evaluated set-based by a process of its own.

The process (``passlight.office.recompute.switch``) evaluates the facts up to the switch's number
bucket by bucket and leaves what differs in files; the worker publishes them between its passes.
Whoever a later fact touches is left to the worker's own evaluation: an older result never
overwrites a newer one. Whatever is killed, files that are whole are published once more without
effect, and the rest is evaluated again from the same number.
"""

import importlib.util
import logging
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

from passlight.core.kernel.clock import Clock
from passlight.office.people.models import Person
from passlight.office.statuses.changes import (
    Change,
    Ended,
    bucket_file,
    people_of,
    read_bucket,
    read_end,
)
from passlight.office.statuses.models import Switch
from passlight.runtime.settings import read_number, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("passlight.worker")

PROCESS: Final = "passlight.office.recompute.switch"
#: From how many people on a change is carried set-based; below that a sweep is as quick.
PEOPLE_MIN: Final = 5_000
CHANGES_A_STEP: Final = 500
#: Runs in a row that brought no bucket before the worker carries the change person by person.
ATTEMPTS_MAX: Final = 3
PAUSE_SECONDS: Final = 2.0
#: The exit status of a process that found another one at the same switch.
BUSY: Final = 75
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Changes to publish in one transaction; ``ends`` when they are the last of their bucket."""

    changes: tuple[Change, ...]
    ends: bool
    people: int


def seconds_left(row: Switch, *, now: datetime) -> float | None:
    """Return about how long a switch still takes; None before the first people are through."""
    if not row.people_done or row.state != Switch.State.RUNNING:
        return None
    taken = (now - row.started_at).total_seconds()
    return max(0.0, taken * (row.people - row.people_done) / row.people_done)


def city_installed() -> bool:
    """Return whether the packages of the set-based engine are there (the extra ``city``)."""
    return importlib.util.find_spec("duckdb") is not None


def begin_switch(clock: Clock, *, packs_seq: int, fact_seq: int) -> Switch | None:
    """Return a new switch, or None where a sweep person by person is the way."""
    Switch.objects.filter(state=Switch.State.RUNNING).update(
        state=Switch.State.OVERTAKEN, finished_at=clock.now()
    )
    least = read_number("PASSLIGHT_SWITCH_PEOPLE", PEOPLE_MIN, least=0, most=2**31)
    people = Person.objects.count()
    if people < least or not city_installed():
        return None
    return Switch.objects.create(
        packs_seq=packs_seq,
        fact_seq=fact_seq,
        state=Switch.State.RUNNING,
        people=people,
        started_at=clock.now(),
    )


class Switching:
    """One running switch, as the worker sees it."""

    def __init__(self, row: Switch, clock: Clock, *, touched: set[int]) -> None:
        self.row = row
        self.touched = touched
        """Whom facts after the switch's number touched: theirs is the worker's own result."""
        self._clock = clock
        self._folder = read_settings().home / "city" / f"switch-{row.folder}" / "changes"
        self._process: subprocess.Popen[bytes] | None = None
        self._again_at = 0.0
        self._ready = 0
        self._bucket: Iterator[Change] | None = None

    def told(self) -> str:
        """Return one line for the log: how far, and about how long it still takes."""
        row = self.row
        left = seconds_left(row, now=self._clock.now())
        about = "" if left is None else f", about {left:.0f} s left"
        return f"switching: {row.people_done} of {row.people} people{about}"

    def batch(self) -> Batch | Ended | None:
        """Return what to publish next, the end when all is published, None while it is made.

        Raises:
            SwitchError: when the process failed too often; the row says why.
        """
        ended = read_end(self._folder)
        if ended is None:
            self._keep_going()
        elif self.row.bucket >= ended.buckets:
            return ended
        bucket = self.row.bucket
        if self._bucket is None:
            if not bucket_file(self._folder, bucket).exists():
                if ended is not None:
                    raise SwitchError(f"the changes of bucket {bucket} are gone")
                return None
            self._bucket = read_bucket(self._folder, bucket)
        changes = tuple(islice(self._bucket, CHANGES_A_STEP))
        ends = len(changes) < CHANGES_A_STEP
        if ends:
            self._bucket = None
        people = people_of(self._folder, bucket) if ends else 0
        return Batch(changes=changes, ends=ends, people=people)

    def _keep_going(self) -> None:
        """Start the process, and again when it ended before its time."""
        if self._process is None:
            if self._clock.monotonic() >= self._again_at:
                self._start()
            return
        status = self._process.poll()
        if status is None:
            return
        self._process = None
        self._again_at = self._clock.monotonic() + PAUSE_SECONDS
        if status in (0, BUSY):
            return
        brought = self._count() > self._ready
        attempts = 1 if brought else self.row.attempts + 1
        log.warning("the switch's process ended with %s; attempt %s", status, attempts)
        Switch.objects.filter(pk=self.row.pk).update(attempts=attempts)
        self.row.attempts = attempts
        if attempts >= ATTEMPTS_MAX:
            self.row.refresh_from_db(fields=["fault"])
            self.row.fault = self.row.fault or f"its process ended with {status}"
            raise SwitchError(self.row.fault)

    def _start(self) -> None:
        self._ready = self._count()
        self._process = subprocess.Popen(
            [sys.executable, "-m", PROCESS, str(self.row.pk)],
            stdin=subprocess.DEVNULL,
        )

    def _count(self) -> int:
        return len(list(self._folder.glob("bucket-*.jsonl")))

    def stop(self) -> None:
        """End the process; what it has finished stays."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def discard(self) -> None:
        """End the process and remove what it made: a switch that is over takes no disk."""
        self.stop()
        shutil.rmtree(self._folder.parent, ignore_errors=True)


class SwitchError(Exception):
    """The set-based way failed; the change is carried person by person instead."""
