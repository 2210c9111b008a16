"""Notices that nobody reads: the next one up is told, and who reads stops that clock.

This is beside the clocks of the steps: a step may be in time while the one who must take it has
not even opened the notice.
"""

import logging
from typing import Final

from django.db import transaction

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.problem import ProblemError
from passlight.core.places.hall import DutyRole
from passlight.office.accounts.models import User
from passlight.office.incidents.duty import chain
from passlight.office.incidents.models import StoredIncident
from passlight.office.incidents.plan import unread_limit
from passlight.office.incidents.telling import send
from passlight.office.incidents.wording import masked_user
from passlight.office.notices.models import Notice
from passlight.office.notices.queries import unread_of

log = logging.getLogger("passlight.incidents")

UNREAD: Final = "messages.incident_unread"
# What somebody has to act on; news of what others did may wait in the bell.
_CALLS: Final = frozenset(
    {
        *("messages.incident_found", "messages.incident_street", "messages.incident_assigned"),
        *("messages.incident_leading_group", "messages.incident_data_error"),
        *("messages.incident_reopened", "messages.step_late", UNREAD),
    }
)


def pass_on_unread(clock: Clock) -> None:
    """Tell the next one up of every call about an open incident that waits too long unread."""
    for pk in list(StoredIncident.objects.filter(closed_at=None).values_list("pk", flat=True)):
        stored = StoredIncident.objects.select_related("unit", "venue").get(pk=pk)
        before = clock.now() - unread_limit(stored.limits)
        waiting = [one for one in unread_of(pk, before=before) if one.code in _CALLS]
        for user in {one.user for one in waiting if one.user is not None}:
            theirs = [one for one in waiting if one.user == user]
            try:
                _pass_on(stored, user, theirs, clock)
            except ProblemError as error:  # one incident's fault stays that one's
                log.warning("not passed on: %s", error.problems[0].code)


def _pass_on(stored: StoredIncident, user: User, theirs: list[Notice], clock: Clock) -> None:
    now = clock.now()
    with transaction.atomic():
        unread = Notice.objects.filter(
            pk__in=[one.pk for one in theirs], read_at=None, passed_on_at=None
        )
        if not unread.update(passed_on_at=now):
            return  # read, or passed on by another process, while we looked
        following = _after(user, chain(stored.unit, DutyRole.DUTY_LEADER, now))
        if following is None:
            return  # the last one up: the page shows it late, and every step has its own clock
        waited = int((now - theirs[0].created_at).total_seconds()) // 60
        send(stored, UNREAD, [following], clock=clock, owner=masked_user(user), minutes=waited)


def _after(user: User, people: list[User]) -> User | None:
    """Return whom to tell when ``user`` does not read: a post's own people first."""
    if user not in people:
        return people[0] if people else None
    later = people[people.index(user) + 1 :]
    return later[0] if later else None
