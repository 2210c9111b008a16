"""Pages of recompute: the runs, and one run's differences down to each person by handle."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from passlight.office.accounts.roles import allowed, requires, signed_in_user
from passlight.office.facts.words import short_subject
from passlight.office.pages.language import message
from passlight.office.recompute.actions import ask_for_run, unfinished
from passlight.office.recompute.models import Difference, Run
from passlight.office.recompute.queries import (
    differences_listed,
    is_late,
    last_finished,
    lines,
    runs_listed,
    states_of,
)
from passlight.office.recompute.steps import step_context
from passlight.office.statuses.models import Reason
from passlight.office.statuses.switching import city_installed
from passlight.runtime.clock import SystemClock

CLOCK = SystemClock()
ROWS_A_PAGE = 50


@require_safe
@requires("recompute.view")
def index(request: HttpRequest) -> HttpResponse:
    """List the runs, the newest first, with the one that is under way."""
    running = unfinished()
    installed = city_installed()
    context = {
        "runs": [{"row": run, "open": _open(run)} for run in runs_listed()],
        "running": running,
        "step": step_context(running) if running else None,
        "late": last_finished() if is_late(now=CLOCK.now()) and running is None else None,
        "installed": installed,
        "may_start": installed and running is None and allowed(request.user, "recompute.start"),
    }
    return render(request, "recompute/index.html", context)


@require_POST
@requires("recompute.start")
def start(request: HttpRequest) -> HttpResponse:
    """Ask for a run; the jobs process begins it."""
    run = ask_for_run(user=signed_in_user(request), clock=CLOCK)
    messages.success(request, message("recompute.started"))
    return redirect("recompute:detail", run.pk)


@require_safe
@requires("recompute.view")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one run: how far it is, and whom it found something else about."""
    run = get_object_or_404(Run, pk=pk)
    kind, state = (_wanted(request, name) for name in ("kind", "state"))
    page = Paginator(differences_listed(run, kind=kind, state=state), ROWS_A_PAGE).get_page(
        request.GET.get("page")
    )
    listed = lines(list(page.object_list))
    keys = {key for line in listed for key in (line.served_reason, line.computed_reason) if key}
    reasons = Reason.objects.in_bulk(list(keys))
    states = states_of(run)
    context = {
        "run": run,
        "running": run.state in {Run.State.ASKED, Run.State.RUNNING},
        "step": step_context(run),
        "page": page,
        "kind": kind,
        "state": state,
        "kinds": [(one, run.counts.get(one, 0)) for one in Difference.Kind.values],
        "states": [(one, states[one]) for one in Difference.State.values if one in states],
        "capped": sum(states.values()) if run.different > sum(states.values()) else None,
        "rows": [
            {
                "line": line,
                "short": short_subject(line.handle),
                "served": _words(reasons, line.served_reason),
                "computed": _words(reasons, line.computed_reason),
            }
            for line in listed
        ],
    }
    return render(request, "recompute/detail.html", context)


def _open(run: Run) -> int:
    """Return how many of a run's differences were not put right."""
    states = states_of(run)
    return run.different - sum(
        states.get(one, 0) for one in (Difference.State.CORRECTED, Difference.State.OVERTAKEN)
    )


def _wanted(request: HttpRequest, name: str) -> str:
    known = Difference.Kind.values if name == "kind" else Difference.State.values
    text = request.GET.get(name, "")
    return text if text in known else ""


def _words(reasons: dict[str, Reason], key: str | None) -> dict[str, str] | None:
    found = reasons.get(key) if key else None
    return found.reason if found is not None else None
