"""Door policy (门岗入场要求): what one role must show at one door, at one moment.

A pack's ``AdmissionPolicy`` plus the plan's overrides becomes a ``DoorPolicy``; its JSON form is
what the door document carries and what the vectors hold. A policy with a gap is refused: a
door never has to guess what follows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from passlight.core.kernel.colour import Colour
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.places.venue import (
    VenueClass,
)
from passlight.core.rules.admission import (
    SETTING,
    AdmissionPolicy,
    AgeCount,
    Failure,
    Outcome,
    Question,
    TemperatureRule,
)
from passlight.core.rules.gaps import Gap, gaps
from passlight.core.rules.terms import Text

AGE: Final = "{age}"
_OF_TESTS: Final = frozenset({"test", "test-none"})
_HOURS_A_DAY: Final = 24
_CLASSES: Final = {
    VenueClass.HALL: "service-hall",
    VenueClass.HOSPITAL: "hospital",
    VenueClass.SCHOOL: "public-place",
    VenueClass.MALL: "public-place",
    VenueClass.OFFICE: "office",
    VenueClass.TRANSPORT: "checkpoint",
    VenueClass.HOUSING: "housing",
    VenueClass.PARK: "park",
    VenueClass.CHECKPOINT: "checkpoint",
}


def policy_class(kind: VenueClass) -> str:
    """Return the class under which a pack's policies name such a venue."""
    return _CLASSES[kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRule:
    """How old a negative test may be: elapsed hours from sampling, or calendar days of the realm.

    Exactly one of the two is set (field/01 1.4: Beijing counted calendar days from sampling).
    """

    __test__ = False  # no case of pytest

    hours_max: int | None = None
    days_max: int | None = None

    def __post_init__(self) -> None:
        assert (self.hours_max is None) != (self.days_max is None), self

    @property
    def counts(self) -> AgeCount:
        """Return how the age counts."""
        return AgeCount.ELAPSED if self.days_max is None else AgeCount.CALENDAR


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorPolicy:
    """What one role must show at one door, and what follows when it is missing.

    ``unobserved`` says what follows when nobody looked, asked, measured or knew the room left.
    """

    id: str
    role: str
    venue_class: str
    colours: tuple[Colour, ...]
    test: TestRule | None
    temperature: TemperatureRule | None
    mask: bool
    registration: bool
    questions: tuple[Question, ...]
    unobserved: Mapping[str, Failure]
    failures: Mapping[str, Failure]
    freshness_seconds: int
    basis: str

    def __post_init__(self) -> None:
        found = list(self.problems())
        if found:
            raise ProblemError(*found)

    def problems(self) -> Iterator[Problem]:
        """Yield the policy's gaps; a door never works under one."""
        for gap in self._gaps():
            yield Problem(
                code=f"entry.{gap.code}",
                message=f"{self.id}: {gap.message}",
                remedy=gap.remedy,
                field=gap.field,
            )

    def _gaps(self) -> Iterator[Gap]:
        return gaps(
            colours=self.colours,
            has_test=self.test is not None,
            mask=self.mask,
            registration=self.registration,
            temperature=self.temperature,
            questions=self.questions,
            unobserved=self.unobserved,
            failures=self.failures,
            venue_class=self.venue_class,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the form in the door document and in the vectors."""
        return {
            "id": self.id,
            "role": self.role,
            "venue_class": self.venue_class,
            "colours": [colour.value for colour in self.colours],
            "test": _test_json(self.test),
            "temperature": None
            if self.temperature is None
            else {"limit": self.temperature.limit, "required": self.temperature.required},
            "mask": self.mask,
            "registration": self.registration,
            "questions": [
                {
                    "id": question.id,
                    "text": question.text.to_json(),
                    "alarming": question.alarming,
                    "requirement": question.requirement,
                }
                for question in self.questions
            ],
            "unobserved": {key: _failure_json(found) for key, found in self.unobserved.items()},
            "failures": {key: _failure_json(found) for key, found in self.failures.items()},
            "freshness_seconds": self.freshness_seconds,
            "basis": self.basis,
        }


def policy_from_pack(
    policy: AdmissionPolicy,
    at: datetime,
    overrides: Mapping[str, Any],
    *,
    source: str,
    freshness_seconds: int | None = None,
) -> DoorPolicy:
    """Return the policy in force at ``at``, with the plan's values over the pack's.

    ``overrides`` are the values of a resolved plan (``core.entry.plans``): those that are not
    about this role's door are passed over. ``source`` is ``<plan or pack id>@<version>``.

    Raises:
        ProblemError: the overrides leave a gap, as a test rule without an outcome.
    """
    role = policy.role
    rule = _test_rule(
        overrides.get(f"test.{role}.hours", policy.test_age_hours_max(at)),
        AgeCount(overrides.get(f"test.{role}.counts", policy.test_age_counts)),
    )
    temperature = policy.temperature
    if "temperature.limit" in overrides or "temperature.required" in overrides:
        required = temperature is not None and temperature.required
        limit = temperature.limit if temperature is not None else None
        temperature = TemperatureRule(
            limit=overrides.get("temperature.limit", limit),
            required=overrides.get("temperature.required", required),
        )
    unobserved = {
        key: replace(found, outcome=_outcome(policy, overrides.get(f"unobserved.{key}", found)))
        for key, found in policy.unobserved.items()
    }
    return DoorPolicy(
        id=f"{source}/{policy.venue_class}/{role}",
        role=role,
        venue_class=policy.venue_class,
        colours=policy.colours,
        test=rule,
        temperature=temperature,
        mask=overrides.get("mask", policy.mask),
        registration=policy.registration,
        questions=policy.questions,
        unobserved=unobserved,
        failures={
            found.requirement: replace(found, say=_spoken(found.say, rule))
            for found in policy.failures
            if rule is not None or found.requirement not in _OF_TESTS
        },
        freshness_seconds=overrides.get(
            "freshness.seconds", freshness_seconds or policy.freshness_seconds
        ),
        basis=policy.basis.ref if policy.basis is not None else SETTING,
    )


def _outcome(policy: AdmissionPolicy, value: Failure | str) -> Outcome:
    """Return the outcome of a plan's value; no plan makes a hospital refuse care."""
    outcome = value.outcome if isinstance(value, Failure) else Outcome(value)
    refuses_care = policy.venue_class == "hospital" and outcome is Outcome.REFUSE
    return Outcome.ASK if refuses_care else outcome


def _spoken(say: Text, rule: TestRule | None) -> Text:
    """Return the words with ``{age}`` written out, so that 72 hours are never called 48."""
    if rule is None:
        return say
    if rule.days_max is None:
        zh, en = f"{rule.hours_max}小时", f"{rule.hours_max} hours"
    else:
        zh, en = f"{rule.days_max}天", f"{rule.days_max} days"
    return Text(say.zh.replace(AGE, zh), say.en.replace(AGE, en))


def _test_rule(hours: int | None, counts: AgeCount) -> TestRule | None:
    """Return the rule; hours become whole days, upwards, when days are what counts."""
    if hours is None:
        return None
    if counts is AgeCount.ELAPSED:
        return TestRule(hours_max=hours)
    return TestRule(days_max=-(-hours // _HOURS_A_DAY))


def _test_json(rule: TestRule | None) -> dict[str, Any] | None:
    if rule is None:
        return None
    if rule.days_max is None:
        return {"hours_max": rule.hours_max, "counts": rule.counts.value}
    return {"days_max": rule.days_max, "counts": rule.counts.value}


def _failure_json(failure: Failure) -> dict[str, Any]:
    return {
        "outcome": failure.outcome.value,
        "say": failure.say.to_json(),
        "basis": failure.basis,
    }
