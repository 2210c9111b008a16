"""Publishing plans: what a version would change is seen in full first; none is ever changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from passlight.core.entry.plan_keys import PlanValue, check_value
from passlight.core.entry.plans import Origin, PlanVersion, difference, resolve
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.places.hall import plan_path
from passlight.office.accounts.models import Unit, User
from passlight.office.halls.models import Hall, StoredPlan
from passlight.office.halls.plans import path_of, versions
from passlight.office.venues.doors import doors_changed
from passlight.office.venues.models import Venue

CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlan:
    """A version as somebody writes it; ``hall``: it is that hall's own, inside ``unit``."""

    unit: Unit
    hall: Hall | None = None
    effective_from: datetime
    changes: Mapping[str, PlanValue]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """One value at one hall: what it is, what it becomes, and who overrides it, if anybody."""

    hall: Hall
    name: str
    before: PlanValue
    after: PlanValue
    overridden_by: Origin | None = None


def preview(new: NewPlan, *, now: datetime) -> list[PlannedChange]:
    """Return what the version would change, hall by hall, and where it would change nothing.

    Raises:
        ProblemError: when it sets something that no plan may set, or begins in the past.
    """
    changes = _checked(new, now=now)
    known = versions()
    candidate = PlanVersion(
        id=CANDIDATE,
        unit=plan_path(new.unit.path, new.hall.pk if new.hall is not None else None),
        effective_from=new.effective_from,
        published_at=now,
        changes=changes,
    )
    found: list[PlannedChange] = []
    for hall in halls_below(new):
        found += _at_hall(hall, known, candidate)
    return found


def publish_plan(new: NewPlan, *, actor: User | None, clock: Clock, entropy: Entropy) -> StoredPlan:
    """Publish a version; the doors below are told what will hold, and from when.

    Raises:
        ProblemError: as ``preview``.
    """
    now = clock.now()
    changes = _checked(new, now=now)
    with transaction.atomic():
        stored = StoredPlan.objects.create(
            id=UUID(bytes=entropy.token(16), version=4),
            unit=new.unit,
            hall=new.hall,
            effective_from=new.effective_from,
            changes={k: list(v) if isinstance(v, tuple) else v for k, v in changes.items()},
            reason=new.reason,
            published_by=actor,
            published_at=now,
        )
        doors_changed(_venues_below(stored), clock=clock)
    return stored


def withdraw_plan(stored: StoredPlan, *, actor: User | None, clock: Clock) -> None:
    """Take a version back before it holds.

    Raises:
        ProblemError: when it holds already, or was withdrawn.
    """
    with transaction.atomic():
        now = clock.now()
        done = StoredPlan.objects.filter(
            pk=stored.pk, withdrawn_at=None, effective_from__gt=now
        ).update(withdrawn_by=actor, withdrawn_at=now)
        if not done:
            raise ProblemError(
                Problem(
                    code="halls.plan.too_late",
                    message="This version holds already, or was withdrawn.",
                    remedy="Publish another version instead.",
                )
            )
        doors_changed(_venues_below(stored), clock=clock)


def halls_below(new: NewPlan) -> list[Hall]:
    """Return the halls that a version reaches."""
    if new.hall is not None:
        return [new.hall]
    return list(
        Hall.objects.filter(venue__unit__path__startswith=new.unit.path).select_related(
            "venue__unit"
        )
    )


def _venues_below(stored: StoredPlan) -> list[Venue]:
    if stored.hall is not None:
        return [stored.hall.venue]
    return list(Venue.objects.filter(unit__path__startswith=stored.unit.path))


def _checked(new: NewPlan, *, now: datetime) -> dict[str, PlanValue]:
    if new.effective_from < now:
        raise ProblemError(
            Problem(
                code="halls.plan.past",
                message="A version cannot begin in the past.",
                remedy="Choose a later time.",
                field="effective_from",
            )
        )
    if not new.changes:
        raise ProblemError(
            Problem(
                code="halls.plan.empty",
                message="The version changes nothing.",
                remedy="Set at least one value.",
            )
        )
    return {name: check_value(name, value) for name, value in new.changes.items()}


def _at_hall(
    hall: Hall, known: list[PlanVersion], candidate: PlanVersion
) -> Iterator[PlannedChange]:
    path, at = path_of(hall), candidate.effective_from
    before, after = resolve(known, path, at), resolve([*known, candidate], path, at)
    changed = {found.name: found for found in difference(before, after)}
    for name in candidate.changes:
        if name in changed:
            found = changed[name]
            yield PlannedChange(hall=hall, name=name, before=found.before, after=found.after)
            continue
        origin = after.origins.get(name)
        overridden = origin if origin is not None and origin.version != CANDIDATE else None
        value = after.values.get(name)
        yield PlannedChange(
            hall=hall, name=name, before=value, after=value, overridden_by=overridden
        )
