"""What people do with an incident: steps, hand-over, ends, escalation. Each is one transaction.

A command holds the incident, lets the core judge, writes the event and its notices. Nobody
writes a colour here: a data error asks for a fact to be corrected (``corrections``).
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from django.db import transaction

from passlight.core.incidents.clocks import due_at, escalations, hand_over_due
from passlight.core.incidents.event import Evidence, What
from passlight.core.incidents.steps import Channel, Step
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.models import Role, User
from passlight.office.accounts.roles import allowed
from passlight.office.incidents.duty import RESPONSIBLE, chain
from passlight.office.incidents.models import StoredIncident
from passlight.office.incidents.opening import open_by_hand, open_from_record
from passlight.office.incidents.plan import limits_of
from passlight.office.incidents.queries import incidents_visible
from passlight.office.incidents.recording import HeldIncident, add, hold, minutes_late
from passlight.office.incidents.refusing import refused
from passlight.office.incidents.telling import send, tell
from passlight.office.incidents.unread import pass_on_unread
from passlight.office.incidents.wording import masked_user, step_words

log = logging.getLogger("passlight.incidents")

# step → the action of ``accounts.roles`` that may record it
STEP_ACTIONS: Mapping[Step, tuple[str, ...]] = MappingProxyType(
    {
        Step.ISOLATED: ("incidents.hall",),
        Step.DUTY_LEADER_TOLD: ("incidents.hall",),
        # Who called and who was called may both write it down.
        Step.STREET_TOLD: ("incidents.hall", "incidents.street"),
        Step.LEADING_GROUP_TOLD: ("incidents.hall", "incidents.street", "incidents.district"),
        Step.ACKNOWLEDGED: ("incidents.street",),
        Step.VERIFYING: ("incidents.street",),
        Step.DISPOSED: ("incidents.street",),
        Step.DATA_ERROR: ("incidents.street",),
        Step.DISTRICT_TOLD: ("incidents.street",),
        Step.CORRECTED: ("incidents.district",),
        Step.NOT_CORRECTED: ("incidents.district",),
        Step.RELEASED: ("incidents.hall", "incidents.street"),
        Step.CLOSED: ("incidents.lead", "incidents.street"),
    }
)
# Who stands at a post acts on what they found themselves; who leads a hall, on all of it.
_OWN_ONLY = frozenset({Role.CHECKER, Role.VENUE_OPERATOR, Role.GUIDE})
# Steps that only their own command records, with all that belongs to it.
_OF_CORRECTIONS = frozenset({Step.DATA_ERROR, Step.CORRECTED, Step.NOT_CORRECTED})


def may_record(user: User, stored: StoredIncident, step: Step) -> bool:
    """Return whether ``user`` is one of those who record ``step`` of this incident."""
    actions = STEP_ACTIONS.get(step, ())
    if not any(allowed(user, action) for action in actions):
        return False
    if user.role in _OWN_ONLY and user.pk not in (stored.owner_id, stored.opened_by_id):
        return False
    return incidents_visible(user).filter(pk=stored.pk).exists()


def record_step(
    incident: UUID,
    step: Step,
    *,
    actor: User,
    clock: Clock,
    at: datetime | None = None,
    channel: Channel | None = None,
    who: str = "",
    reference: str = "",
    digest: str = "",
    body: str = "",
    note: str = "",
) -> StoredIncident:
    """Record that a step was done, ``at`` its own time, with how and to whom it was told.

    Raises:
        ProblemError: when it is not the actor's to record, or something is missing before it.
    """
    if step in _OF_CORRECTIONS:
        raise refused("own-command", "A data error is declared and decided on its own page.")
    with transaction.atomic():
        held = _held(incident, actor, step)
        _step(
            held,
            step,
            actor=actor,
            clock=clock,
            at=at,
            evidence=_evidence(channel, who, reference, digest),
            body=body,
            note=note,
        )
        # Who was told by phone takes the incident with their own next step.
        leads = step is Step.STREET_TOLD and allowed(actor, "incidents.lead")
        if leads or step is Step.ACKNOWLEDGED:
            _take(held, actor, clock)
        return held.stored


def excuse_step(
    incident: UUID, step: Step, *, actor: User, clock: Clock, note: str
) -> StoredIncident:
    """Record why a step could not be done: the person has gone."""
    with transaction.atomic():
        held = _held(incident, actor, step)
        _step(held, step, actor=actor, clock=clock, note=note, what=What.EXCUSED)
        return held.stored


def receive(
    incident: UUID, *, actor: User, clock: Clock, at: datetime | None = None
) -> StoredIncident:
    """Let the duty leader take the report: told, by the system, and theirs from now on."""
    with transaction.atomic():
        held = _held(incident, actor, Step.DUTY_LEADER_TOLD)
        if not allowed(actor, "incidents.lead"):
            raise refused("not-yours", "The duty leader takes the report.")
        told = _evidence(Channel.SYSTEM, masked_user(actor)["zh"], "", "")
        _step(held, Step.DUTY_LEADER_TOLD, actor=actor, clock=clock, at=at, evidence=told)
        _take(held, actor, clock)
        return held.stored


def dispose(
    incident: UUID, *, measures: str, actor: User, clock: Clock, at: datetime | None = None
) -> StoredIncident:
    """End A: the measures of the procedure are taken (S4 三(二)5)."""
    return record_step(incident, Step.DISPOSED, actor=actor, clock=clock, at=at, note=measures)


def release(
    incident: UUID, *, note: str, actor: User, clock: Clock, at: datetime | None = None
) -> StoredIncident:
    """Let the person go after the district's answer."""
    return record_step(incident, Step.RELEASED, actor=actor, clock=clock, at=at, note=note)


