"""Pages about people: find by exact document, register, read with a purpose, end a device.

A document's number travels in the body of a form, never in an address.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from passlight.office.accounts import throttle
from passlight.office.accounts.actions import revoke_registration
from passlight.office.accounts.models import Registration
from passlight.office.accounts.roles import allowed, requires, signed_in_user
from passlight.office.pages.language import message
from passlight.office.people import actions, queries
from passlight.office.people.forms import DocumentForm, RegisterForm, RevealForm
from passlight.office.people.identity import Purpose
from passlight.office.people.lookups import missed_too_often
from passlight.office.people.models import IdentityTask, Person
from passlight.runtime.clock import SystemClock

CLOCK = SystemClock()


@sensitive_post_parameters("number")
@require_http_methods(["GET", "POST"])
@requires("people.find")
def find(request: HttpRequest) -> HttpResponse:
    """Find a person by exact document."""
    user = signed_in_user(request)
    form = DocumentForm(request.POST or None)
    missed = False
    if request.method == "POST" and form.is_valid():
        waits = missed_too_often(user, CLOCK)
        if waits is not None:
            form.add_error("number", waits)
        else:
            person = queries.find_by_document(form.document)
            if person is not None:
                return redirect("people:person", pk=person.pk)
            throttle.failed(throttle.Guess.DOCUMENT, str(user.pk), CLOCK)
            missed = True
    return render(
        request,
        "people/find.html",
        {"form": form, "missed": missed, "can_register": allowed(user, "people.register")},
        status=422 if form.errors else 404 if missed else 200,
    )


@sensitive_post_parameters("number", "name", "phone", "born_on")
@require_http_methods(["GET", "POST"])
@requires("people.register")
def register(request: HttpRequest) -> HttpResponse:
    """Register a person, or complete one whom a feed has named."""
    form = RegisterForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = signed_in_user(request)
        person = actions.register_person(form.person(), source=f"office:{user.badge}")
        messages.success(request, message("people.registered"))
        return redirect("people:person", pk=person.pk)
    return render(
        request, "people/register.html", {"form": form}, status=422 if form.errors else 200
    )


@require_http_methods(["GET"])
@requires("people.view")
def person_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a person under masks, with documents and devices; the reading is logged."""
    with transaction.atomic():
        person = get_object_or_404(Person, pk=pk)
        return _person_page(request, person, RevealForm())


@sensitive_post_parameters()
@require_POST
@requires("people.reveal")
def reveal(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the full values that were asked for, once; the person sees that and why."""
    user = signed_in_user(request)
    form = RevealForm(request.POST)
    with transaction.atomic():
        person = get_object_or_404(Person, pk=pk)
        if not form.is_valid():
            return _person_page(request, person, form, status=422)
        shown = queries.open_identity(
            person,
            actor=user,
            purpose=form.cleaned_data["purpose"],
            fields=form.cleaned_data["fields_wanted"],
            case=form.cleaned_data["case"],
        )
        return _person_page(request, person, RevealForm(), shown=shown)


@require_POST
@requires("people.revoke")
def end_device(request: HttpRequest, pk: UUID, device: int) -> HttpResponse:
    """End a person's device: a lost phone shows no code from now on."""
    found = get_object_or_404(Registration, pk=device, person_id=pk)
    revoke_registration(found, reason="lost", clock=CLOCK)
    messages.success(request, message("people.device_ended"))
    return redirect("people:person", pk=pk)


@require_http_methods(["GET"])
@requires("people.tasks")
def task_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the two names that came with one document, under masks; the reading is logged."""
    user = signed_in_user(request)
    with transaction.atomic():
        rows = IdentityTask.objects.select_related("document__person", "other__person")
        task = get_object_or_404(rows, pk=pk)
        case = f"task-{task.pk}"
        identity = queries.masked_identity(
            task.document.person, actor=user, purpose=Purpose.CORRECTION, case=case
        )
        claimed = queries.claimed_name(task, actor=user, case=case)
        other = None
        if task.other is not None:
            other = queries.masked_identity(
                task.other.person, actor=user, purpose=Purpose.CORRECTION, case=case
            )
        context = {"task": task, "identity": identity, "claimed": claimed, "other": other}
        return render(request, "people/task.html", context)


def _person_page(
    request: HttpRequest,
    person: Person,
    form: RevealForm,
    *,
    shown: queries.OpenIdentity | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render inside the caller's transaction: what undoes the row undoes the answer."""
    user = signed_in_user(request)
    identity = queries.masked_identity(person, actor=user, purpose=Purpose.COUNTER)
    context: dict[str, Any] = {
        "person": person,
        "identity": identity,
        "shown": shown,
        "form": form,
        "can_reveal": allowed(user, "people.reveal") and person.erased_at is None,
        "can_revoke": allowed(user, "people.revoke"),
        "documents": person.documents.order_by("valid_from", "id"),
        "devices": person.registrations.order_by("-created_at")[:10],
        "tasks": IdentityTask.objects.filter(document__person=person, other=None).count(),
        "pairs": IdentityTask.objects.filter(other__isnull=False)
        .filter(Q(document__person=person) | Q(other__person=person))
        .count(),
    }
    return render(request, "people/person.html", context, status=status)
