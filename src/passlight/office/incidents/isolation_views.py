"""The temporary isolation area (临时隔离区): who is to be led there, who is there, what comes next.

S4 三(二)1 and 5: an abnormal code is led to the area, and reported at once. Names are read once
a page and stand in the access log; while the page stays open it only asks whether anything
changed.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from passlight.core.incidents.clocks import Due, due
from passlight.core.incidents.event import What
from passlight.core.incidents.steps import Step
from passlight.core.kernel.clock import Clock
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import allowed, requires, signed_in_user
from passlight.office.incidents.models import StoredIncident
from passlight.office.incidents.plan import limits_of
from passlight.office.incidents.queries import ListedIncident, listed, open_incidents
from passlight.office.incidents.wording import entrance_words, named, step_words
from passlight.office.pages.language import current_language
from passlight.office.people.identity import Purpose
from passlight.office.people.models import Person
from passlight.office.people.queries import MaskedIdentity, masked_identity
from passlight.runtime.clock import SystemClock

# What a post does first, in this order (S4 三(二)5).
FIRST_STEPS = (Step.ISOLATED, Step.DUTY_LEADER_TOLD, Step.STREET_TOLD)
SHOWN_MAX = 60
MINUTE, HOUR = 60, 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """One step with its clock: done at, or running since and until."""

    step: Step
    name: str
    english: str
    done_at: datetime | None
    clock: Due | None

    @property
    def state(self) -> str:
        """Return done, late, now or wait: a class of the style sheet."""
        if self.done_at is not None:
            return "done"
        if self.clock is None:
            return "wait"
        return "late" if self.clock.is_late else "now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One incident as this page shows it."""

    stored: StoredIncident
    venue: str
    entrance: str
    identity: MaskedIdentity | None
    steps: tuple[StepLine, ...]
    next_step: StepLine | None
    since: datetime
    elapsed: str
    late: bool


@require_safe
@requires("incidents.view")
def isolation(request: HttpRequest) -> HttpResponse:
    """Show who must be led to the area now, and who is in it."""
    user, clock = signed_in_user(request), SystemClock()
    now = clock.now()
    to_lead, inside = _waiting_and_inside(user, request.GET.get("venue", ""), now)
    cases = [*to_lead, *inside]
    people = _identities(user, [one.stored for one in cases], clock)
    context = {
        "to_lead": [_case(one, people, now, since=one.stored.found_at) for one in to_lead],
        "inside": [
            _case(one, people, now, since=one.stored.isolated_at or one.stored.found_at)
            for one in inside
        ],
        "seen": _fingerprint(cases),
        "now_ms": int(now.timestamp() * 1000),
        "venue": request.GET.get("venue", ""),
        "longest": max((now - (one.stored.isolated_at or now) for one in inside), default=None),
    }
    return render(request, "incidents/isolation.html", context)


@require_safe
@requires("incidents.view")
def isolation_changes(request: HttpRequest) -> HttpResponse:
    """Answer 204 while nothing changed, else ask the page to load again; it names nobody."""
    user, now = signed_in_user(request), SystemClock().now()
    to_lead, inside = _waiting_and_inside(user, request.GET.get("venue", ""), now)
    if request.GET.get("seen") == _fingerprint([*to_lead, *inside]):
        return HttpResponse(status=204)
    return HttpResponse(headers={"HX-Refresh": "true"})


def _waiting_and_inside(
    user: User, venue: str, now: datetime
) -> tuple[list[ListedIncident], list[ListedIncident]]:
    rows = open_incidents(user).filter(left_at=None)
    chosen = _uuid(venue)
    if chosen is not None:
        rows = rows.filter(venue=chosen)
    found = listed(rows[:SHOWN_MAX], now)
    here = [one for one in found if not _gone(one)]
    to_lead = [one for one in here if Step.ISOLATED not in one.incident.done]
    inside = [one for one in here if Step.ISOLATED in one.incident.done]
    return to_lead, sorted(inside, key=lambda one: (not one.late, one.stored.isolated_at))


def _gone(one: ListedIncident) -> bool:
    """Return whether the person went before they could be led there; the log says why."""
    event = one.incident.done.get(Step.ISOLATED)
    return event is not None and event.what is What.EXCUSED


def _identities(
    user: User, rows: Iterable[StoredIncident], clock: Clock
) -> dict[str, MaskedIdentity]:
    """Return the masked identities that ``user`` may see, each read under an access row."""
    if not allowed(user, "people.view"):
        return {}
    named_rows = {row.visits_key: row for row in rows if row.visits_key is not None}
    people = Person.objects.filter(visits_key__in=list(named_rows))
    found = {}
    with transaction.atomic():
        for person in people:
            row = named_rows[person.visits_key]
            found[person.visits_key] = masked_identity(
                person,
                actor=user,
                purpose=Purpose.INCIDENT,
                case=row.number,
                place=row.venue.name,
                clock=clock,
            )
    return found


def _case(
    one: ListedIncident, people: dict[str, MaskedIdentity], now: datetime, *, since: datetime
) -> Case:
    stored, language = one.stored, current_language()
    clocks = {waits.step: waits for waits in due(one.incident, limits_of(stored.limits), now)}
    steps = tuple(_line(one, step, clocks.get(step)) for step in FIRST_STEPS)
    following = one.late[0] if one.late else one.waits
    return Case(
        stored=stored,
        venue=named(stored.venue)[language],
        entrance=entrance_words(stored)[language],
        identity=people.get(stored.visits_key or ""),
        steps=steps,
        next_step=_line(one, following.step, following) if following else None,
        since=since,
        elapsed=elapsed(now - since),
        late=one.is_late,
    )


def _line(one: ListedIncident, step: Step, clock: Due | None) -> StepLine:
    words, done = step_words(step), one.incident.done.get(step)
    return StepLine(
        step=step,
        name=words[current_language()],
        english=words["en"] if current_language() == "zh" else "",
        done_at=done.at if done is not None else None,
        clock=clock,
    )


def elapsed(length: timedelta) -> str:
    """Return ``06:07`` or ``1:06:07``: what a running clock shows; the page's script goes on."""
    seconds = max(0, int(length.total_seconds()))
    hours, minutes = divmod(seconds // MINUTE, MINUTE)
    if seconds >= HOUR:
        return f"{hours}:{minutes:02d}:{seconds % MINUTE:02d}"
    return f"{minutes:02d}:{seconds % MINUTE:02d}"


def _fingerprint(cases: Iterable[ListedIncident]) -> str:
    """Return what changes when the page would look different: events, and what became late."""
    said = [
        f"{one.stored.pk}/{one.stored.events}/{','.join(late.step for late in one.late)}"
        for one in cases
    ]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:24]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