def close(
    incident: UUID, *, actor: User, clock: Clock, at: datetime | None = None
) -> StoredIncident:
    """Close an incident whose end is reached and of which everybody was told."""
    return record_step(incident, Step.CLOSED, actor=actor, clock=clock, at=at)


def reopen(incident: UUID, *, reason: str, actor: User, clock: Clock) -> StoredIncident:
    """Reopen an end that turned out wrong: another round, and nothing overwritten.

    Raises:
        ProblemError: also when another incident of the person is open at this place.
    """
    with transaction.atomic():
        held = _held(incident, actor)
        if not allowed(actor, "incidents.reopen"):
            raise refused("not-yours", "The street office reopens.")
        stored = held.stored
        others = StoredIncident.objects.filter(
            venue=stored.venue, visits_key=stored.visits_key, closed_at=None
        )
        if stored.visits_key is not None and others.exclude(pk=stored.pk).exists():
            raise refused("other-open", "Another incident of this person is open here.")
        event = add(held, What.REOPENED, actor=actor, clock=clock, note=reason)
        tell(stored, event, clock=clock)
        return stored


def hand_over(
    incident: UUID,
    *,
    to: User,
    actor: User,
    clock: Clock,
    deputy: User | None = None,
    note: str = "",
) -> StoredIncident:
    """Offer an incident to somebody else; it stays the owner's until they accept.

    Raises:
        ProblemError: when the other one could do nothing with it.
    """
    with transaction.atomic():
        held = _held(incident, actor)
        if not allowed(actor, "incidents.hand-over"):
            raise refused("not-yours", "This is not yours to hand over.")
        if to.unit_id is None or not to.is_active or not allowed(to, "incidents.view"):
            raise refused("to-whom", "Hand over to somebody who handles incidents.", field="to")
        event = add(
            held,
            What.HANDED_OVER,
            actor=actor,
            clock=clock,
            to=to.badge,
            deputy=deputy.badge if deputy is not None else "",
            unit=str(to.unit_id),
            note=note,
        )
        tell(held.stored, event, clock=clock)
        return held.stored


def accept(incident: UUID, *, actor: User, clock: Clock) -> StoredIncident:
    """Accept a hand-over: it is the new owner's, and the unit that gave it keeps sight."""
    with transaction.atomic():
        held = _held(incident, actor)
        add(held, What.ACCEPTED, actor=actor, clock=clock)
        return held.stored


def decline(incident: UUID, *, reason: str, actor: User, clock: Clock) -> StoredIncident:
    """Decline a hand-over, with a reason; it stays where it was, and its owner is told."""
    with transaction.atomic():
        held = _held(incident, actor)
        event = add(held, What.DECLINED, actor=actor, clock=clock, note=reason)
        tell(held.stored, event, clock=clock)
        return held.stored


