"""What may be added to an incident, and what is missing when something may not.

``may`` is the only judge: the office asks it under the incident's lock, the tests ask it in
every order they can think of. A refusal says which step is missing, so that whoever stands in
front of it knows what to do next.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from passlight.core.incidents.event import Evidence, IncidentEvent, What
from passlight.core.incidents.incident import Incident, opened_by, with_event
from passlight.core.incidents.steps import (
    EXCLUDES,
    EXCUSABLE,
    EXPLAINED,
    KEPT_BY_REOPENING,
    STANDS_ON,
    TELLING,
    FindingKind,
    Step,
)
from passlight.core.kernel.limits import (
    INCIDENT_BODIES_MAX,
    INCIDENT_EVENTS_MAX,
    INCIDENT_TEXT_CHARS_MAX,
)
from passlight.core.kernel.problem import Problem, ProblemError

_DIGEST_CHARS = 64
_AFTER_CLOSING = frozenset({What.REOPENED, What.NOTED, What.EVIDENCE})
# However full the log is, an incident can go on to its end.
_ALWAYS = frozenset({What.STEP, What.EXCUSED, What.ACCEPTED, What.DECLINED, What.REOPENED})
_OF_THE_CODE = frozenset({FindingKind.RED, FindingKind.YELLOW})


def append(incident: Incident | None, event: IncidentEvent) -> Incident:
    """Return the incident with ``event`` added, or the one that it opens.

    Raises:
        ProblemError: when the event may not be added; it says what is missing.
    """
    problem = may(incident, event)
    if problem is not None:
        raise ProblemError(problem)
    return opened_by(event) if incident is None else with_event(incident, event)


def may(incident: Incident | None, event: IncidentEvent) -> Problem | None:
    """Return None when ``event`` may be added, else what is wrong or missing."""
    problem = _well_formed(event)
    if problem is not None:
        return problem
    if incident is None:
        return _opens(event)
    if event.what is What.OPENED:
        return _refuse("already-open", "The incident is open already.", field="what")
    return _in_order(incident, event) or _CHECKS[event.what](incident, event)


def next_steps(incident: Incident) -> tuple[Step, ...]:
    """Return the steps that may be recorded now, in the order of the procedure."""
    if incident.closed:
        return ()
    done = incident.done
    return tuple(
        step
        for step in Step
        if step not in done
        and EXCLUDES.get(step) not in done
        and not _missing(incident, step)
        and (step is not Step.DATA_ERROR or incident.kinds & _OF_THE_CODE)
    )


def _well_formed(event: IncidentEvent) -> Problem | None:
    if event.at.tzinfo is None or event.recorded_at.tzinfo is None:
        return _refuse("naive-time", "Times need an offset.", field="at")
    if event.at > event.recorded_at:
        return _refuse("future", "It cannot be recorded before it has happened.", field="at")
    if not event.actor:
        return _refuse("nobody", "Somebody records it.", field="actor")
    texts = (event.actor, event.to, event.deputy, event.unit, event.body, event.note)
    if any(len(text) > INCIDENT_TEXT_CHARS_MAX for text in (*texts, *event.bodies)):
        return _refuse("too-long", f"Keep a text within {INCIDENT_TEXT_CHARS_MAX} characters.")
    return _evidence(event.evidence)


def _evidence(evidence: Evidence | None) -> Problem | None:
    if evidence is None:
        return None
    if any(len(text) > INCIDENT_TEXT_CHARS_MAX for text in (evidence.who, evidence.reference)):
        return _refuse("too-long", f"Keep a text within {INCIDENT_TEXT_CHARS_MAX} characters.")
    hexadecimal = all(c in "0123456789abcdef" for c in evidence.digest)
    if evidence.digest and (len(evidence.digest) != _DIGEST_CHARS or not hexadecimal):
        return _refuse("digest", "is not a SHA-256 digest.", field="evidence.digest")
    return None


def _opens(event: IncidentEvent) -> Problem | None:
    if event.what is not What.OPENED or event.number != 1:
        return _refuse("not-open", "An incident begins with what was found.", field="what")
    if event.finding is None:
        return _refuse("no-finding", "Say what was found.", field="finding")
    if not event.to:
        return _refuse("no-owner", "Somebody is responsible: who scanned first.", field="to")
    if not event.unit:
        return _refuse("no-unit", "Name the hall's unit, which keeps sight.", field="unit")
    if len(event.bodies) > INCIDENT_BODIES_MAX or len(set(event.bodies)) != len(event.bodies):
        return _refuse("bodies", "Name each body once.", field="bodies")
    return None


def _in_order(incident: Incident, event: IncidentEvent) -> Problem | None:
    last = incident.events[-1]
    if event.number != last.number + 1:
        return _refuse("number", f"The next event is number {last.number + 1}.", field="number")
    if event.recorded_at < last.recorded_at:
        return _refuse("order", "It is recorded before the last event.", field="recorded_at")
    if len(incident.events) >= INCIDENT_EVENTS_MAX and event.what not in _ALWAYS:
        return _refuse("too-many", "The incident is full; close it and open another.")
    late = (
        event.what is What.JOINED and incident.closed and event.at <= incident.done[Step.CLOSED].at
    )
    if incident.closed and not late and event.what not in _AFTER_CLOSING:
        return _refuse("closed", "The incident is closed; reopen it with a reason.")
    return None


def _step(incident: Incident, event: IncidentEvent) -> Problem | None:
    step = event.step
    if step is None or step is Step.FOUND:
        return _refuse("no-step", "Name the step.", field="step")
    other = EXCLUDES.get(step)
    if step in incident.done or (step is Step.LEADING_GROUP_TOLD and _told(incident, event)):
        return _refuse("done-already", "This step is done already.", field="step", step=step)
    if other is not None and other in incident.done:
        return _refuse("other-end", "The other end is taken; reopen first.", step=other)
    missing = _missing(incident, step)
    if missing:
        listed = ",".join(missing)
        return _refuse("missing", f"First: {listed}.", field="step", step=missing[0], steps=listed)
    if event.at < _not_before(incident, step):
        return _refuse("too-early", "It is earlier than what it follows.", field="at", step=step)
    if step is Step.DATA_ERROR and not incident.kinds & _OF_THE_CODE:
        return _refuse("no-code", "No colour was found that could be wrong.", field="step")
    return _said(incident, event, step)


def _said(incident: Incident, event: IncidentEvent, step: Step) -> Problem | None:
    if step in TELLING and (event.evidence is None or not event.evidence.who):
        return _refuse("who", "Say who was told, and how.", field="evidence.who", step=step)
    if step is Step.LEADING_GROUP_TOLD and event.body not in incident.bodies:
        return _refuse("body", "The plan does not name this body.", field="body")
    if step in EXPLAINED and not event.note.strip():
        return _refuse("explain", "Say what was done or found.", field="note", step=step)
    return None


def _excused(incident: Incident, event: IncidentEvent) -> Problem | None:
    if event.step not in EXCUSABLE:
        return _refuse("not-excusable", "This step must be done.", field="step", step=event.step)
    if not event.note.strip():
        return _refuse("explain", "Say why it was not possible.", field="note", step=event.step)
    return _step(incident, event)


def _joined(_incident: Incident, event: IncidentEvent) -> Problem | None:
    if event.finding is None:
        return _refuse("no-finding", "Say what was found.", field="finding")
    return None


def _added_evidence(incident: Incident, event: IncidentEvent) -> Problem | None:
    if event.evidence is None or not event.evidence.digest:
        return _refuse("no-file", "Name the file by its digest.", field="evidence.digest")
    if event.step is not None and event.step not in incident.done:
        return _refuse("not-done", "That step is not done yet.", field="step", step=event.step)
    return None


def _handed_over(incident: Incident, event: IncidentEvent) -> Problem | None:
    if incident.pending is not None:
        return _refuse("pending", "A hand-over waits for its answer.", field="to")
    if not event.to or not event.unit:
        return _refuse("to-whom", "Say to whom, and of which unit.", field="to")
    if event.to == incident.owner:
        return _refuse("owner-already", "They have it already.", field="to")
    return None


def _answered(incident: Incident, event: IncidentEvent) -> Problem | None:
    if incident.pending is None:
        return _refuse("nothing-pending", "No hand-over waits.", field="what")
    if event.actor not in (incident.pending.to, incident.pending.deputy):
        return _refuse("not-yours", "Who was asked, or their deputy, answers.", field="actor")
    if event.what is What.DECLINED and not event.note.strip():
        return _refuse("explain", "Say why not.", field="note")
    return None


def _escalated(incident: Incident, event: IncidentEvent) -> Problem | None:
    waits = incident.pending is not None if event.step is None else event.step not in incident.done
    if not waits:
        return _refuse("not-waiting", "Nothing waits there.", field="step", step=event.step)
    if not event.to:
        return _refuse("to-whom", "Say to whom.", field="to")
    return None


def _noted(_incident: Incident, event: IncidentEvent) -> Problem | None:
    return None if event.note.strip() else _refuse("explain", "Write the note.", field="note")


def _reopened(incident: Incident, event: IncidentEvent) -> Problem | None:
    if not incident.ended:
        return _refuse("not-ended", "Neither A nor B is decided yet.", field="what")
    return None if event.note.strip() else _refuse("explain", "Say why.", field="note")


_CHECKS: Mapping[What, Callable[[Incident, IncidentEvent], Problem | None]] = {
    What.STEP: _step,
    What.EXCUSED: _excused,
    What.JOINED: _joined,
    What.EVIDENCE: _added_evidence,
    What.HANDED_OVER: _handed_over,
    What.ACCEPTED: _answered,
    What.DECLINED: _answered,
    What.ESCALATED: _escalated,
    What.NOTED: _noted,
    What.REOPENED: _reopened,
}


def _told(incident: Incident, event: IncidentEvent) -> bool:
    return event.body in incident.bodies_told


def _missing(incident: Incident, step: Step) -> tuple[Step, ...]:
    """Return what must come before ``step``: of several ways, the one with least missing."""
    ways = [
        tuple(before for before in Step if before in way and before not in incident.done)
        for way in STANDS_ON[step]
    ]
    if step is Step.CLOSED and Step.DATA_ERROR in incident.done:
        return ways[-1]
    return min(ways, key=len, default=())


def _not_before(incident: Incident, step: Step) -> datetime:
    """Return the earliest instant at which ``step`` can have happened in this round."""
    running = incident.rounds[-1]
    way = next(way for way in STANDS_ON[step] if way <= running.done.keys())
    earlier = [running.done[before].at for before in way]
    # What holds over rounds may have happened before the reopening that is recorded by now.
    return max(earlier) if step in KEPT_BY_REOPENING else max(running.started_at, *earlier)


def _refuse(
    code: str, message: str, *, field: str = "", step: Step | None = None, steps: str = ""
) -> Problem:
    params = {"step": step.value} if step is not None else {}
    return Problem(
        code=f"incidents.refused.{code}",
        message=message,
        field=field or None,
        params={**params, "steps": steps} if steps else params,
    )
