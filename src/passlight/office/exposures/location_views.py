"""Pages of places: publish a case's windows, read lists from elsewhere, and the public list."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.roles import allowed, requires, signed_in_user
from passlight.office.accounts.roles import public as open_to_all
from passlight.office.exposures import locations
from passlight.office.exposures.forms import ForeignForm, PublishForm, ReasonForm, problem_text
from passlight.office.exposures.models import ForeignList, PublishedLocation
from passlight.office.exposures.queries import cases_visible, locations_in_force, venues_visible
from passlight.office.exposures.views import CLOCK, case_context
from passlight.office.pages.language import message

ROWS_A_PAGE = 50
LISTS_SHOWN = 20
PROBLEMS_SHOWN = 5


@require_POST
@requires("exposures.publish")
def publish(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Make chosen windows of a case public."""
    user = signed_in_user(request)
    found = get_object_or_404(cases_visible(user, show="all"), pk=pk)
    venues = venues_visible(user).values("pk")
    windows = {row.pk: row for row in found.windows.filter(venue_id__in=venues)}
    form = PublishForm(sorted(windows), request.POST)
    if not form.is_valid():
        return render(request, "exposures/case.html", case_context(found, user, form), status=422)
    made = locations.publish(
        [windows[key] for key in form.cleaned_data["windows"]],
        advice_zh=form.cleaned_data["advice_zh"],
        advice_en=form.cleaned_data["advice_en"],
        actor=user,
        clock=CLOCK,
    )
    messages.success(request, message("exposures.done.published", count=made))
    return redirect("exposures:places")


@require_http_methods(["GET", "HEAD", "POST"])
@requires("exposures.publish")
def places(request: HttpRequest) -> HttpResponseBase:
    """Show what is public and the lists from elsewhere, and take another list."""
    user = signed_in_user(request)
    form = ForeignForm(
        request.POST if request.method == "POST" else None,
        request.FILES if request.method == "POST" else None,
    )
    problem = ""
    if form.is_bound and form.is_valid():
        try:
            kept, problems = locations.upload(
                form.cleaned_data["file"].read(),
                name=form.cleaned_data["name"],
                timezone=form.timezone(),
                actor=user,
                clock=CLOCK,
            )
        except ProblemError as error:
            problem = problem_text(error.problems[0])
        else:
            if problems:
                lines = [str(one.line) for one in problems[:PROBLEMS_SHOWN]]
                said = message(
                    "exposures.foreign.left_out", count=len(problems), lines=", ".join(lines)
                )
                messages.warning(request, said)
            return redirect("exposures:foreign", kept.pk)
    rows = locations_in_force().filter(venue__in=venues_visible(user))
    context = {
        "page": Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page")),
        "lists": ForeignList.objects.select_related("uploaded_by").order_by("-pk")[:LISTS_SHOWN],
        "form": form,
        "problem": problem,
    }
    return render(request, "exposures/places.html", context, status=422 if form.is_bound else 200)


@require_POST
@requires("exposures.publish")
def withdraw(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Take a place out of the public list."""
    user = signed_in_user(request)
    rows = PublishedLocation.objects.select_related("venue__unit")
    found = get_object_or_404(rows, pk=pk, venue__in=venues_visible(user))
    locations.withdraw(found, actor=user, clock=CLOCK)
    messages.success(request, message("exposures.done.withdrawn"))
    return redirect("exposures:places")


@require_http_methods(["GET", "HEAD", "POST"])
@requires("exposures.change")
def foreign(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Show what a list would match, and take the second officer's answer."""
    user = signed_in_user(request)
    found = get_object_or_404(
        ForeignList.objects.select_related("uploaded_by", "decided_by"), pk=pk
    )
    form = ReasonForm(request.POST if request.method == "POST" else None)
    problem = ""
    if form.is_bound and form.is_valid():
        accepted = request.POST.get("accept") == "1"
        try:
            locations.decide(
                pk,
                accepted=accepted,
                reason=form.cleaned_data["reason"],
                actor=user,
                clock=CLOCK,
            )
        except ProblemError as error:
            problem = problem_text(error.problems[0])
        else:
            done = "accepted-list" if accepted else "declined-list"
            messages.success(request, message(f"exposures.done.{done}"))
            return redirect("exposures:foreign", pk)
    rows = locations.matched(found, user)
    rows.sort(key=lambda row: (row.venue is None, row.since))
    context = {
        "foreign": found,
        "page": Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page")),
        "matches": sum(row.venue is not None for row in rows),
        "form": form,
        "problem": problem,
        "may_decide": found.decided_at is None
        and allowed(user, "exposures.change")
        and user.is_second_person(found.uploaded_by),
        "cases": found.cases.count(),
    }
    status = 422 if form.is_bound else 200
    return render(request, "exposures/foreign.html", context, status=status)


@open_to_all
@require_safe
def public(request: HttpRequest) -> HttpResponse:
    """Show everybody the places and times that are public."""
    page = Paginator(locations_in_force(), ROWS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "exposures/public.html", {"page": page, "now": CLOCK.now()})


@open_to_all
@require_safe
def public_csv(request: HttpRequest) -> HttpResponse:
    """Return the public list as a file that other health offices read."""
    text = locations.public_csv(second=request.GET.get("layout") != "1")
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="locations.csv"'
    return response
