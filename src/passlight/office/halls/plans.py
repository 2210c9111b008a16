"""Plans as the core reads them: the stored versions along the path of a unit or a hall."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from passlight.core.entry.plan_keys import PlanValue
from passlight.core.entry.plans import PlanVersion, ResolvedPlan, resolve
from passlight.core.places.hall import plan_path
from passlight.office.accounts.models import Unit
from passlight.office.halls.models import Hall, StoredPlan


def version_of(stored: StoredPlan) -> PlanVersion:
    """Return a stored plan as the core knows it."""
    return PlanVersion(
        id=str(stored.pk),
        unit=plan_path(stored.unit.path, stored.hall_id),
        effective_from=stored.effective_from,
        published_at=stored.published_at,
        changes=changes_of(stored.changes),
    )


def changes_of(stored: Iterable[tuple[str, object]] | dict[str, object]) -> dict[str, PlanValue]:
    """Return changes as a plan holds them: JSON has lists where a plan has tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value  # type: ignore[misc]
        for name, value in dict(stored).items()
    }


def versions() -> list[PlanVersion]:
    """Return every version that was not withdrawn; an installation has hundreds at most."""
    stored = StoredPlan.objects.filter(withdrawn_at=None).select_related("unit")
    return [version_of(row) for row in stored]


def unit_plan(unit: Unit, at: datetime) -> ResolvedPlan:
    """Return what holds for a unit, and for its venues that are no halls."""
    return resolve(versions(), plan_path(unit.path), at)


def resolved_plan(hall: Hall, at: datetime) -> ResolvedPlan:
    """Return what holds for a hall: its units' plans from the district down, then its own."""
    return resolve(versions(), path_of(hall), at)


def path_of(hall: Hall) -> tuple[str, ...]:
    """Return where a hall stands in the tree that plans come down."""
    return plan_path(hall.venue.unit.path, UUID(str(hall.pk)))
