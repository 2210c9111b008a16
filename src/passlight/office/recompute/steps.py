"""What a process is at, told to a row, to the terminal and to nobody too often."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from passlight.core.kernel.clock import Clock

if TYPE_CHECKING:
    from django.db import models

EVERY_SECONDS: Final = 0.5
#: The steps that have words; a new one of the engine's is shown as preparation.
KNOWN: Final = frozenset(
    {"worker", "served", "facts", "versions", "people", "buckets", "evaluate", "settle"}
)


class OrphanError(Exception):
    """The process that started this one is gone; its next one goes on from here."""


class HasSteps(Protocol):
    """A row that says what its process is at."""

    pk: Any
    step: str
    step_done: int
    step_total: int


class Steps:
    """Writes a row's ``step``, ``step_done`` and ``step_total`` as the work goes on."""

    def __init__(
        self,
        row: "HasSteps",
        objects: "models.Manager[Any]",
        clock: Clock,
        *,
        also: Callable[[str, int, int], None] | None = None,
        parent: int | None = None,
    ) -> None:
        self._row = row
        self._objects = objects
        self._clock = clock
        self._also = also
        self._parent = parent
        self._told_at = -EVERY_SECONDS

    def __call__(self, step: str, done: int, total: int) -> None:
        """Say what is being done, how much of it is done and how much there is.

        Raises:
            OrphanError: when nobody waits for this process any more.
        """
        if self._parent is not None and os.getppid() != self._parent:
            raise OrphanError
        if self._also is not None:
            self._also(step, done, total)
        now = self._clock.monotonic()
        if step == self._row.step and done < total and now - self._told_at < EVERY_SECONDS:
            return
        self._told_at = now
        self._row.step, self._row.step_done, self._row.step_total = step, done, total
        self._objects.filter(pk=self._row.pk).update(step=step, step_done=done, step_total=total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A step as a page shows it."""

    code: str
    done: int
    total: int

    @property
    def percent(self) -> int:
        """Return how much of the step is done."""
        return 100 * self.done // self.total if self.total else 0


def step_context(row: HasSteps) -> Shown:
    """Return what a row's process is at."""
    step = row.step if row.step in KNOWN else "begin"
    return Shown(code=f"recompute.step.{step}", done=row.step_done, total=row.step_total)


def bar() -> Callable[[str, int, int], None] | None:
    """Return a progress bar on standard error, or None when nobody looks at it."""
    if not sys.stderr.isatty():
        return None
    from tqdm import tqdm

    shown: dict[str, Any] = {}

    def told(step: str, done: int, total: int) -> None:
        held = shown.get(step)
        if held is None:
            for other in shown.values():
                other.close()
            shown.clear()
            held = shown[step] = tqdm(total=total, desc=step, leave=False)
        held.total = total
        held.update(done - held.n)

    return told
