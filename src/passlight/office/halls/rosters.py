"""Rosters: who works in a hall, and who is on duty for a unit. Entries end, none changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from types import MappingProxyType

from django.db import IntegrityError, transaction

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.documents import Document
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.places.hall import DutyRole
from passlight.office.accounts.models import Role, Unit, User
from passlight.office.halls.models import Duty, Hall, StaffMember
from passlight.office.people.queries import find_by_document
from passlight.office.venues.doors import doors_changed

# Nobody decides who is called above them: a hall that named its own leading group would be told
# of its incidents alone.
_GIVES: Mapping[str, frozenset[DutyRole]] = MappingProxyType(
    {
        Role.HALL_MANAGER: frozenset({DutyRole.DUTY_LEADER}),
        Role.STREET_OFFICE: frozenset({DutyRole.DUTY_LEADER, DutyRole.STREET_OFFICE}),
        Role.DISTRICT_OFFICE: frozenset(DutyRole),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A post in a hall and its hours; one that ends before it starts goes past midnight."""

    post: str
    starts_at: time
    ends_at: time


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDuty:
    """A line of a duty roster."""

    unit: Unit
    role: DutyRole
    user: User
    deputy: User | None
    starts_at: datetime
    ends_at: datetime


def add_staff(
    hall: Hall, document: Document, shift: Shift, *, actor: User, clock: Clock
) -> StaffMember:
    """Put the person whom a document names on the roster of a hall.

    Raises:
        ProblemError: when nobody is registered under that document, or they are on it already.
    """
    person = find_by_document(document)
    if person is None:
        raise _problem("halls.staff.unknown", "Nobody is registered under this document.")
    try:
        with transaction.atomic():
            member = StaffMember.objects.create(
                hall=hall,
                person=person,
                post=shift.post,
                starts_at=shift.starts_at,
                ends_at=shift.ends_at,
                added_by=actor,
                added_at=clock.now(),
            )
            doors_changed([hall.venue], clock=clock)
    except IntegrityError:
        raise _problem("halls.staff.twice", "This person is on the roster already.") from None
    return member


def end_staff(member: StaffMember, *, actor: User, clock: Clock) -> None:
    """Take somebody off the roster; the entry stays, with its end."""
    with transaction.atomic():
        StaffMember.objects.filter(pk=member.pk, ended_at=None).update(
            ended_by=actor, ended_at=clock.now()
        )
        doors_changed([member.hall.venue], clock=clock)


def duties_given_by(actor: User) -> frozenset[DutyRole]:
    """Return the duties that ``actor`` may put on a roster, and take off it."""
    return _GIVES.get(actor.role, frozenset())


def add_duty(new: NewDuty, *, actor: User | None, clock: Clock) -> Duty:
    """Put a line on a duty roster.

    Raises:
        ProblemError: when it ends before it starts, or names one person twice.
    """
    if new.ends_at <= new.starts_at:
        raise _problem("halls.duty.period", "The duty ends before it starts.", field="ends_at")
    if new.deputy is not None and new.deputy.pk == new.user.pk:
        raise _problem("halls.duty.deputy", "The deputy must be somebody else.", field="deputy")
    return Duty.objects.create(
        unit=new.unit,
        role=new.role.value,
        user=new.user,
        deputy=new.deputy,
        starts_at=new.starts_at,
        ends_at=new.ends_at,
        added_by=actor,
        added_at=clock.now(),
    )


def withdraw_duty(duty: Duty, *, clock: Clock) -> None:
    """Take a line off a duty roster; it stays, marked."""
    Duty.objects.filter(pk=duty.pk, withdrawn_at=None).update(withdrawn_at=clock.now())


def _problem(code: str, words: str, *, field: str | None = None) -> ProblemError:
    return ProblemError(
        Problem(code=code, message=words, remedy="Check what was typed.", field=field)
    )
