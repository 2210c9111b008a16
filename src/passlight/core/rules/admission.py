"""Admission policy (入场要求) as a pack states it: data for the door, versioned with the plan.

What the law text names carries its clause; what it does not name is a *setting* of the hall and
is never presented as law (design.md 5).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from passlight.core.kernel.colour import Colour
from passlight.core.rules.terms import Basis, DatedParameter, Text


class Outcome(StrEnum):
    """What the door does when a requirement is not met."""

    ADMIT = "admit"
    ASK = "ask"
    REFUSE = "refuse"
    ISOLATE = "isolate"


class AgeCount(StrEnum):
    """How the age of a test counts."""

    ELAPSED = "elapsed"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The outcome of one failed requirement and the words to say."""

    requirement: str
    outcome: Outcome
    say: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionPolicy:
    """What one role must show at the door of a venue class, and what happens otherwise."""

    role: str
    venue_class: str
    colours: tuple[Colour, ...]
    test_age: DatedParameter | None
    test_age_counts: AgeCount
    mask: bool
    failures: tuple[Failure, ...]
    settings: Mapping[str, Any]
    basis: Basis

    def test_age_hours_max(self, instant: datetime) -> int | None:
        """Return how old a negative test may be at ``instant``, in hours."""
        if self.test_age is None:
            return None
        hours: int = round(self.test_age.at(instant).delta.total_seconds() / 3600)
        return hours

    def failure(self, requirement: str) -> Failure | None:
        """Return what happens when ``requirement`` is not met."""
        return next((found for found in self.failures if found.requirement == requirement), None)
