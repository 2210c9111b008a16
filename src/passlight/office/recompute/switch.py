"""The process of a switch: ``python -m passlight.office.recompute.switch NUMBER``, as evaluator.

It evaluates everybody under the new packs on the facts up to the switch's number, compares with
what is served, and leaves the changes of each bucket in a file for the worker, which started it
and publishes them. It publishes nothing itself. Killed, it goes on with the bucket it was at.
"""

import logging
import os
import sys

import django

from passlight.core.kernel.problem import ProblemError
from passlight.runtime.clock import SystemClock

log = logging.getLogger("passlight.switch")

BUSY = 75
NICENESS = 5
_FAULT_CHARS = 300


def main() -> int:
    """Run one switch; the exit status says whether its worker shall try again."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s switch %(message)s")
    number, parent = int(sys.argv[1]), os.getppid()
    os.nice(NICENESS)
    django.setup()
    from passlight.office.recompute.carrying import run_switch
    from passlight.office.recompute.folder import city_folder, locked
    from passlight.office.recompute.steps import OrphanError

    with locked(city_folder() / f"switch-{number}.lock", wait=False) as mine:
        if not mine:
            return BUSY
        try:
            run_switch(number, SystemClock(), parent=parent)
        except OrphanError:
            return BUSY
        except Exception as error:
            log.exception("the switch cannot go on")
            _tell(number, error)
            return 1
    return 0


def _tell(number: int, error: Exception) -> None:
    """Keep what went wrong where the packs page shows it; the database may be what went wrong."""
    from passlight.office.background import LOST
    from passlight.office.statuses.models import Switch

    told = str(error) if isinstance(error, ProblemError) else f"{type(error).__name__}: {error}"
    try:
        Switch.objects.filter(pk=number).update(fault=told[:_FAULT_CHARS])
    except LOST:
        log.warning("no database to keep the fault in")


if __name__ == "__main__":
    sys.exit(main())