def add_note(incident: UUID, *, note: str, actor: User, clock: Clock) -> StoredIncident:
    """Write a line into the log; also into a closed one."""
    with transaction.atomic():
        held = _held(incident, actor)
        if not allowed(actor, "incidents.note"):
            raise refused("not-yours", "You read this incident and do not write in it.")
        add(held, What.NOTED, actor=actor, clock=clock, note=note)
        return held.stored


def acknowledge(
    incident: UUID, *, actor: User, clock: Clock, at: datetime | None = None
) -> StoredIncident:
    """Let the street office take the report over; the hall keeps sight of it."""
    return record_step(incident, Step.ACKNOWLEDGED, actor=actor, clock=clock, at=at)


def escalate(clock: Clock) -> bool:
    """Tell the next one up of each late step, unanswered hand-over and unread notice.

    Returns whether more waits to be done at once: never, it looks at all of them.
    """
    now = clock.now()
    late = StoredIncident.objects.filter(closed_at=None, due_at__lt=now).order_by("due_at")
    for incident in list(late.values_list("pk", flat=True)):
        with transaction.atomic():
            held = hold(incident)
            assert held.incident is not None, "it has events"
            for step in escalations(held.incident, limits_of(held.stored.limits), now):
                try:
                    _call_next(held, step, clock)
                except ProblemError as error:  # one incident's fault stays that one's
                    log.warning("not escalated: %s", error.problems[0].code)
    pass_on_unread(clock)
    return False


def _call_next(held: HeldIncident, step: Step | None, clock: Clock) -> None:
    """Tell the next one in the chain; at its end, the last one again."""
    stored, incident, now = held.stored, held.incident, clock.now()
    assert incident is not None, "it has events"
    role = RESPONSIBLE[step if step is not None else Step.DUTY_LEADER_TOLD]
    people = chain(stored.unit, role, now)
    if not people:
        return  # nobody in the whole tree: the page shows it late, and asks again next minute
    level = incident.escalated.get(step, 0)
    called = people[min(level + 1, len(people) - 1)]
    limits = limits_of(stored.limits)
    since = due_at(incident, limits, step) if step is not None else hand_over_due(incident, limits)
    add(held, What.ESCALATED, actor=None, clock=clock, step=step, to=called.badge)
    told = {called.pk: called, people[0].pk: people[0]}
    late = {"step": step_words(step), "owner": masked_user(stored.owner)}
    minutes = minutes_late(since, now) if since is not None else 0
    send(stored, "messages.step_late", told.values(), clock=clock, minutes=minutes, **late)


def _step(
    held: HeldIncident,
    step: Step,
    *,
    actor: User,
    clock: Clock,
    at: datetime | None = None,
    evidence: Evidence | None = None,
    body: str = "",
    note: str = "",
    what: What = What.STEP,
) -> None:
    event = add(
        held,
        what,
        actor=actor,
        clock=clock,
        at=at,
        step=step,
        evidence=evidence,
        body=body,
        note=note,
    )
    tell(held.stored, event, clock=clock)


def _take(held: HeldIncident, actor: User, clock: Clock) -> None:
    """Make ``actor`` the owner: by the hand-over that waits for them, or by one of their own."""
    incident = held.incident
    assert incident is not None, "it has events"
    pending = incident.pending
    if pending is not None and actor.badge not in (pending.to, pending.deputy):
        return  # it is promised to somebody else, who answers first
    if pending is None:
        if incident.owner == actor.badge:
            return
        unit = str(actor.unit_id or held.stored.unit_id)
        add(held, What.HANDED_OVER, actor=actor, clock=clock, to=actor.badge, unit=unit)
    add(held, What.ACCEPTED, actor=actor, clock=clock)


def _held(incident: UUID, actor: User, step: Step | None = None) -> HeldIncident:
    """Return the incident, locked, when the actor sees it and may record ``step``.

    Raises:
        ProblemError: otherwise; who does not see it learns nothing else about it.
    """
    if not incidents_visible(actor).filter(pk=incident).exists():
        raise refused("not-yours", "This incident is not of your unit.")
    held = hold(incident)
    if step is not None and not may_record(actor, held.stored, step):
        raise refused("not-yours", "Somebody else records this step.", step=step)
    return held


def _evidence(channel: Channel | None, who: str, reference: str, digest: str) -> Evidence | None:
    if channel is None:
        return None
    return Evidence(channel=channel, who=who.strip(), reference=reference, digest=digest)


__all__ = ["escalate", "open_by_hand", "open_from_record", "record_step"]
