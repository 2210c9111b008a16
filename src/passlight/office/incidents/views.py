"""Pages that show incidents: the list, one with its steps, the street office's queue, a new one.

A person appears under masks, and each such reading is logged for them to see. Lists name
nobody: who looks over them every minute needs ages and steps, not names.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from passlight.core.incidents.incident import Incident
from passlight.core.incidents.steps import FindingKind, Step
from passlight.core.kernel.documents import Document
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import allowed, requires, signed_in_user
from passlight.office.incidents import actions, co_present, evidence, presenting
from passlight.office.incidents.duty import Roster
from passlight.office.incidents.forms import HandOverForm, OpenForm, hand_over_people
from passlight.office.incidents.grounds import grounds_of
from passlight.office.incidents.models import EvidenceFile, RecordLink, StoredIncident
from passlight.office.incidents.queries import (
    ListedIncident,
    closed_incidents,
    incidents_visible,
    listed,
    open_incidents,
    today_start,
    unacknowledged,
)
from passlight.office.incidents.recording import read
from passlight.office.incidents.wording import entrance_words, kind_words, named
from passlight.office.notices.actions import mark_seen
from passlight.office.pages.language import message
from passlight.office.people.identity import Purpose
from passlight.office.people.lookups import looked_up, missed_too_often
from passlight.office.people.models import Person
from passlight.office.people.queries import MaskedIdentity, masked_identity
from passlight.runtime.clock import SystemClock, SystemEntropy

CLOCK = SystemClock()
ENTROPY = SystemEntropy()
ROWS_A_PAGE = 50
OPEN_LISTED_MAX = 200


@require_safe
@requires("incidents.view")
def index(request: HttpRequest) -> HttpResponse:
    """Show open incidents, late ones first, and what was closed today."""
    user, now = signed_in_user(request), CLOCK.now()
    shown = _rows(listed(open_incidents(user)[:OPEN_LISTED_MAX], now), now)
    closed = Paginator(closed_incidents(user, since=today_start(now)), ROWS_A_PAGE)
    page = closed.get_page(request.GET.get("page"))
    context = {
        "rows": shown,
        "late": [row for row in shown if row["is_late"]],
        "first_late": next((row for row in shown if row["is_late"]), None),
        "closed": [
            {"stored": stored, "kind": kind_words(stored.kind), **_times(stored)}
            for stored in page.object_list
        ],
        "page": page,
        "may_open": allowed(user, "incidents.open"),
        "now_ms": int(now.timestamp() * 1000),
    }
    return render(request, "incidents/index.html", context)


@require_safe
@requires("incidents.street")
def street(request: HttpRequest) -> HttpResponse:
    """Show the street office its queue: new reports by waiting minutes, then what it verifies."""
    user, now = signed_in_user(request), CLOCK.now()
    new = unacknowledged(user)[:OPEN_LISTED_MAX]
    taken = open_incidents(user).filter(step__in=[Step.ACKNOWLEDGED.value, Step.VERIFYING.value])
    waiting = open_incidents(user).filter(end="data-error")
    context = {
        "new": _rows(listed(new, now), now),
        "taken": _rows(listed(taken[:OPEN_LISTED_MAX], now), now),
        "waiting": _rows(listed(waiting[:OPEN_LISTED_MAX], now), now),
        "now_ms": int(now.timestamp() * 1000),
    }
    return render(request, "incidents/street.html", context)


@sensitive_post_parameters("number")
@require_http_methods(["GET", "HEAD", "POST"])
@requires("incidents.open")
def open_new(request: HttpRequest) -> HttpResponseBase:
    """Open an incident from a post, perhaps on oneself."""
    user = signed_in_user(request)
    chosen = {"venue": request.GET.get("venue")}
    form = OpenForm(user, request.POST if request.method == "POST" else None, initial=chosen)
    if form.is_bound and form.is_valid():
        myself = bool(form.cleaned_data.get("myself"))
        person = user.person if myself else None
        document = None if person is not None else form.document
        waits = missed_too_often(user, CLOCK) if document is not None else None
        if waits is not None:
            form.add_error("number", waits)
        else:
            stored = _open(form, user, person, document)
            messages.success(request, message("incidents.done.opened", number=stored.number))
            return redirect("incidents:detail", stored.pk)
    return render(
        request, "incidents/open.html", {"form": form}, status=422 if form.is_bound else 200
    )


def _open(
    form: OpenForm, user: User, person: Person | None, document: Document | None
) -> StoredIncident:
    """Open the incident of a valid form; the person named by ``document`` sees who looked."""
    with transaction.atomic():
        if document is not None:
            person = looked_up(
                document, actor=user, purpose=Purpose.INCIDENT, place=form.place.name, clock=CLOCK
            )
        return actions.open_by_hand(
            form.place,
            FindingKind(form.cleaned_data["kind"]),
            actor=user,
            person=person,
            role="staff" if form.cleaned_data.get("myself") else "visitor",
            detail=form.cleaned_data["detail"],
            clock=CLOCK,
            entropy=ENTROPY,
        )


@never_cache
@require_safe
@requires("incidents.view")
def detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show one incident: how long, its steps, whom to call, the person under masks, the log."""
    return detail_page(request, pk)


