"""Pages of data errors: the street office chooses the fact, the district decides."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.models import Role, User
from passlight.office.accounts.roles import allowed, requires, signed_in_user
from passlight.office.facts.queries import versions_of
from passlight.office.facts.words import kind_name, payload_lines
from passlight.office.incidents.corrections import decide_correction, declare_data_error
from passlight.office.incidents.forms import DataErrorForm, DecideForm, problem_text
from passlight.office.incidents.grounds import facts_behind
from passlight.office.incidents.models import StoredIncident
from passlight.office.incidents.queries import corrections_visible, incidents_visible
from passlight.office.incidents.views import CLOCK, person_of
from passlight.office.incidents.wording import kind_words, masked_user, named
from passlight.office.pages.language import message
from passlight.office.people.identity import Purpose
from passlight.office.people.queries import MaskedIdentity, masked_identity

ROWS_A_PAGE = 50


@require_safe
@requires("incidents.corrections")
def index(request: HttpRequest) -> HttpResponse:
    """Show the requests to the district, those without an answer first."""
    rows = corrections_visible(signed_in_user(request))
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    now = CLOCK.now()
    context = {
        "page": page,
        "rows": [
            {
                "asked": row,
                "stored": row.incident,
                "venue": named(row.incident.venue),
                "kind": kind_words(row.incident.kind),
                "by": masked_user(row.asked_by),
                "age": (row.decided_at or now) - row.asked_at,
            }
            for row in page.object_list
        ],
    }
    return render(request, "incidents/corrections.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("incidents.corrections")
def decide(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Show one request with its fact, and take the district's answer."""
    user = signed_in_user(request)
    asked = get_object_or_404(corrections_visible(user), pk=pk)
    form = DecideForm(request.POST if request.method == "POST" else None)
    problem = ""
    if form.is_bound and form.is_valid():
        try:
            decide_correction(
                asked.pk,
                corrected=form.cleaned_data["corrected"] == "1",
                answer=form.cleaned_data["answer"],
                fact_id=form.cleaned_data["fact_id"],
                actor=user,
                clock=CLOCK,
            )
        except ProblemError as error:
            problem = _said(error)
        else:
            messages.success(request, message("incidents.done.decided"))
            return redirect("incidents:corrections")
    status = 422 if form.is_bound else 200
    with transaction.atomic():
        context = {
            "asked": asked,
            "stored": asked.incident,
            "kind": kind_words(asked.incident.kind),
            "venue": named(asked.incident.venue),
            "by": masked_user(asked.asked_by),
            "unit": named(asked.asked_by.unit) if asked.asked_by.unit else None,  # type: ignore[arg-type]
            "versions": _versions(asked.fact_id),
            "identity": _identity(asked.incident, user),
            "form": form,
            "problem": problem,
            "may_decide": allowed(user, "incidents.decide") and asked.decided_at is None,
        }
        return render(request, "incidents/correction.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("incidents.street")
def declare(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Choose the fact that is wrong and send the request to the district."""
    user = signed_in_user(request)
    rows = incidents_visible(user).select_related("venue", "unit")
    stored = get_object_or_404(rows, pk=pk)
    person = person_of(stored)
    facts = facts_behind(person, CLOCK.now()) if person is not None else []
    form = DataErrorForm(facts, request.POST if request.method == "POST" else None)
    problem = ""
    if form.is_bound and form.is_valid():
        try:
            declare_data_error(
                stored.pk,
                reason=form.cleaned_data["reason"],
                fact_id=form.cleaned_data["fact_id"],
                fact_known=bool(facts),
                actor=user,
                clock=CLOCK,
            )
        except ProblemError as error:
            problem = _said(error)
        else:
            messages.success(request, message("incidents.done.declared", number=stored.number))
            return redirect("incidents:detail", stored.pk)
    context = {
        "stored": stored,
        "form": form,
        "facts": facts,
        "known": person is not None,
        "problem": problem,
        "kind": kind_words(stored.kind),
    }
    status = 422 if form.is_bound else 200
    return render(request, "incidents/data_error.html", context, status=status)


def _said(error: ProblemError) -> str:
    problem = error.problems[0]
    if problem.code.startswith("incidents."):
        return problem_text(problem)
    return message("incidents.refused.fact-form", field=problem.field or "")


def _versions(fact_id: str) -> list[dict[str, Any]]:
    return [
        {"row": row, "kind": kind_name(row.kind), "lines": payload_lines(row.kind, row.payload)}
        for row in (versions_of(fact_id) if fact_id else [])
    ]


def _identity(stored: StoredIncident, user: User) -> MaskedIdentity | None:
    person = person_of(stored)
    if person is None or user.role == Role.AUDITOR:
        return None
    return masked_identity(
        person, actor=user, purpose=Purpose.CORRECTION, case=stored.number, clock=CLOCK
    )
