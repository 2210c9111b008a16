"""Pages of tracing: the cases, one case, one batch with its doses and what is decided on it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import allowed, requires, signed_in_user
from passlight.office.exposures import actions
from passlight.office.exposures.forms import (
    CaseFilterForm,
    PublishForm,
    ReasonForm,
    problem_text,
)
from passlight.office.exposures.models import TracedCase, VenueBatch
from passlight.office.exposures.parameters import parameters_in_force
from passlight.office.exposures.queries import (
    batch_lines,
    batches_visible,
    case_lines,
    cases_visible,
    doses,
    exposures_by_dose,
    venues_visible,
    waiting_batches,
)
from passlight.office.exposures.states import BatchState
from passlight.office.pages.language import message
from passlight.office.venues.models import Venue
from passlight.runtime.clock import SystemClock

CLOCK = SystemClock()
ROWS_A_PAGE = 50
WAITING_SHOWN = 20


@require_safe
@requires("exposures.view")
def index(request: HttpRequest) -> HttpResponse:
    """Show what waits for two people, then the cases being traced."""
    user = signed_in_user(request)
    form = CaseFilterForm(request.GET)
    page = Paginator(cases_visible(user, show=form.wanted()), ROWS_A_PAGE).get_page(
        request.GET.get("page")
    )
    waiting = waiting_batches(user)
    context = {
        "form": form,
        "page": page,
        "rows": case_lines(list(page.object_list), user),
        "waiting": batch_lines(waiting.order_by("pk")[:200])[:WAITING_SHOWN],
        "waiting_count": waiting.count(),
    }
    return render(request, "exposures/index.html", context)


@require_safe
@requires("exposures.view")
def case(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one case: its window, where it was, and what was found there."""
    user = signed_in_user(request)
    found = get_object_or_404(cases_visible(user, show="all"), pk=pk)
    return render(request, "exposures/case.html", case_context(found, user))


def case_context(found: TracedCase, user: User, form: PublishForm | None = None) -> dict[str, Any]:
    """Return what the page of a case shows: windows and batches at the user's venues."""
    venues = venues_visible(user).in_bulk()
    windows = [
        {"row": row, "venue": venues[row.venue_id]}
        for row in found.windows.order_by("since", "pk")
        if row.venue_id in venues
    ]
    offered = [window["row"].pk for window in windows]
    lines = batch_lines(found.batches.filter(venue_id__in=venues))
    return {
        "case": found,
        "line": case_lines([found], user)[0],
        "windows": windows,
        "elsewhere": found.windows.exclude(venue_id__in=venues).count(),
        "batches": lines,
        "form": form or PublishForm(offered),
        "may_publish": allowed(user, "exposures.publish"),
    }


@require_safe
@requires("exposures.view")
def batch(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show one batch: how many people by dose, the highest first, and its decisions."""
    user = signed_in_user(request)
    return _batch(request, get_object_or_404(batches_visible(user), pk=pk), ReasonForm())


@require_POST
@requires("exposures.release")
def decide(request: HttpRequest, pk: UUID, act: str) -> HttpResponseBase:
    """Ask for a release, release, refuse, or look again at what was refused."""
    user = signed_in_user(request)
    found = get_object_or_404(batches_visible(user), pk=pk)
    form = ReasonForm(request.POST)
    if act not in {"ask", "release", "refuse", "reopen"}:
        raise Http404
    if not form.is_valid() and act != "release":
        return _batch(request, found, form, status=422)
    try:
        _act(act, found, form, user)
    except ProblemError as error:
        found.refresh_from_db()
        problem = problem_text(error.problems[0])
        return _batch(request, found, form, problem=problem, status=409)
    messages.success(request, message(f"exposures.done.{act}"))
    return redirect("exposures:batch", pk)


def _act(act: str, found: VenueBatch, form: ReasonForm, user: User) -> None:
    reason = form.cleaned_data.get("reason", "")
    seen = form.cleaned_data.get("seen")
    if act == "ask":
        actions.ask_release(found.pk, seen=seen or 0, reason=reason, actor=user, clock=CLOCK)
    elif act == "release":
        actions.release(found.pk, seen=seen or 0, actor=user, clock=CLOCK)
    elif act == "refuse":
        actions.refuse(found.pk, reason=reason, actor=user, clock=CLOCK)
    else:
        actions.reopen(found.pk, reason=reason, actor=user, clock=CLOCK)


def _batch(
    request: HttpRequest,
    found: VenueBatch,
    form: ReasonForm,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    user = signed_in_user(request)
    page = Paginator(exposures_by_dose(found), ROWS_A_PAGE).get_page(request.GET.get("page"))
    line = batch_lines([found])[0]
    asked_by = found.asked_by
    may = allowed(user, "exposures.release")
    waits = found.state == BatchState.ASKED.value and asked_by is not None
    context = {
        "batch": found,
        "line": line,
        "venue": Venue.objects.filter(pk=found.venue_id).first(),
        "doses": doses(found),
        "page": page,
        "decisions": found.decisions.select_related("by").order_by("-pk"),
        "cap": parameters_in_force().cap,
        "form": form,
        "problem": problem,
        "may": may,
        "may_ask": may and found.state == BatchState.HELD.value,
        "may_release": may and waits and asked_by is not None and user.is_second_person(asked_by),
        "waits_for_other": may
        and waits
        and asked_by is not None
        and not user.is_second_person(asked_by),
        "may_refuse": may and found.state != BatchState.REFUSED.value,
        "may_reopen": may and found.state == BatchState.REFUSED.value,
    }
    return render(request, "exposures/batch.html", context, status=status)
