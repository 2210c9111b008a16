"""Incident (异常事件): the fold of its events; nothing in it that the events do not say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from passlight.core.incidents.event import AbnormalFinding, IncidentEvent, What
from passlight.core.incidents.steps import KEPT_BY_REOPENING, FindingKind, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One way to an end: steps done, each with its event. Reopening adds another round.

    ``kept`` are the steps that an earlier round did and that hold on.
    """

    number: int
    started_at: datetime
    kept: frozenset[Step]
    done: Mapping[Step, IncidentEvent]

    @property
    def end(self) -> Step | None:
        """Return which end this round took: A ``disposed`` or B ``data-error``."""
        return next((step for step in (Step.DISPOSED, Step.DATA_ERROR) if step in self.done), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident as its events tell it; ``rounds[-1]`` is the one that runs.

    ``owner`` has it now, ``deputy`` stands in; ``pending`` is a hand-over that nobody has
    answered yet, and changes nothing until then. ``units`` had it once and keep sight of it.
    ``escalated`` counts who was told that a step is late, or, under None, a hand-over.
    """

    events: tuple[IncidentEvent, ...]
    findings: tuple[AbnormalFinding, ...]
    rounds: tuple[Round, ...]
    bodies: tuple[str, ...]
    bodies_told: Mapping[str, IncidentEvent]
    owner: str
    deputy: str
    units: tuple[str, ...]
    pending: IncidentEvent | None
    escalated: Mapping[Step | None, int]

    @property
    def done(self) -> Mapping[Step, IncidentEvent]:
        """Return the steps done in the round that runs."""
        return self.rounds[-1].done

    @property
    def opened(self) -> IncidentEvent:
        """Return the event that opened it."""
        return self.events[0]

    @property
    def closed(self) -> bool:
        """Return whether the round that runs is closed."""
        return Step.CLOSED in self.done

    @property
    def ended(self) -> bool:
        """Return whether A or B has been decided to its end, so that it can be reopened."""
        return not {Step.DISPOSED, Step.CORRECTED, Step.NOT_CORRECTED}.isdisjoint(self.done)

    @property
    def kinds(self) -> frozenset[FindingKind]:
        """Return what has been found so far."""
        return frozenset(finding.kind for finding in self.findings)


def opened_by(event: IncidentEvent) -> Incident:
    """Return the incident that ``event`` opens; the rules have let it through."""
    assert event.finding is not None, "an opening says what was found"
    done: dict[Step, IncidentEvent] = {Step.FOUND: event}
    if not event.bodies:
        done[Step.LEADING_GROUP_TOLD] = event
    return Incident(
        events=(event,),
        findings=(event.finding,),
        rounds=(Round(number=1, started_at=event.at, kept=frozenset(), done=done),),
        bodies=event.bodies,
        bodies_told={},
        owner=event.to,
        deputy=event.deputy,
        units=(event.unit,),
        pending=None,
        escalated={},
    )


def with_event(incident: Incident, event: IncidentEvent) -> Incident:
    """Return the incident with one more event; the rules have let it through."""
    after = replace(incident, events=(*incident.events, event))
    match event.what:
        case What.STEP | What.EXCUSED:
            return _with_step(after, event)
        case What.JOINED:
            assert event.finding is not None, "a finding that joins says what was found"
            return replace(after, findings=(*after.findings, event.finding))
        case What.HANDED_OVER:
            return replace(after, pending=event)
        case What.ACCEPTED:
            assert after.pending is not None, "only a hand-over is accepted"
            given = after.pending
            units = after.units if given.unit in after.units else (*after.units, given.unit)
            deputy = given.deputy or after.owner
            after = replace(after, owner=given.to, deputy=deputy, units=units)
            return _answered(after)
        case What.DECLINED:
            return _answered(after)
        case What.ESCALATED:
            level = after.escalated.get(event.step, 0) + 1
            return replace(after, escalated={**after.escalated, event.step: level})
        case What.REOPENED:
            kept = {step: done for step, done in after.done.items() if step in KEPT_BY_REOPENING}
            following = Round(
                number=len(after.rounds) + 1,
                started_at=event.at,
                kept=frozenset(kept),
                done=kept,
            )
            return replace(after, rounds=(*after.rounds, following), pending=None, escalated={})
        case _:
            return after


def _answered(incident: Incident) -> Incident:
    told: dict[Step | None, int] = {**incident.escalated}
    told.pop(None, None)
    return replace(incident, pending=None, escalated=told)


def _with_step(incident: Incident, event: IncidentEvent) -> Incident:
    assert event.step is not None, "a step event names its step"
    told = incident.bodies_told
    if event.step is Step.LEADING_GROUP_TOLD:
        told = {**told, event.body: event}
        if set(told) != set(incident.bodies):
            return replace(incident, bodies_told=told)
    running = incident.rounds[-1]
    now = replace(running, done={**running.done, event.step: event})
    return replace(incident, rounds=(*incident.rounds[:-1], now), bodies_told=told)


def fold(events: Iterable[IncidentEvent]) -> Incident:
    """Return the incident of stored events, in their order; each was checked when it came."""
    incident: Incident | None = None
    for event in events:
        incident = opened_by(event) if incident is None else with_event(incident, event)
    assert incident is not None, "an incident has at least the event that opened it"
    return incident
