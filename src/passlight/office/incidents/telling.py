"""Whom the system tells of an event: notices in the event's own transaction."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from passlight.core.incidents.event import IncidentEvent, What
from passlight.core.incidents.steps import Step
from passlight.core.kernel.clock import Clock
from passlight.core.places.hall import DutyRole
from passlight.messages.text import parameters_of
from passlight.office.accounts.models import User
from passlight.office.incidents.duty import called
from passlight.office.incidents.models import Sight, StoredIncident
from passlight.office.incidents.wording import facts_of
from passlight.office.notices.actions import notify

_OWNER = "owner"
_PENDING = "pending"
# event or step → message, and who is told
_OF_STEPS: Mapping[Step, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        Step.STREET_TOLD: ("incident_street", (DutyRole.STREET_OFFICE,)),
        Step.ACKNOWLEDGED: ("incident_acknowledged", (_OWNER, DutyRole.DUTY_LEADER)),
        Step.DISPOSED: ("incident_disposed", (_OWNER, DutyRole.DUTY_LEADER)),
        Step.DISTRICT_TOLD: ("incident_data_error", (DutyRole.LEADING_GROUP,)),
        Step.CORRECTED: (
            "incident_corrected",
            (_OWNER, DutyRole.DUTY_LEADER, DutyRole.STREET_OFFICE),
        ),
        Step.NOT_CORRECTED: (
            "incident_not_corrected",
            (_OWNER, DutyRole.DUTY_LEADER, DutyRole.STREET_OFFICE),
        ),
        Step.RELEASED: ("incident_released", (_OWNER, DutyRole.STREET_OFFICE)),
        Step.CLOSED: ("incident_closed", (_OWNER, DutyRole.DUTY_LEADER)),
    }
)
_OF_EVENTS: Mapping[What, tuple[tuple[str, tuple[str, ...]], ...]] = MappingProxyType(
    {
        What.OPENED: (
            ("incident_found", (_OWNER, DutyRole.DUTY_LEADER)),
            ("incident_leading_group", (DutyRole.LEADING_GROUP,)),
        ),
        What.HANDED_OVER: (("incident_assigned", (_PENDING,)),),
        What.DECLINED: (("incident_declined", (_OWNER,)),),
        What.REOPENED: (
            ("incident_reopened", (_OWNER, DutyRole.DUTY_LEADER, DutyRole.STREET_OFFICE)),
        ),
    }
)


def tell(stored: StoredIncident, event: IncidentEvent, *, clock: Clock) -> None:
    """Write the notices that an event calls for; most events call for none."""
    messages = _OF_EVENTS.get(event.what, ())
    if event.what in (What.STEP, What.EXCUSED) and event.step is not None:
        of_step = _OF_STEPS.get(event.step)
        messages = (of_step,) if of_step is not None else ()
    for name, wanted in messages:
        people = _recipients(stored, event, wanted, clock.now())
        send(stored, f"messages.{name}", people, clock=clock)


def send(
    stored: StoredIncident, code: str, people: Iterable[User], *, clock: Clock, **more: object
) -> None:
    """Tell ``people`` the message ``code`` about an incident; who is told may read it, too.

    The street office of a district's own hall is not above it in the tree: being told is what
    gives it sight.
    """
    people = list(people)
    for unit in {user.unit_id for user in people if user.unit_id is not None}:
        Sight.objects.get_or_create(incident=stored, unit_id=unit)
    known = {**facts_of(stored), **more}
    params = {name: known[name] for name in parameters_of(code)}
    notify(people, code, params, incident=stored.pk, clock=clock)  # type: ignore[arg-type]


def _recipients(
    stored: StoredIncident, event: IncidentEvent, wanted: Iterable[str], now: datetime
) -> list[User]:
    found: dict[int, User] = {}
    for who in wanted:
        if who == _OWNER:
            people = [stored.owner] if stored.owner is not None else []
        elif who == _PENDING:
            people = list(User.objects.filter(badge__in={event.to, event.deputy} - {""}))
        else:
            people = called(stored.unit, DutyRole(who), now)
        found |= {user.pk: user for user in people}
    return list(found.values())