def detail_page(
    request: HttpRequest, pk: UUID, *, problem: str = "", status: int = 200, **more: Any
) -> HttpResponse:
    """Return the page of one incident, with what went wrong when something did.

    Rendered inside the transaction of the access row: what undoes the row undoes the answer.
    """
    user, now = signed_in_user(request), CLOCK.now()
    with transaction.atomic():
        stored = _visible(user, pk)
        mark_seen(user, stored.pk, clock=CLOCK)
        incident = read(stored)
        person = person_of(stored)
        context = {
            "stored": stored,
            "incident": incident,
            "closed": incident.closed,
            "kind": kind_words(stored.kind),
            "venue": named(stored.venue),
            "entrance": entrance_words(stored),
            "person": person,
            "identity": _identity(person, user, stored),
            "rows": presenting.step_rows(stored, incident, user, now),
            "ends": presenting.ends_open(stored, incident, user, now),
            "calls": presenting.calls(stored, incident, Roster(now), user),
            "lines": presenting.log_lines(incident),
            "grounds": grounds_of(stored),
            "files": evidence.files_of(stored),
            "proven": [step for step in Step if step in incident.done],
            "now_ms": int(now.timestamp() * 1000),
            "found_ms": int(stored.found_at.timestamp() * 1000),
            "age": (stored.closed_at or now) - stored.found_at,
            "problem": problem,
            **_rights(user, stored, incident),
            **more,
        }
        return render(request, "incidents/detail.html", context, status=status)


@never_cache
@require_safe
@requires("incidents.street")
def present(request: HttpRequest, pk: UUID) -> HttpResponse:
    """List who was in the zone with the person, for the office that has to reach them."""
    user = signed_in_user(request)
    with transaction.atomic():
        stored = _visible(user, pk)
        context = {
            "stored": stored,
            "kind": kind_words(stored.kind),
            "found": co_present.co_present(stored, actor=user, clock=CLOCK),
        }
        return render(request, "incidents/present.html", context)


@never_cache
@require_safe
@requires("incidents.view")
def evidence_file(request: HttpRequest, pk: UUID, file: UUID) -> HttpResponse:
    """Send one evidence file as what it is, never as a page; who read it is written."""
    user = signed_in_user(request)
    stored = _visible(user, pk)
    rows = EvidenceFile.objects.select_related("incident__venue")
    found = get_object_or_404(rows, pk=file, incident=stored)
    with transaction.atomic():
        data = evidence.open_file(found, actor=user, clock=CLOCK)
    response = HttpResponse(data, content_type=found.media_type)
    response["Content-Disposition"] = f'attachment; filename="{stored.number}-{found.event}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def person_of(stored: StoredIncident) -> Person | None:
    """Return the person whom the pseudonym names."""
    if stored.visits_key is None:
        return None
    return Person.objects.filter(visits_key=stored.visits_key).first()


def _visible(user: User, pk: UUID) -> StoredIncident:
    rows = incidents_visible(user).select_related("venue", "unit", "owner", "deputy", "opened_by")
    return get_object_or_404(rows, pk=pk)


def _identity(person: Person | None, user: User, stored: StoredIncident) -> MaskedIdentity | None:
    """Return the masked identity, logged, to those who may look at people.

    The auditor reads the course, not the person. Nor does a post: whatever its records name
    would come back with a name, past every limit on look-ups.
    """
    if person is None or not allowed(user, "people.view"):
        return None
    return masked_identity(
        person,
        actor=user,
        purpose=Purpose.INCIDENT,
        case=stored.number,
        place=stored.venue.name,
        clock=CLOCK,
    )


def _rights(user: User, stored: StoredIncident, incident: Incident) -> dict[str, Any]:
    pending = incident.pending
    mine = pending is not None and user.badge in (pending.to, pending.deputy)
    may_hand_over = allowed(user, "incidents.hand-over") and pending is None and not incident.closed
    return {
        "pending": pending,
        "pending_mine": mine,
        "pending_to": presenting.name_of(pending.to, presenting.people_of(incident))
        if pending is not None
        else None,
        "may_receive": allowed(user, "incidents.lead")
        and Step.DUTY_LEADER_TOLD not in incident.done
        and not incident.closed,
        "hand_over": HandOverForm(hand_over_people(stored.unit.path, user))
        if may_hand_over
        else None,
        "may_note": allowed(user, "incidents.note"),
        "may_contacts": allowed(user, "notices.contacts"),
        "may_reopen": allowed(user, "incidents.reopen") and incident.ended,
        "may_list_present": allowed(user, "incidents.street"),
        "records": RecordLink.objects.filter(incident=stored).count(),
    }


def _rows(rows: list[ListedIncident], now: datetime) -> list[dict[str, Any]]:
    roster = Roster(now)
    return [_row(row, now, roster) for row in rows]


def _row(row: ListedIncident, now: datetime, roster: Roster) -> dict[str, Any]:
    stored, waits = row.stored, row.waits
    return {
        "stored": stored,
        "kind": kind_words(stored.kind),
        "venue": named(stored.venue),
        "age": row.age,
        "found_ms": int(stored.found_at.timestamp() * 1000),
        "is_late": row.is_late,
        "waits": waits,
        "step_name": message(f"incidents.waits.{waits.step}") if waits else "",
        "late_for": row.late[0].late if row.late else None,
        "late_step": message(f"incidents.waits.{row.late[0].step}") if row.late else "",
        "late_due": row.late[0].due_at if row.late else None,
        "left": waits.due_at - now if waits and not waits.is_late else None,
        "calls": presenting.calls(stored, row.incident, roster)[:1],
    }


def _times(stored: StoredIncident) -> dict[str, Any]:
    told, isolated = stored.street_told_at, stored.isolated_at
    return {
        "to_street": told - isolated if told and isolated and told >= isolated else None,
        "whole": stored.closed_at - stored.found_at if stored.closed_at else None,
    }
