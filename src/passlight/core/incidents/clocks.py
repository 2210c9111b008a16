"""The clocks of an incident: when each step is due, and what is late.

Limits are settings of the plan, never law: the seeds say "at once" and name no minutes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from passlight.core.incidents.incident import Incident
from passlight.core.incidents.steps import CLOCKED_FROM, EXCLUDES, KEPT_BY_REOPENING, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLimits:
    """How long each step may take, counted from where its clock starts; a setting."""

    seconds: Mapping[Step, int]
    hand_over_seconds: int | None = None

    def of(self, step: Step) -> timedelta | None:
        """Return the limit of ``step``; None when the plan sets none."""
        found = self.seconds.get(step)
        return None if found is None else timedelta(seconds=found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A step that waits: since when its clock runs, until when, and how late it is at ``now``."""

    step: Step
    since: datetime
    due_at: datetime
    late: timedelta

    @property
    def is_late(self) -> bool:
        """Return whether the limit has passed."""
        return self.late > timedelta(0)


_WAITS_FOR = {
    step: needed
    for needed, steps in {
        Step.VERIFYING: (Step.DISPOSED, Step.DATA_ERROR),
        Step.DATA_ERROR: (Step.DISTRICT_TOLD, Step.CORRECTED, Step.NOT_CORRECTED, Step.RELEASED),
    }.items()
    for step in steps
}


def due(incident: Incident, limits: StepLimits, now: datetime) -> tuple[Due, ...]:
    """Return the steps whose clocks run, in the order of the procedure.

    A clock starts when the step before is done, or else when that was due: who never records
    the first step does not stop the clocks of all the others. Of two ends one clock runs.
    """
    if incident.closed:
        return ()
    found = []
    for step in Step:
        start = _start(incident, limits, step)
        limit = limits.of(step)
        if start is None or limit is None:
            continue
        late = max(now - (start + limit), timedelta(0))
        found.append(Due(step=step, since=start, due_at=start + limit, late=late))
    return tuple(found)


def due_at(incident: Incident, limits: StepLimits, step: Step) -> datetime | None:
    """Return when ``step`` was or is due; also for a step that is done."""
    start, limit = _from(incident, limits, step), limits.of(step)
    return None if start is None or limit is None else start + limit


def _start(incident: Incident, limits: StepLimits, step: Step) -> datetime | None:
    """Return since when the clock of a step runs that is not done and not ruled out."""
    done = incident.done
    other = EXCLUDES.get(step)
    if step in done or (other is not None and other in done):
        return None
    needed = _WAITS_FOR.get(step)
    if needed is not None and needed not in done:
        return None
    # Two ways to one decision have one clock, shown at the first of them.
    if step in (Step.DATA_ERROR, Step.NOT_CORRECTED):
        return None
    if step is Step.CLOSED and not _over(incident):
        return None
    return _from(incident, limits, step)


def _over(incident: Incident) -> bool:
    return not {Step.DISPOSED, Step.RELEASED}.isdisjoint(incident.done)


def _from(incident: Incident, limits: StepLimits, step: Step) -> datetime | None:
    running = incident.rounds[-1]
    for before in CLOCKED_FROM.get(step, ()):
        if before in running.kept and step not in KEPT_BY_REOPENING:
            return running.started_at
        if before in running.done:
            return running.done[before].at
    for before in CLOCKED_FROM.get(step, ()):
        planned = due_at(incident, limits, before)
        if planned is not None:
            return planned
    return None


def hand_over_due(incident: Incident, limits: StepLimits) -> datetime | None:
    """Return until when a hand-over that waits should be answered; None when none waits."""
    if incident.pending is None or limits.hand_over_seconds is None:
        return None
    return incident.pending.recorded_at + timedelta(seconds=limits.hand_over_seconds)


def escalations(incident: Incident, limits: StepLimits, now: datetime) -> tuple[Step | None, ...]:
    """Return the late steps, and None for a hand-over, of which the next one up is to be told.

    At the limit, then after one, three, seven limits more: each time somebody else, and never
    so often that nobody listens any more.
    """
    waiting: list[tuple[Step | None, timedelta, timedelta | None]] = [
        (step.step, step.late, limits.of(step.step)) for step in due(incident, limits, now)
    ]
    answer_due = hand_over_due(incident, limits)
    if answer_due is not None and not incident.closed:
        assert limits.hand_over_seconds is not None, "a due hand-over has a limit"
        waiting.append((None, now - answer_due, timedelta(seconds=limits.hand_over_seconds)))
    return tuple(
        step
        for step, late, limit in waiting
        if limit is not None
        and late > timedelta(0)
        and incident.escalated.get(step, 0) < _times(late, limit)
    )


def _times(late: timedelta, limit: timedelta) -> int:
    return (int(late / limit) + 1).bit_length() if limit else 1
