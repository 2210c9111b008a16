"""Pages of statuses: the list by colour, open tasks, and why a person has a colour."""

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from passlight.office.accounts.roles import requires
from passlight.office.facts.words import short_subject
from passlight.office.people.models import Person
from passlight.office.statuses.explanation import explain
from passlight.office.statuses.forms import MomentForm, StatusFilterForm
from passlight.office.statuses.models import Reason, Task
from passlight.office.statuses.queries import (
    LISTED_MAX,
    colour_counts,
    heartbeat,
    statuses_listed,
)
from passlight.runtime.clock import SystemClock

CLOCK = SystemClock()
ROWS_A_PAGE = 50
TASKS_SHOWN = 200


@require_safe
@requires("statuses.view")
def index(request: HttpRequest) -> HttpResponse:
    """List people by handle with what doors are told about them now."""
    now = CLOCK.now()
    form = StatusFilterForm(request.GET or None)
    wanted = form.cleaned_data if form.is_valid() else {}
    rows = statuses_listed(wanted.get("colour", ""), wanted.get("handle", ""), now=now)
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    reasons = Reason.objects.in_bulk([row.reason_key for row in page.object_list if row.reason_key])
    context = {
        "form": form,
        "page": page,
        "rows": [
            {
                "row": row,
                "handle": short_subject(row.handle),
                "reason": reasons[row.reason_key].reason if row.reason_key in reasons else None,
            }
            for row in page.object_list
        ],
        "capped": LISTED_MAX if len(rows) >= LISTED_MAX else None,
        "counts": [(colour.value, count) for colour, count in colour_counts(now=now).items()],
        "heartbeat": heartbeat(),
        "tasks": Task.objects.count(),
    }
    return render(request, "statuses/index.html", context)


@require_safe
@requires("statuses.view")
def tasks(request: HttpRequest) -> HttpResponse:
    """List what somebody has to look into, the newest first."""
    rows = list(Task.objects.order_by("-id")[:TASKS_SHOWN])
    handles = dict(
        Person.objects.filter(ordinal__in={row.ordinal for row in rows}).values_list(
            "ordinal", "facts_key"
        )
    )
    listed = [
        {
            "row": row,
            "code": f"statuses.task.{row.kind}",
            "handle": handles[row.ordinal],
            "short": short_subject(handles[row.ordinal]),
        }
        for row in rows
        if row.ordinal in handles
    ]
    return render(request, "statuses/tasks.html", {"rows": listed})


@require_safe
@requires("statuses.view")
def explain_page(request: HttpRequest, handle: str) -> HttpResponse:
    """Explain one person's status at a moment, as known at a moment; by handle, no name."""
    person = Person.objects.filter(facts_key=handle).first()
    if person is None:
        raise Http404
    now = CLOCK.now()
    at, known_at = MomentForm(request.GET).moments(now=now)
    context = {
        "person_handle": short_subject(handle),
        "handle": handle,
        "explanation": explain(person, at, known_at, now=now),
    }
    return render(request, "statuses/explain.html", context)
