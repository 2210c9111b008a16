"""Pages of rosters: who works in a hall, and who is on duty."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from passlight.core.kernel.problem import ProblemError
from passlight.core.places.hall import DutyRole
from passlight.office.accounts import throttle
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import allowed, requires, signed_in_user, visible_units
from passlight.office.halls.models import Duty, Hall, StaffMember
from passlight.office.halls.queries import duties_of, on_duty
from passlight.office.halls.roster_forms import DutyForm, StaffForm
from passlight.office.halls.rosters import (
    add_duty,
    add_staff,
    duties_given_by,
    end_staff,
    withdraw_duty,
)
from passlight.office.halls.views import visible, words
from passlight.office.halls.words import problem_text, unit_name
from passlight.office.pages.language import current_language, message
from passlight.office.people.identity import Purpose
from passlight.office.people.lookups import missed_too_often
from passlight.office.people.queries import masked_identity
from passlight.runtime.clock import SystemClock


@sensitive_post_parameters("number")
@require_http_methods(["GET", "HEAD", "POST"])
@requires("rosters.view")
def staff(request: HttpRequest, hall_id: UUID) -> HttpResponseBase:
    """Show the roster of a hall, under masks, each reading logged; add somebody by document."""
    hall, user = visible(request, hall_id), signed_in_user(request)
    may_change = allowed(user, "rosters.change", hall.venue.unit)
    data = request.POST if request.method == "POST" else None
    if data is not None and not may_change:
        raise Http404
    form = StaffForm(data)
    waits = missed_too_often(user, SystemClock()) if data is not None else None
    if waits is not None:
        form.add_error("number", waits)
    elif data is not None and form.is_valid():
        try:
            add_staff(hall, form.document, form.shift(), actor=user, clock=SystemClock())
        except ProblemError as error:
            if error.problems[0].code == "halls.staff.unknown":
                throttle.failed(throttle.Guess.DOCUMENT, str(user.pk), SystemClock())
            form.add_error("number", problem_text(error))
        else:
            messages.success(request, message("halls.staff.added"))
            return redirect("halls:staff", hall.pk)
    context = {**words(hall), "rows": _roster(hall, user), "form": form, "may_change": may_change}
    status = 422 if data is not None else 200
    return render(request, "halls/staff.html", context, status=status)


@require_POST
@requires("rosters.change")
def staff_end(request: HttpRequest, hall_id: UUID, member_id: int) -> HttpResponseBase:
    """Take somebody off the roster."""
    hall = visible(request, hall_id)
    member = get_object_or_404(StaffMember, pk=member_id, hall=hall, ended_at=None)
    end_staff(member, actor=signed_in_user(request), clock=SystemClock())
    messages.success(request, message("halls.staff.ended"))
    return redirect("halls:staff", hall.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("rosters.view")
def duty(request: HttpRequest) -> HttpResponseBase:
    """Show who is on duty now and next in the user's units; add a line."""
    user, clock = signed_in_user(request), SystemClock()
    data = request.POST if request.method == "POST" else None
    may_change = allowed(user, "rosters.change")
    if data is not None and not may_change:
        raise Http404
    form = DutyForm(user, data)
    if data is not None and form.is_valid():
        try:
            add_duty(form.duty(), actor=user, clock=clock)
        except ProblemError as error:
            form.add_error(error.problems[0].field, problem_text(error))
        else:
            messages.success(request, message("halls.duty.added"))
            return redirect("halls:duty")
    now, given = clock.now(), duties_given_by(user)
    context = {
        "form": form,
        "rows": [_line(one, now, given) for one in duties_of(visible_units(user), now)],
        "called": _called(user, now),
        "may_change": may_change,
        "as_of": now,
    }
    return render(request, "halls/duty.html", context, status=200 if data is None else 422)


@require_POST
@requires("rosters.change")
def duty_withdraw(request: HttpRequest, duty_id: int) -> HttpResponseBase:
    """Take a line off a duty roster."""
    user = signed_in_user(request)
    mine = Duty.objects.filter(unit__in=visible_units(user), role__in=duties_given_by(user))
    row = get_object_or_404(mine, pk=duty_id, withdrawn_at=None)
    withdraw_duty(row, clock=SystemClock())
    messages.success(request, message("halls.duty.withdrawn"))
    return redirect("halls:duty")


def _roster(hall: Hall, user: User) -> list[dict[str, Any]]:
    members = hall.staff.filter(ended_at=None).select_related("person")
    with transaction.atomic():
        return [
            {
                "member": member,
                "identity": masked_identity(
                    member.person, actor=user, purpose=Purpose.REVIEW, place=hall.venue.name
                ),
            }
            for member in members
        ]


def _line(one: Duty, now: Any, given: Collection[str]) -> dict[str, Any]:
    return {
        "duty": one,
        "unit": unit_name(one.unit),
        "role": message(f"halls.duty.{one.role}"),
        "user": person_name(one.user),
        "deputy": person_name(one.deputy) if one.deputy is not None else "–",
        "now": one.starts_at <= now,
        "may_withdraw": one.role in given,
    }


def _called(user: User, now: Any) -> list[dict[str, Any]]:
    """Return, for each role, who is called first at this moment for the user's unit."""
    if user.unit is None:
        return []
    rows = []
    for role in DutyRole:
        found = on_duty(user.unit, role.value, now)
        rows.append(
            {
                "role": message(f"halls.duty.{role.value}"),
                "name": person_name(found.owner) if found.owner is not None else "",
                "unit": unit_name(found.unit) if found.unit is not None else "",
                "deputies": [person_name(one) for one in found.deputies[:2]],
            }
        )
    return rows


def person_name(user: User) -> str:
    """Return what somebody of the office is called in the page's language."""
    english = current_language() == "en" and user.display_name_en
    return user.display_name_en if english else user.display_name
