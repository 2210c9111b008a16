"""What the forms of an incident's page post: steps, hand-over, notes, evidence."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from passlight.core.incidents.steps import Step
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import requires, signed_in_user
from passlight.office.incidents import actions
from passlight.office.incidents.evidence import BYTES_MAX, add_evidence
from passlight.office.incidents.forms import (
    FileForm,
    HandOverForm,
    NoteForm,
    PlaceField,
    StepForm,
    hand_over_people,
    problem_text,
)
from passlight.office.incidents.models import StoredIncident
from passlight.office.incidents.queries import incidents_visible
from passlight.office.incidents.views import CLOCK, ENTROPY, detail_page
from passlight.office.pages.language import message
from passlight.office.pages.templatetags.passlight import fault_of


@require_POST
@requires("incidents.view")
def step(request: HttpRequest, pk: UUID, step: str) -> HttpResponseBase:
    """Record a step; who may is the action's to say."""
    found, form = _step(step), StepForm(request.POST)
    if found is Step.ISOLATED:
        form.fields["note"] = PlaceField()
    if not form.is_valid():
        return _faults(request, pk, form, found)

    def record(user: User) -> StoredIncident:
        given = form.given(CLOCK.now())
        return actions.record_step(pk, found, actor=user, clock=CLOCK, **given)

    return _do(request, pk, record, f"incidents.step.{found}", found)


@require_POST
@requires("incidents.lead")
def receive(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Let the duty leader take the report."""
    return _do(
        request,
        pk,
        lambda user: actions.receive(pk, actor=user, clock=CLOCK),
        "incidents.step.duty-leader-told",
    )


@require_POST
@requires("incidents.hall")
def excuse(request: HttpRequest, pk: UUID, step: str) -> HttpResponseBase:
    """Record why a step was not possible."""
    found, form = _step(step), NoteForm(request.POST)
    if not form.is_valid():
        return _faults(request, pk, form)
    note = form.cleaned_data["note"]
    return _do(
        request,
        pk,
        lambda user: actions.excuse_step(pk, found, actor=user, clock=CLOCK, note=note),
        f"incidents.step.{found}",
    )


@require_POST
@requires("incidents.hand-over")
def hand_over(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Offer the incident to somebody else."""
    user = signed_in_user(request)
    stored = incidents_visible(user).select_related("unit").filter(pk=pk).first()
    if stored is None:
        raise Http404
    form = HandOverForm(hand_over_people(stored.unit.path, user), request.POST)
    if not form.is_valid():
        return _faults(request, pk, form)
    to, note = form.receiver, form.cleaned_data["note"]
    return _do(
        request,
        pk,
        lambda user: actions.hand_over(pk, to=to, actor=user, clock=CLOCK, note=note),
        "incidents.hand_over",
    )


@require_POST
@requires("incidents.view")
def answer(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Accept or decline a hand-over."""
    if request.POST.get("accept") == "1":
        return _do(
            request,
            pk,
            lambda user: actions.accept(pk, actor=user, clock=CLOCK),
            "incidents.what.accepted",
        )
    reason = request.POST.get("note", "")[:300]
    return _do(
        request,
        pk,
        lambda user: actions.decline(pk, reason=reason, actor=user, clock=CLOCK),
        "incidents.what.declined",
    )


@require_POST
@requires("incidents.note")
def note(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Write a line into the log."""
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _faults(request, pk, form)
    text = form.cleaned_data["note"]
    return _do(
        request,
        pk,
        lambda user: actions.add_note(pk, note=text, actor=user, clock=CLOCK),
        "incidents.what.noted",
    )


@require_POST
@requires("incidents.reopen")
def reopen(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Reopen an end that turned out wrong."""
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _faults(request, pk, form)
    reason = form.cleaned_data["note"]
    return _do(
        request,
        pk,
        lambda user: actions.reopen(pk, reason=reason, actor=user, clock=CLOCK),
        "incidents.what.reopened",
    )


@require_POST
@requires("incidents.note")
def evidence(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Keep a recording or a screenshot beside the step that it proves."""
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _faults(request, pk, form)
    proves = _step(form.cleaned_data["step"])
    # One byte too many is enough to refuse it; nobody fills the memory.
    data = form.cleaned_data["file"].read(BYTES_MAX + 1)

    def keep(user: User) -> StoredIncident:
        added = add_evidence(pk, data, step=proves, actor=user, clock=CLOCK, entropy=ENTROPY)
        return added.incident

    return _do(request, pk, keep, "incidents.what.evidence")


def _do(
    request: HttpRequest,
    pk: UUID,
    act: Callable[[User], StoredIncident],
    done: str,
    step: Step | None = None,
) -> HttpResponseBase:
    """Run a command and go back to the incident; a refusal is shown there in words."""
    try:
        stored = act(signed_in_user(request))
    except ProblemError as error:
        problem = problem_text(error.problems[0])
        return detail_page(request, pk, problem=problem, status=422, typed=_typed(request, step))
    text = message("incidents.done.recorded", what=message(done), number=stored.number)
    messages.success(request, text)
    return redirect("incidents:detail", stored.pk)


def _faults(
    request: HttpRequest, pk: UUID, form: Form, step: Step | None = None
) -> HttpResponseBase:
    errors = [
        fault_of(form[name], str(error)) for name, found in form.errors.items() for error in found
    ]
    typed = _typed(request, step)
    return detail_page(request, pk, problem=" ".join(errors), status=422, typed=typed)


def _typed(request: HttpRequest, step: Step | None) -> dict[str, object]:
    """Return what was typed into which step, so that nobody types it twice."""
    if step is None:
        return {}
    return {"step": step.value, "name": message(f"incidents.step.{step}"), "fields": request.POST}


def _step(name: str) -> Step:
    try:
        return Step(name)
    except ValueError:
        raise Http404 from None
