"""What the plan says about an incident: minutes by step and the bodies to tell; all settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from passlight.core.incidents.clocks import StepLimits
from passlight.core.incidents.steps import Step
from passlight.office.halls.plans import resolved_plan, unit_plan
from passlight.office.halls.queries import hall_of_venue
from passlight.office.venues.models import Venue

LEADING_GROUP = "leading-group"
HAND_OVER = "hand-over"
UNREAD = "unread"
_UNREAD_KEY = "notices.unread.minutes"
SECONDS_A_MINUTE = 60

# Until a plan says otherwise. The seeds say "at once" and give no minutes: these are settings.
MINUTES: Mapping[str, int] = MappingProxyType(
    {
        Step.ISOLATED: 5,
        Step.DUTY_LEADER_TOLD: 10,
        Step.STREET_TOLD: 10,
        Step.LEADING_GROUP_TOLD: 30,
        Step.ACKNOWLEDGED: 10,
        Step.VERIFYING: 30,
        Step.DISPOSED: 120,
        Step.DISTRICT_TOLD: 30,
        Step.CORRECTED: 120,
        Step.RELEASED: 15,
        Step.CLOSED: 24 * 60,
        HAND_OVER: 10,
        UNREAD: 10,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPlan:
    """What holds for an incident found at one venue at one moment."""

    version: str
    minutes: Mapping[str, int]
    bodies: tuple[str, ...]


def plan_for(venue: Venue, at: datetime) -> IncidentPlan:
    """Return the plan's minutes and bodies for an incident found at ``venue`` at ``at``."""
    hall = hall_of_venue(venue.pk)
    plan = resolved_plan(hall, at) if hall is not None else unit_plan(venue.unit, at)
    minutes, versions = dict(MINUTES), set()
    for name, value in plan.values.items():
        if not name.startswith("incident.") and name != _UNREAD_KEY:
            continue
        versions.add(plan.origins[name].version)
        step = name.removeprefix("incident.").removesuffix(".minutes")
        step = UNREAD if name == _UNREAD_KEY else step
        if isinstance(value, int) and not isinstance(value, bool):
            minutes[step] = value
    bodies = plan.values.get("incident.bodies", (LEADING_GROUP,))
    return IncidentPlan(
        version=" ".join(sorted(versions))[:160],
        minutes=minutes,
        bodies=tuple(map(str, bodies)) if isinstance(bodies, tuple) else (LEADING_GROUP,),
    )


def limits_of(minutes: Mapping[str, int]) -> StepLimits:
    """Return stored minutes as the core's limits."""
    known = {step.value for step in Step}
    return StepLimits(
        seconds={
            Step(name): value * SECONDS_A_MINUTE for name, value in minutes.items() if name in known
        },
        hand_over_seconds=minutes.get(HAND_OVER, MINUTES[HAND_OVER]) * SECONDS_A_MINUTE,
    )


def unread_limit(minutes: Mapping[str, int]) -> timedelta:
    """Return how long a notice may wait to be read before the next one up is told."""
    return timedelta(minutes=minutes.get(UNREAD, MINUTES[UNREAD]))
