"""The JSON form of a door policy, read strictly: as the door document and the vectors carry it."""

from typing import Final

from passlight.core.entry.form import Form, fail
from passlight.core.entry.policy import DoorPolicy, TestRule
from passlight.core.kernel.colour import Colour
from passlight.core.kernel.limits import (
    DOOR_QUESTIONS_MAX,
    TEMPERATURE_TENTHS_MAX,
    TEMPERATURE_TENTHS_MIN,
    TEST_AGE_HOURS_MAX,
)
from passlight.core.places.venue import FRESHNESS_SECONDS_MAX, FRESHNESS_SECONDS_MIN
from passlight.core.rules.admission import (
    ASKED,
    OBSERVED,
    REQUIREMENTS,
    ROLES,
    VENUE_CLASSES,
    AgeCount,
    Failure,
    Outcome,
    Question,
    TemperatureRule,
)

_HOURS_A_DAY: Final = 24


def policy_from_json(value: object, path: str = "policy") -> DoorPolicy:
    """Return the policy of a door document or a vector.

    Raises:
        ProblemError: naming the field that is wrong, or the gap.
    """
    form = Form.of(value, path, required=_KEYS)
    return DoorPolicy(
        id=form.text("id"),
        role=form.one_of("role", ROLES),
        venue_class=form.one_of("venue_class", VENUE_CLASSES),
        colours=_colours(form),
        test=_test_from_json(form),
        temperature=_temperature_from_json(form),
        mask=form.flag("mask"),
        registration=form.flag("registration"),
        questions=_questions_from_json(form),
        unobserved=_failures_from_json(form, "unobserved", OBSERVED),
        failures=_failures_from_json(form, "failures", REQUIREMENTS),
        freshness_seconds=form.whole(
            "freshness_seconds", least=FRESHNESS_SECONDS_MIN, most=FRESHNESS_SECONDS_MAX
        ),
        basis=form.text("basis"),
    )


_KEYS = frozenset(
    {
        *("id", "role", "venue_class", "colours", "test", "temperature", "mask", "registration"),
        *("questions", "unobserved", "failures", "freshness_seconds", "basis"),
    }
)


def _colours(form: Form) -> tuple[Colour, ...]:
    found = form.items("colours", most=3)
    known = (Colour.GREEN, Colour.YELLOW, Colour.RED)
    for colour in found:
        if colour not in known:
            fail(form.at("colours"), "bad-colour", "holds no colour.", "green, yellow or red.")
    return tuple(Colour(colour) for colour in found)


def _test_from_json(form: Form) -> TestRule | None:
    value = form.entries["test"]
    if value is None:
        return None
    inner = Form.of(
        value, form.at("test"), required=("counts",), optional=("hours_max", "days_max")
    )
    if inner.choice("counts", AgeCount) is AgeCount.ELAPSED:
        inner = Form.of(value, form.at("test"), required=("counts", "hours_max"))
        return TestRule(hours_max=inner.whole("hours_max", least=0, most=TEST_AGE_HOURS_MAX))
    inner = Form.of(value, form.at("test"), required=("counts", "days_max"))
    days = TEST_AGE_HOURS_MAX // _HOURS_A_DAY
    return TestRule(days_max=inner.whole("days_max", least=0, most=days))


def _temperature_from_json(form: Form) -> TemperatureRule | None:
    value = form.entries["temperature"]
    if value is None:
        return None
    inner = Form.of(value, form.at("temperature"), required=("limit", "required"))
    limit = inner.whole("limit", least=TEMPERATURE_TENTHS_MIN, most=TEMPERATURE_TENTHS_MAX)
    return TemperatureRule(limit=limit, required=inner.flag("required"))


def _questions_from_json(form: Form) -> tuple[Question, ...]:
    found: list[Question] = []
    for index, value in enumerate(form.items("questions", most=DOOR_QUESTIONS_MAX)):
        path = f"{form.at('questions')}.{index}"
        inner = Form.of(value, path, required=("id", "text", "alarming", "requirement"))
        found.append(
            Question(
                id=inner.slug("id"),
                text=inner.both("text"),
                alarming=inner.flag("alarming"),
                requirement=inner.one_of("requirement", ASKED),
            )
        )
    return tuple(found)


def _failures_from_json(form: Form, key: str, known: tuple[str, ...]) -> dict[str, Failure]:
    found: dict[str, Failure] = {}
    for name, value in form.table(key, most=2 * len(known)).items():
        path = f"{form.at(key)}.{name}"
        if name not in known:
            fail(form.at(key), "unknown-key", "names something unknown.", ", ".join(known))
        inner = Form.of(value, path, required=("outcome", "say", "basis"))
        found[name] = Failure(
            requirement=name,
            outcome=inner.choice("outcome", Outcome),
            say=inner.both("say"),
            basis=inner.text("basis"),
        )
    return found
