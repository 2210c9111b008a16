"""Admission policy (入场要求) as a pack states it: data for the door, versioned with the plan.

What the law text names carries its clause; what it does not name is a *setting* of the hall and
is never presented as law (design.md 5).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from passlight.core.kernel.colour import Colour
from passlight.core.rules.terms import Basis, DatedParameter, Text

SETTING: Final = "setting"
ROLES: Final = ("visitor", "staff", "staff-reentry", "companion", "courier")
VENUE_CLASSES: Final = (
    "service-hall",
    "public-place",
    "housing",
    "office",
    "park",
    "checkpoint",
    "hospital",
)
# In this order a verdict names its reason when two are equally grave.
REQUIREMENTS: Final = (
    "red",
    "yellow",
    "unknown",
    "expired",
    "not-found",
    "closed",
    "test",
    "test-none",
    "mask",
    "temperature",
    "symptoms",
    "travel",
    "declaration",
    "full",
    "registration",
    "guardian",
)
# Requirements that a question of the door may stand for.
ASKED: Final = ("symptoms", "travel", "declaration")
# What a door can fail to observe.
OBSERVED: Final = ("mask", "questions", "temperature", "room")


class Outcome(StrEnum):
    """What the door does when a requirement is not met."""

    ADMIT = "admit"
    ASK = "ask"
    REFUSE = "refuse"
    ISOLATE = "isolate"

    @property
    def gravity(self) -> int:
        """Return 0…3: the gravest outcome wins."""
        return _GRAVITY[self]


_GRAVITY = {Outcome.ADMIT: 0, Outcome.ASK: 1, Outcome.REFUSE: 2, Outcome.ISOLATE: 3}


class AgeCount(StrEnum):
    """How the age of a test counts."""

    ELAPSED = "elapsed"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The outcome of one failed requirement and the words to say.

    ``basis`` is the clause that gives the outcome, or "setting".
    """

    requirement: str
    outcome: Outcome
    say: Text
    basis: str = SETTING


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question asked at the door; ``alarming`` is the answer that fails ``requirement``."""

    id: str
    text: Text
    alarming: bool
    requirement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureRule:
    """From which temperature on somebody is feverish, in tenths of °C: a setting, never law."""

    limit: int
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionPolicy:
    """What one role must show at the door of a venue class, and what happens otherwise.

    ``settings`` say, for each value that no clause gives, why it is a setting.
    """

    role: str
    venue_class: str
    colours: tuple[Colour, ...]
    test_age: DatedParameter | None
    test_age_counts: AgeCount
    mask: bool
    registration: bool
    temperature: TemperatureRule | None
    questions: tuple[Question, ...]
    unobserved: Mapping[str, Failure]
    failures: tuple[Failure, ...]
    freshness_seconds: int
    settings: Mapping[str, Text]
    basis: Basis | None

    def test_age_hours_max(self, instant: datetime) -> int | None:
        """Return how old a negative test may be at ``instant``, in hours."""
        if self.test_age is None:
            return None
        hours: int = round(self.test_age.at(instant).delta.total_seconds() / 3600)
        return hours

    def failure(self, requirement: str) -> Failure | None:
        """Return what happens when ``requirement`` is not met."""
        return next((found for found in self.failures if found.requirement == requirement), None)
