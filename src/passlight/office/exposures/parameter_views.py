"""The page of parameters: what holds, since when and by whom, and asking for something else."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.roles import allowed, requires, signed_in_user
from passlight.office.exposures.forms import ParametersForm, problem_text
from passlight.office.exposures.parameters import (
    ask_parameters,
    asked_version,
    decide_parameters,
    history,
    parameters_from_json,
    parameters_in_force,
    version_in_force,
)
from passlight.office.pages.language import message
from passlight.runtime.clock import SystemClock

CLOCK = SystemClock()


@require_http_methods(["GET", "HEAD", "POST"])
@requires("exposures.parameters")
def parameters(request: HttpRequest) -> HttpResponseBase:
    """Show the parameters in force and their history, and take a request for others."""
    user = signed_in_user(request)
    may_change = allowed(user, "exposures.change")
    held = parameters_in_force()
    form = ParametersForm(held, request.POST if request.method == "POST" and may_change else None)
    problem = ""
    if form.is_bound and form.is_valid():
        try:
            ask_parameters(
                form.parameters(),
                reason=form.cleaned_data["reason"],
                actor=user,
                clock=CLOCK,
            )
        except ProblemError as error:
            problem = problem_text(error.problems[0])
        else:
            messages.success(request, message("exposures.done.asked-parameters"))
            return redirect("exposures:parameters")
    status = 422 if form.is_bound else 200
    return _page(request, form, problem=problem, status=status)


@require_POST
@requires("exposures.change")
def decide(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Put asked parameters in force, or turn them down."""
    accepted = request.POST.get("accept") == "1"
    try:
        decide_parameters(pk, accepted=accepted, actor=signed_in_user(request), clock=CLOCK)
    except ProblemError as error:
        form = ParametersForm(parameters_in_force())
        problem = problem_text(error.problems[0])
        return _page(request, form, problem=problem, status=409)
    done = "accepted-parameters" if accepted else "declined-parameters"
    messages.success(request, message(f"exposures.done.{done}"))
    return redirect("exposures:parameters")


def _page(
    request: HttpRequest, form: ParametersForm, *, problem: str = "", status: int = 200
) -> HttpResponse:
    user = signed_in_user(request)
    held, asked = parameters_in_force(), asked_version()
    may_change = allowed(user, "exposures.change")
    context = {
        "held": held,
        "stays": [(kind.value, dwell) for kind, dwell in held.dwell.items()],
        "version": version_in_force(),
        "history": history(),
        "asked": asked,
        "differences": _differences(asked.values, held.to_json()) if asked else [],
        "form": form,
        "problem": problem,
        "may_ask": may_change and asked is None,
        "may_decide": may_change
        and asked is not None
        and asked.impact is not None
        and user.is_second_person(asked.asked_by),
        "own": may_change and asked is not None and not user.is_second_person(asked.asked_by),
    }
    return render(request, "exposures/parameters.html", context, status=status)


def _differences(asked: dict[str, object], held: dict[str, object]) -> list[tuple[str, str, str]]:
    """Return the numbers that would change: name, before, after."""
    new, old = parameters_from_json(asked), parameters_from_json(held)
    rows = [
        (message(f"exposures.parameter.{name}"), getattr(old, name), getattr(new, name))
        for name in ("lead_hours", "linger_minutes", "minutes_min", "stay_hours_max")
    ]
    rows += [
        (message(f"exposures.parameter.{name}"), getattr(old.cap, name), getattr(new.cap, name))
        for name in ("people_max", "share_percent_max", "share_people_min")
    ]
    for kind, stay in new.dwell.items():
        for part in ("usual", "certain"):
            name = message(f"exposures.parameter.{part}", kind=message(f"venues.kind.{kind.value}"))
            before = getattr(old.dwell[kind], f"{part}_minutes")
            rows.append((name, before, getattr(stay, f"{part}_minutes")))
    return [(name, str(before), str(after)) for name, before, after in rows if before != after]
