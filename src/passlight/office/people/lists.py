"""The lists about people: handles for the steward, identity tasks, the access log."""

from datetime import UTC, date, datetime, time, timedelta

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from passlight.office.accounts.roles import requires
from passlight.office.people import queries
from passlight.office.people.forms import AccessFilter, HandleFilter
from passlight.office.people.models import Access, IdentityTask, Person

ROWS_A_PAGE = 50


@require_safe
@requires("people.handles")
def handles(request: HttpRequest) -> HttpResponse:
    """List people by handle: no name, no number, not even under a mask."""
    filters = HandleFilter(request.GET or None)
    people = Person.objects.only("id", "ordinal", "facts_key", "name_mark", "registered_at")
    people = people.order_by("ordinal")
    if filters.is_valid() and filters.cleaned_data["handle"]:
        people = people.filter(facts_key=filters.cleaned_data["handle"].strip())
    page = Paginator(people, ROWS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "people/handles.html", {"page": page, "form": filters})


@require_safe
@requires("people.tasks")
def tasks(request: HttpRequest) -> HttpResponse:
    """List the documents that came with two names."""
    rows = IdentityTask.objects.select_related("document").order_by("-recorded_at", "-pk")
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "people/tasks.html", {"page": page})


@require_safe
@requires("people.access")
def access_list(request: HttpRequest) -> HttpResponse:
    """List who read whose data, when and why."""
    filters = AccessFilter(request.GET or None)
    rows = queries.accesses()
    if filters.is_bound and filters.is_valid():
        rows = _narrowed(rows, filters)
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "people/access.html", {"page": page, "form": filters})


def _narrowed(rows: QuerySet[Access], filters: AccessFilter) -> QuerySet[Access]:
    data = filters.cleaned_data
    if data["person"]:
        rows = rows.filter(person__facts_key=data["person"].strip())
    if data["actor"]:
        rows = rows.filter(actor__username=data["actor"].strip().lower())
    if data["purpose"]:
        rows = rows.filter(purpose=data["purpose"])
    if data["extent"]:
        rows = rows.filter(masked=data["extent"] == "masked")
    if data["since"]:
        rows = rows.filter(at__gte=_midnight(data["since"]))
    if data["until"]:
        rows = rows.filter(at__lt=_midnight(data["until"] + timedelta(days=1)))
    return rows


def _midnight(day: date) -> datetime:
    """Return the start of a local day as an instant."""
    local = datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
    return local.astimezone(UTC)
