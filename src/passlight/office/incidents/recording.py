"""Adding an event: under the incident's lock, judged by the core, chained by hash.

Whoever adds an event holds the incident's row until commit, so events of one incident have one
order, and a notice exists exactly when its event does.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from passlight.core.incidents.allowed import append
from passlight.core.incidents.clocks import due, hand_over_due
from passlight.core.incidents.event import IncidentEvent, What
from passlight.core.incidents.event_form import event_from_json, event_to_json
from passlight.core.incidents.incident import Incident, fold
from passlight.core.incidents.steps import Step
from passlight.core.kernel.canonical import canonical_json
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.hash_chain import GENESIS, first_break, link
from passlight.office.accounts.models import Unit, User
from passlight.office.incidents.models import Sight, StoredEvent, StoredIncident
from passlight.office.incidents.plan import limits_of
from passlight.office.incidents.wording import SYSTEM

# Steps that are on no clock's way; the others, in order, say where an incident stands.
_BESIDE = frozenset({Step.LEADING_GROUP_TOLD})


@dataclass(slots=True, kw_only=True)
class HeldIncident:
    """An incident whose row this transaction holds, and what its events say."""

    stored: StoredIncident
    incident: Incident | None


def hold(incident_id: UUID) -> HeldIncident:
    """Return an incident, locked until the transaction ends.

    Raises:
        StoredIncident.DoesNotExist: when there is none.
    """
    assert connection.in_atomic_block, "an incident is held inside a transaction"
    rows = StoredIncident.objects.select_related("venue", "unit", "owner", "deputy")
    stored = rows.select_for_update(of=("self",)).get(pk=incident_id)
    return HeldIncident(stored=stored, incident=read(stored))


def read(stored: StoredIncident) -> Incident:
    """Return what the stored events say."""
    bodies = stored.log.order_by("number").values_list("body", flat=True)
    return fold(event_from_json(body) for body in bodies)


def add(
    held: HeldIncident,
    what: What,
    *,
    actor: User | None,
    clock: Clock,
    at: datetime | None = None,
    **fields: Any,
) -> IncidentEvent:
    """Add one event to an incident that is held and bring its row up to date.

    Raises:
        ProblemError: when the core refuses it; it says what is missing.
    """
    assert connection.in_atomic_block, "an event is added inside a transaction"
    before = held.incident
    recorded_at = clock.now()
    if before is not None:
        # A clock that was set back never makes an event older than the one before it.
        recorded_at = max(recorded_at, before.events[-1].recorded_at)
    event = IncidentEvent(
        number=1 if before is None else before.events[-1].number + 1,
        what=what,
        at=recorded_at if at is None else at,
        recorded_at=recorded_at,
        actor=actor.badge if actor is not None else SYSTEM,
        **fields,
    )
    held.incident = append(before, event)
    _derive(held, recorded_at)
    _store(held.stored, event, actor)
    return event


def _store(stored: StoredIncident, event: IncidentEvent, actor: User | None) -> None:
    body = event_to_json(event)
    last = StoredEvent.objects.filter(incident=stored).order_by("-number").first()
    previous = bytes(last.link) if last is not None else GENESIS
    stored.save(force_insert=event.number == 1, force_update=event.number > 1)
    StoredEvent.objects.create(
        incident=stored,
        number=event.number,
        what=event.what.value,
        step=event.step.value if event.step else "",
        at=event.at,
        recorded_at=event.recorded_at,
        actor=actor,
        body=body,
        link=link(previous, canonical_json({"incident": str(stored.pk), **body})),
    )
    units = Unit.objects.in_bulk([int(unit) for unit in _units(event)])
    for unit in units.values():
        Sight.objects.get_or_create(incident=stored, unit=unit)


def _units(event: IncidentEvent) -> tuple[str, ...]:
    """Return the units that see the incident from this event on."""
    return (event.unit,) if event.unit else ()


def _derive(held: HeldIncident, now: datetime) -> None:
    """Set what lists search by, from nothing but the events."""
    stored, incident = held.stored, held.incident
    assert incident is not None, "there is an event"
    people = {user.badge: user for user in _people(incident)}
    stored.owner = people.get(incident.owner)
    stored.deputy = people.get(incident.deputy)
    stored.events = len(incident.events)
    stored.changed_at = now
    done = incident.done
    stored.step = [step for step in Step if step in done and step not in _BESIDE][-1].value
    stored.end = incident.rounds[-1].end or ""
    stored.isolated_at = _at(incident, Step.ISOLATED)
    stored.street_told_at = _at(incident, Step.STREET_TOLD)
    stored.left_at = _at(incident, Step.RELEASED) or _at(incident, Step.DISPOSED)
    stored.closed_at = _at(incident, Step.CLOSED)
    if Step.ISOLATED in done:
        stored.place = done[Step.ISOLATED].note[:60]
    limits = limits_of(stored.limits)
    moments = [waiting.due_at for waiting in due(incident, limits, now)]
    answer = hand_over_due(incident, limits)
    stored.due_at = min([*moments, *([answer] if answer else [])], default=None)


def _people(incident: Incident) -> list[User]:
    return list(User.objects.filter(badge__in={incident.owner, incident.deputy} - {""}))


def _at(incident: Incident, step: Step) -> datetime | None:
    event = incident.done.get(step)
    return event.at if event is not None else None


def broken_at(stored: StoredIncident) -> int | None:
    """Return the first event whose link does not follow from those before; None when all do."""
    rows = stored.log.order_by("number").values_list("body", "link")
    chain = (
        (canonical_json({"incident": str(stored.pk), **body}), bytes(found)) for body, found in rows
    )
    position = first_break(chain)
    return None if position is None else position + 1


def minutes_late(due_at: datetime, now: datetime) -> int:
    """Return how many whole minutes have passed since ``due_at``."""
    return max(0, (now - due_at) // timedelta(minutes=1))
