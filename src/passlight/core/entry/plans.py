"""Plans (执行方案): versions with effective dates, inherited down the tree of units.

District → branch → town → village: the nearest unit's value holds, and each value knows where
it comes from. A change from 48 to 72 hours or from two to three disinfections is a version with
a date, seen in full before it is published.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from passlight.core.entry.form import fail
from passlight.core.entry.plan_keys import PlanValue, check_value

UnitPath = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersion:
    """What one unit changes from one moment on; ``unit`` is the path from the district down.

    A change to None takes the unit's own value back, so that its parent's holds again.
    """

    id: str
    unit: UnitPath
    effective_from: datetime
    published_at: datetime
    changes: Mapping[str, PlanValue]

    def __post_init__(self) -> None:
        assert self.unit, self.id
        assert self.effective_from.tzinfo is not None, self.id
        assert self.published_at.tzinfo is not None, self.id
        for name, value in self.changes.items():
            if check_value(name, value) != value:
                fail(name, "plan-value", "cannot have this value.", "Write a list as a tuple.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value in force comes from."""

    version: str
    unit: UnitPath
    effective_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedPlan:
    """Every value in force for one unit at one moment, each with its origin."""

    unit: UnitPath
    at: datetime
    values: Mapping[str, PlanValue] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def __getitem__(self, name: str) -> PlanValue:
        return self.values[name]

    def is_local(self, name: str) -> bool:
        """Return whether the unit itself set the value, over what it would inherit."""
        origin = self.origins.get(name)
        return origin is not None and origin.unit == self.unit


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDifference:
    """One value that differs between two plans; None where there is none."""

    name: str
    before: PlanValue
    after: PlanValue
    origin: Origin | None


def resolve(
    plans: Iterable[PlanVersion],
    unit: UnitPath,
    at: datetime,
    *,
    known_at: datetime | None = None,
) -> ResolvedPlan:
    """Return what holds for ``unit`` at ``at``, by what was published until ``known_at``.

    Of one unit the later ``effective_from`` holds, then the later publication, then the greater
    id: the order of the input never matters.
    """
    known = tuple(plans)
    values: dict[str, PlanValue] = {}
    origins: dict[str, Origin] = {}
    for depth in range(1, len(unit) + 1):
        level = [plan for plan in plans_of(known, unit[:depth]) if plan.effective_from <= at]
        own: dict[str, tuple[PlanValue, PlanVersion]] = {}
        for plan in level:
            if known_at is None or plan.published_at <= known_at:
                own.update({name: (value, plan) for name, value in plan.changes.items()})
        for name, (value, plan) in own.items():
            if value is not None:
                values[name] = value
                origins[name] = Origin(
                    version=plan.id, unit=plan.unit, effective_from=plan.effective_from
                )
    return ResolvedPlan(unit=unit, at=at, values=values, origins=origins)


def plans_of(plans: Iterable[PlanVersion], unit: UnitPath) -> list[PlanVersion]:
    """Return the versions of one unit itself, in the order in which they take over."""
    own = [plan for plan in plans if plan.unit == unit]
    return sorted(own, key=lambda plan: (plan.effective_from, plan.published_at, plan.id))


def next_change(plans: Iterable[PlanVersion], unit: UnitPath, after: datetime) -> datetime | None:
    """Return when the unit's plan next changes after ``after``: a door document ends there."""
    starts = [
        plan.effective_from
        for plan in plans
        if plan.unit == unit[: len(plan.unit)] and plan.effective_from > after
    ]
    return min(starts, default=None)


def difference(before: ResolvedPlan, after: ResolvedPlan) -> tuple[PlanDifference, ...]:
    """Return what would change from one plan to the other, by name."""
    names = sorted({*before.values, *after.values})
    return tuple(
        PlanDifference(
            name=name,
            before=before.values.get(name),
            after=after.values.get(name),
            origin=after.origins.get(name),
        )
        for name in names
        if before.values.get(name) != after.values.get(name)
    )
