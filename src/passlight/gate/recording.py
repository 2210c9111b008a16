"""From a decision to the record that goes into the spool: one EntryRecord, three musts."""

import json
from datetime import UTC, datetime
from uuid import UUID

from passlight.core.entry.decide import Verdict
from passlight.core.entry.door_document import DoorDocument
from passlight.core.entry.policy import DoorPolicy
from passlight.core.entry.presented import Presented, Registered, RegisteredBy
from passlight.core.entry.record import (
    Asked,
    AskedState,
    ClockTrust,
    EntryKind,
    EntryRecord,
    MaskWorn,
    Measured,
    MeasuredState,
    entry_from_json,
    entry_to_json,
)
from passlight.gate.decision import Decision, Finding, Observations


def record_of(
    decision: Decision,
    *,
    kind: EntryKind,
    door: DoorDocument,
    policy: DoorPolicy,
    presented: Presented,
    finding: Finding,
    observations: Observations,
    findings: tuple[str, ...] = (),
) -> EntryRecord:
    """Return the record of one event at the door."""
    registered = presented.registered
    return EntryRecord(
        kind=kind,
        role=decision.role,
        answer=decision.answer,
        reason=decision.reason,
        requirement=decision.verdict.requirement,
        venue=door.venue,
        entrance=door.entrance,
        zone=door.zone,
        occurred_at=datetime.fromtimestamp(decision.at, UTC),
        policy=policy.id,
        who=finding.who,
        asked=_asked(policy, presented),
        measured=_measured(policy, presented),
        registered=registered or Registered(how=RegisteredBy.NONE),
        mask=MaskWorn.of(presented.mask),
        guard=observations.guard,
        companions=observations.companions,
        offline=decision.offline,
        feed_as_of=None if decision.as_of is None else datetime.fromtimestamp(decision.as_of, UTC),
        clock=ClockTrust.SURE if decision.clock_sure else ClockTrust.UNSURE,
        lease=UUID(decision.lease) if decision.lease else None,
        visit=UUID(decision.visit),
        findings=findings,
    )


def kind_of(verdict: Verdict) -> EntryKind:
    """Return how a record names what the door did."""
    return EntryKind(verdict.outcome.value)


def findings_of(verdict: Verdict) -> tuple[str, ...]:
    """Return the requirements that were not met, each once."""
    return tuple(dict.fromkeys(finding.requirement for finding in verdict.findings))


def content_of(record: EntryRecord, *, device: str, boot: int, seq: int) -> bytes:
    """Return what is sealed: the record with its number, as the server will read it.

    Raises:
        ProblemError: the record says something that a record cannot say; a defect of the door,
            found here and not by the server a week later.
    """
    entry = entry_to_json(record)
    entry_from_json(entry)
    content = {**entry, "device": device, "boot": boot, "seq": seq}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _asked(policy: DoorPolicy, presented: Presented) -> Asked:
    if presented.questions is not None:
        return Asked(state=AskedState.ASKED, answers=dict(presented.questions))
    state = AskedState.UNOBSERVED if policy.questions else AskedState.NOT_REQUIRED
    return Asked(state=state)


def _measured(policy: DoorPolicy, presented: Presented) -> Measured:
    reading = presented.temperature
    if reading is not None:
        return Measured(
            state=MeasuredState.MEASURED, tenths=reading.tenths, thermometer=reading.thermometer
        )
    rule = policy.temperature
    state = MeasuredState.UNOBSERVED if rule is not None else MeasuredState.NOT_REQUIRED
    return Measured(state=state)
