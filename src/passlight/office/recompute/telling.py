"""Telling the stewards what a recompute found, or that it could not be done."""

from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count

from passlight.core.kernel.clock import Clock
from passlight.office.accounts.models import Role, Unit, User
from passlight.office.notices.actions import notify
from passlight.office.notices.recipients import RoleHolder
from passlight.office.recompute.models import Difference, Run

_COUNT_MAX: Final = 999_999


def tell_found(run: Run, *, clock: Clock) -> None:
    """Tell how many people differ, and as an alarm how many still do; nothing when none does."""
    if not run.different:
        return
    states = dict(
        Difference.objects.filter(run=run).values_list("state").annotate(count=Count("pk"))
    )
    open_ = states.get(Difference.State.STAYS, 0) + states.get(Difference.State.OPEN, 0)
    open_ += run.different - sum(states.values())  # more than are kept one by one
    code = "recompute.notice_alarm" if open_ else "recompute.notice_corrected"
    count = min(_COUNT_MAX, open_ or run.different)
    notify(stewards(), code, {"at": _day(run), "count": count}, clock=clock)


def tell_failed(run: Run, *, clock: Clock) -> None:
    """Tell that the city was not compared."""
    notify(stewards(), "recompute.notice_failed", {"at": _day(run)}, clock=clock)


def stewards() -> list[RoleHolder]:
    """Return the stewards' posts: those of every unit that has one."""
    units = User.objects.filter(role=Role.STEWARD, locked_at=None).values("unit")
    return [RoleHolder(unit=unit, role=Role.STEWARD) for unit in Unit.objects.filter(pk__in=units)]


def _day(run: Run) -> str:
    moment = run.at or run.asked_at
    return f"{moment.astimezone(ZoneInfo(settings.TIME_ZONE)):%Y-%m-%d %H:%M}"
