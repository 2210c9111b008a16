"""Asking for a recompute; the process that does it is started by the jobs process."""

from typing import Final

from django.db import connection, transaction

from passlight.core.kernel.clock import Clock
from passlight.office.accounts.models import User
from passlight.office.recompute.models import Run

#: The advisory lock under which runs are asked for and requests get their numbers.
REQUEST_LOCK: Final = 0x9A55_0020


def ask_for_run(*, user: User | None, clock: Clock) -> Run:
    """Return the run that is under way, or a new one for the jobs process to begin."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [REQUEST_LOCK])
        running = unfinished()
        if running is not None:
            return running
        return Run.objects.create(state=Run.State.ASKED, asked_at=clock.now(), asked_by=user)


def unfinished() -> Run | None:
    """Return the run that waits or was begun and not ended."""
    open_ = Run.objects.filter(state__in=[Run.State.ASKED, Run.State.RUNNING])
    return open_.order_by("id").first()
