"""Who has to act: for each step a role on the roster, then everybody after them, up the tree."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from passlight.core.incidents.steps import Step
from passlight.core.places.hall import DutyRole
from passlight.office.accounts.models import Unit, User
from passlight.office.halls.queries import on_duty

# Who is late when a step is late.
RESPONSIBLE: Mapping[Step, DutyRole] = MappingProxyType(
    {
        Step.ISOLATED: DutyRole.DUTY_LEADER,
        Step.DUTY_LEADER_TOLD: DutyRole.DUTY_LEADER,
        Step.STREET_TOLD: DutyRole.DUTY_LEADER,
        Step.LEADING_GROUP_TOLD: DutyRole.DUTY_LEADER,
        Step.ACKNOWLEDGED: DutyRole.STREET_OFFICE,
        Step.VERIFYING: DutyRole.STREET_OFFICE,
        Step.DISPOSED: DutyRole.STREET_OFFICE,
        Step.DATA_ERROR: DutyRole.STREET_OFFICE,
        Step.DISTRICT_TOLD: DutyRole.STREET_OFFICE,
        Step.CORRECTED: DutyRole.LEADING_GROUP,
        Step.NOT_CORRECTED: DutyRole.LEADING_GROUP,
        Step.RELEASED: DutyRole.DUTY_LEADER,
        Step.CLOSED: DutyRole.STREET_OFFICE,
    }
)
_UPWARDS = (DutyRole.DUTY_LEADER, DutyRole.STREET_OFFICE, DutyRole.LEADING_GROUP)


def chain(unit: Unit, role: DutyRole, at: datetime) -> list[User]:
    """Return who is called in ``role``, one after the other.

    After those of the role come those of the next role up: a village with nobody on duty still
    reaches the street office, and that the district.
    """
    found: dict[int, User] = {}
    for one in _UPWARDS[_UPWARDS.index(role) :]:
        duty = on_duty(unit, one.value, at)
        for user in (duty.owner, *duty.deputies):
            if user is not None:
                found.setdefault(user.pk, user)
    return list(found.values())


def called(unit: Unit, role: DutyRole, at: datetime) -> list[User]:
    """Return the first of the chain and the deputy: who is told at once."""
    return chain(unit, role, at)[:2]


class Roster:
    """Who is called, at one moment: a page of many incidents asks once for each unit."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._known: dict[tuple[int, DutyRole], list[User]] = {}

    def called(self, unit: Unit, role: DutyRole) -> list[User]:
        """Return the first of the chain and the deputy."""
        key = (unit.pk, role)
        if key not in self._known:
            self._known[key] = called(unit, role, self._at)
        return self._known[key]
