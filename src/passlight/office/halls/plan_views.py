"""Pages of plans: versions, a new one with its preview, and what holds at a hall."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from passlight.core.entry.plans import Origin
from passlight.core.kernel.canonical import content_hash
from passlight.core.kernel.problem import ProblemError
from passlight.core.places.hall import plan_path
from passlight.office.accounts.models import Unit, User
from passlight.office.accounts.roles import allowed, requires, signed_in_user, visible_units
from passlight.office.halls.models import Hall, StoredPlan
from passlight.office.halls.plan_forms import GROUPS, PlanForm, scopes
from passlight.office.halls.planning import (
    NewPlan,
    PlannedChange,
    halls_below,
    preview,
    publish_plan,
    withdraw_plan,
)
from passlight.office.halls.plans import changes_of, resolved_plan, unit_plan
from passlight.office.halls.views import visible, words
from passlight.office.halls.words import hall_name, key_short, problem_text, unit_name, value_text
from passlight.office.pages.language import message
from passlight.runtime.clock import SystemClock, SystemEntropy

ROWS_A_PAGE = 50
# The order of the form: what a door asks comes first.
_ORDER = {name: place for place, name in enumerate(n for _, names in GROUPS for n in names)}
_CAPS = _ORDER[GROUPS[1][1][0]] - 0.5


@require_safe
@requires("plans.view")
def index(request: HttpRequest) -> HttpResponse:
    """Show the versions of the user's units and those above, the latest start first."""
    user = signed_in_user(request)
    page = Paginator(_listed(user), ROWS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [_row(user, stored) for stored in page.object_list],
        "may_publish": allowed(user, "plans.change"),
    }
    return render(request, "halls/plans.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("plans.change")
def new(request: HttpRequest) -> HttpResponseBase:
    """Write a version: what it changes is shown hall by hall before it can be published."""
    user = signed_in_user(request)
    choices = scopes(user)
    if not choices:
        raise Http404
    data = request.POST if request.method == "POST" else None
    scope = (data or request.GET).get("scope") or choices[0][0]
    if scope not in dict(choices):
        raise Http404
    form = _form(scope, data)
    context: dict[str, Any] = {"form": form, "scope": scope, "scopes": choices}
    context["groups"] = form.fields_of()
    if data is not None and form.is_valid():
        planned = form.new_plan()
        try:
            context |= _previewed(planned)
            if data.get("act") == "publish" and data.get("seen") == context["seen"]:
                return _publish(request, planned)
        except ProblemError as error:
            problem = error.problems[0]
            field = problem.field if problem.field in form.fields else None
            form.add_error(field, problem_text(error))
    failed = data is not None and bool(form.errors)
    return render(request, "halls/plan_new.html", context, status=422 if failed else 200)


@require_POST
@requires("plans.change")
def withdraw(request: HttpRequest, plan_id: UUID) -> HttpResponseBase:
    """Take a version back before it holds."""
    user = signed_in_user(request)
    stored = get_object_or_404(_listed(user), pk=plan_id)
    if not _may_change(user, stored):
        raise Http404
    try:
        withdraw_plan(stored, actor=user, clock=SystemClock())
        messages.success(request, message("halls.plan.withdrawn"))
    except ProblemError as error:
        messages.error(request, problem_text(error))
    return redirect("halls:plans")


@require_safe
@requires("plans.view")
def of_hall(request: HttpRequest, hall_id: UUID) -> HttpResponse:
    """Show what holds at a hall now, each value with where it comes from and since when."""
    hall = visible(request, hall_id)
    plan = resolved_plan(hall, SystemClock().now())
    rows = [
        {
            "key": key_short(name),
            "value": value_text(name, value),
            "from": _origin(plan.origins[name]),
            "since": plan.origins[name].effective_from,
            "local": plan.is_local(name),
        }
        for name, value in sorted(plan.values.items(), key=_place)
    ]
    may_publish = allowed(signed_in_user(request), "plans.change", hall.venue.unit)
    context = {**words(hall), "rows": rows, "at": plan.at, "may_publish": may_publish}
    return render(request, "halls/plan.html", context)


def _form(scope: str, data: Any) -> PlanForm:
    """Return the form of ``unit-<id>`` or ``hall-<uuid>``; both are choices of this user."""
    kind, _, number = scope.partition("-")
    now = SystemClock().now()
    if kind == "hall":
        hall = Hall.objects.select_related("venue__unit").get(pk=number)
        return PlanForm(hall.venue.unit, hall, [hall], resolved_plan(hall, now), data)
    unit = Unit.objects.get(pk=number)
    below = halls_below(NewPlan(unit=unit, effective_from=now, changes={}))
    return PlanForm(unit, None, below, unit_plan(unit, now), data)


def _previewed(planned: NewPlan) -> dict[str, Any]:
    """Return the preview for the page, and the mark by which it is known to have been seen."""
    found = preview(planned, now=SystemClock().now())
    lines = [_line(one) for one in found]
    seen = content_hash(
        {
            "unit": planned.unit.pk,
            "hall": str(planned.hall.pk) if planned.hall is not None else "",
            "from": planned.effective_from.isoformat(),
            "lines": [
                [str(one.hall.pk), one.name, str(one.before), str(one.after)] for one in found
            ],
        }
    )
    changed = {str(one.hall.pk) for one in found if one.before != one.after}
    return {
        "preview": lines,
        "seen": seen,
        "changed": len(changed),
        "effective_from": planned.effective_from,
    }


def _publish(request: HttpRequest, planned: NewPlan) -> HttpResponseBase:
    publish_plan(
        planned, actor=signed_in_user(request), clock=SystemClock(), entropy=SystemEntropy()
    )
    messages.success(request, message("halls.plan.published"))
    return redirect("halls:plans")


def _line(one: PlannedChange) -> dict[str, Any]:
    return {
        "hall": hall_name(one.hall),
        "key": key_short(one.name),
        "before": value_text(one.name, one.before),
        "after": value_text(one.name, one.after),
        "changes": one.before != one.after,
        "overridden_by": _origin(one.overridden_by) if one.overridden_by else "",
    }


def _place(pair: tuple[str, Any]) -> tuple[float, str]:
    """Return where a key stands on the page; caps and shares of single doors before the shares."""
    return _ORDER.get(pair[0], _CAPS), pair[0]


def _listed(user: User) -> QuerySet[StoredPlan]:
    """Return the versions below the user's unit, and those above that reach it."""
    above = Q(pk__in=[])
    if user.unit is not None:
        above = Q(hall=None, unit__pk__in=plan_path(user.unit.path))
    return (
        StoredPlan.objects.filter(Q(unit__in=visible_units(user)) | above)
        .select_related("unit", "hall__venue", "published_by", "withdrawn_by")
        .order_by("-effective_from", "-published_at", "id")
    )


def _row(user: User, stored: StoredPlan) -> dict[str, Any]:
    now = SystemClock().now()
    upcoming = stored.withdrawn_at is None and stored.effective_from > now
    state = "withdrawn" if stored.withdrawn_at else "upcoming" if upcoming else "begun"
    return {
        "stored": stored,
        "scope": hall_name(stored.hall) if stored.hall else unit_name(stored.unit),
        "is_hall": stored.hall is not None,
        "changes": [
            {"key": key_short(name), "value": value_text(name, value)}
            for name, value in sorted(changes_of(stored.changes).items(), key=_place)
        ],
        "state": state,
        "may_withdraw": upcoming and _may_change(user, stored),
    }


def _may_change(user: User, stored: StoredPlan) -> bool:
    scope = f"hall-{stored.hall_id}" if stored.hall_id else f"unit-{stored.unit_id}"
    return allowed(user, "plans.change", stored.unit) and scope in dict(scopes(user))


def _origin(origin: Origin) -> str:
    """Return the name of the unit or hall that set a value."""
    last = origin.unit[-1]
    if last.startswith("hall:"):
        hall = Hall.objects.select_related("venue").filter(pk=last.removeprefix("hall:")).first()
        return hall_name(hall) if hall is not None else last
    unit = Unit.objects.filter(pk=last).first()
    return unit_name(unit) if unit is not None else last
