"""Data errors: the street office asks for one fact to be corrected, the district decides.

B of S4 三(二)5. The correction lands as a fact, by two people from two organisations
(design.md 7, E46); the colour follows by itself. Nobody writes a colour, here or anywhere.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from passlight.core.facts.fact import MANUAL_SOURCE, Op
from passlight.core.facts.form import fact_from_json
from passlight.core.facts.identity import clusters
from passlight.core.incidents.event import Evidence, What
from passlight.core.incidents.steps import Channel, Step
from passlight.core.kernel.clock import Clock
from passlight.core.places.hall import DutyRole
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import allowed
from passlight.office.facts.actions import land_facts
from passlight.office.facts.intake import NewFact
from passlight.office.facts.models import FactVersion
from passlight.office.facts.queries import identity_facts
from passlight.office.incidents.actions import may_record
from passlight.office.incidents.duty import called
from passlight.office.incidents.models import CorrectionRequest, StoredIncident
from passlight.office.incidents.recording import HeldIncident, add, hold
from passlight.office.incidents.refusing import refused
from passlight.office.incidents.telling import tell
from passlight.office.incidents.wording import masked_user
from passlight.office.people.models import Person

# A fact entered by hand lives so long (design.md 7 "short life"); a setting, never law.
MANUAL_DAYS = 14


def declare_data_error(
    incident: UUID,
    *,
    reason: str,
    actor: User,
    clock: Clock,
    fact_id: str = "",
    fact_known: bool = True,
    proposed: Mapping[str, Any] | None = None,
    channel: Channel | None = Channel.SYSTEM,
    who: str = "",
    at: datetime | None = None,
) -> StoredIncident:
    """End B: verified as healthy, an error of the data; the district is asked and told.

    ``channel`` None: it is told by phone or work group, which is recorded as a step of its own.

    ``fact_id`` is the fact that is wrong, ``proposed`` what its payload should say; without
    ``proposed`` the request is to withdraw it. Not ``fact_known``: the district looks for it.

    Raises:
        ProblemError: when it is not the actor's, not the step, or not a fact of this person.
    """
    with transaction.atomic():
        held = _held(incident, actor, Step.DATA_ERROR)
        stored = held.stored
        version = _fact_of(stored, fact_id) if fact_id else None
        if version is None and fact_known and stored.visits_key is not None:
            raise refused("no-fact", "Choose the fact that is wrong.", field="fact_id")
        _event(held, Step.DATA_ERROR, actor=actor, clock=clock, at=at, note=reason)
        CorrectionRequest.objects.create(
            incident=stored,
            fact_id=fact_id,
            fact_ver=version.ver if version is not None else 0,
            reason=reason,
            proposed=dict(proposed) if proposed is not None else None,
            asked_by=actor,
            asked_at=clock.now(),
        )
        if channel is None:
            return stored
        receiver = next(iter(called(stored.unit, DutyRole.LEADING_GROUP, clock.now())), None)
        told = Evidence(channel=channel, who=who or masked_user(receiver)["zh"])
        _event(held, Step.DISTRICT_TOLD, actor=actor, clock=clock, at=at, evidence=told)
        return stored


def decide_correction(
    request: int,
    *,
    corrected: bool,
    answer: str,
    actor: User,
    clock: Clock,
    fact_id: str = "",
) -> CorrectionRequest:
    """Decide a request: the correction lands as a fact, or the fact stands, with the reason.

    Raises:
        ProblemError: when the actor asked for it, is of the same unit, or the fact has changed.
    """
    with transaction.atomic():
        asked = CorrectionRequest.objects.select_related("asked_by").get(pk=request)
        held = _held(asked.incident_id, actor, Step.CORRECTED)
        asked = CorrectionRequest.objects.select_for_update().get(pk=request)
        if asked.decided_at is not None:
            raise refused("decided", "This request has its answer.")
        two = actor.is_second_person(asked.asked_by)
        if not two or actor.unit_id == asked.asked_by.unit_id:
            raise refused("one-organisation", "Somebody of another unit decides (E46).")
        if corrected:
            _land(asked, held.stored, asked.fact_id or fact_id, actor, answer, clock)
        asked.decided_by, asked.decided_at = actor, clock.now()
        asked.corrected, asked.answer = corrected, answer
        asked.save(update_fields=["decided_by", "decided_at", "corrected", "answer"])
        step = Step.CORRECTED if corrected else Step.NOT_CORRECTED
        _event(held, step, actor=actor, clock=clock, note=answer)
        return asked


def _land(
    asked: CorrectionRequest,
    stored: StoredIncident,
    fact_id: str,
    actor: User,
    answer: str,
    clock: Clock,
) -> None:
    """Land the next version of the fact: withdrawn, or with what it should have said."""
    latest = _fact_of(stored, fact_id)
    if latest is None:
        raise refused("no-fact", "Name the fact that is corrected.", field="fact_id")
    if asked.fact_ver and latest.ver != asked.fact_ver:
        raise refused("fact-changed", "The fact has changed meanwhile; look at it again.")
    signed = {
        "officer": asked.asked_by.badge,
        "approver": actor.badge,
        "basis": f"incident {stored.number}: {answer}"[:500],
    }
    if asked.proposed is None:
        payload = {"reason": asked.reason, **signed}
    else:
        until = clock.now() + timedelta(days=MANUAL_DAYS)
        expires_at = until.replace(microsecond=0).isoformat()
        payload = {**latest.payload, **asked.proposed, **signed, "expires_at": expires_at}
    new = NewFact(
        fact_id=latest.fact_id,
        op=Op.RETRACT if asked.proposed is None else Op.ASSERT,
        kind=latest.kind,
        subject=latest.subject,
        occurred_at=latest.occurred_at,
        occurred_until=latest.occurred_until,
        source=MANUAL_SOURCE,
        payload=payload,
    )
    _check_form(new, clock.now())
    batch = f"incident:{stored.pk}"
    land_facts([new], batch_id=batch, clock=clock).require_all()


def _check_form(new: NewFact, now: datetime) -> None:
    """Refuse a proposed payload that no agency could have sent."""
    until = new.occurred_until
    fact_from_json(
        json.loads(
            json.dumps(
                {
                    "fact_id": new.fact_id,
                    "ver": 1,
                    "op": new.op.value,
                    "kind": new.kind,
                    "subject": new.subject,
                    "occurred_at": new.occurred_at.isoformat(),
                    "occurred_until": until.isoformat() if until is not None else None,
                    "recorded_at": now.isoformat(),
                    "source": new.source,
                    "payload": dict(new.payload),
                }
            )
        )
    )


def _fact_of(stored: StoredIncident, fact_id: str) -> FactVersion | None:
    """Return the latest version of a fact about this incident's person.

    Raises:
        ProblemError: when the fact is somebody else's; nobody learns whose.
    """
    latest = FactVersion.objects.filter(fact_id=fact_id).order_by("-ver").first()
    if latest is None:
        return None
    known = Person.objects.filter(visits_key=stored.visits_key)
    # An incident of somebody unknown is about nobody's facts: else it would correct anybody's.
    person = known.first() if stored.visits_key is not None else None
    own = {person.facts_key} if person is not None else set()
    for key in tuple(own):
        own |= clusters(identity_facts(), known_at=None).get(key, frozenset())
    if latest.subject not in own:
        raise refused("not-their-fact", "That is no fact about this person.", field="fact_id")
    return latest


def _held(incident: UUID, actor: User, step: Step) -> HeldIncident:
    held = hold(incident)
    action = "incidents.decide" if step is Step.CORRECTED else "incidents.street"
    if not allowed(actor, action) or not may_record(actor, held.stored, step):
        raise refused("not-yours", "Somebody else records this step.", step=step)
    return held


def _event(
    held: HeldIncident,
    step: Step,
    *,
    actor: User,
    clock: Clock,
    at: datetime | None = None,
    evidence: Evidence | None = None,
    note: str = "",
) -> None:
    event = add(
        held, What.STEP, actor=actor, clock=clock, at=at, step=step, evidence=evidence, note=note
    )
    tell(held.stored, event, clock=clock)
