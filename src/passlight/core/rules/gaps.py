"""Gaps of an admission policy: what would leave a door to guess, or let it admit unverified."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from passlight.core.kernel.colour import Colour
from passlight.core.rules.admission import (
    Failure,
    Outcome,
    Question,
    TemperatureRule,
)

_UNVERIFIED: Final = ("unknown", "expired", "not-found", "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One thing wrong with a policy: its field, what it is, what to write."""

    field: str
    code: str
    message: str
    remedy: str


def gaps(
    *,
    colours: Sequence[Colour],
    has_test: bool,
    mask: bool,
    registration: bool,
    temperature: TemperatureRule | None,
    questions: Sequence[Question],
    unobserved: Mapping[str, Failure],
    failures: Mapping[str, Failure],
    venue_class: str,
) -> Iterator[Gap]:
    """Yield every gap; none means that each visitor there can be has one outcome."""
    if Colour.GREEN not in colours:
        yield _gap("policy-no-green", "colours", "does not admit green.", "Add green to colours.")
    needed = _needed(
        colours=colours,
        has_test=has_test,
        mask=mask,
        registration=registration,
        temperature=temperature,
        questions=questions,
    )
    for name in needed:
        if name not in failures:
            remedy = f"Add failures.{name} with outcome and say."
            field = f"failures.{name}"
            yield _gap("policy-no-outcome", field, f"{name} has no outcome.", remedy)
    for name in _watched(mask=mask, temperature=temperature, questions=questions):
        if name not in unobserved:
            message = f"does not say what follows when {name} was not observed."
            remedy = f"Add unobserved.{name} with outcome and say."
            yield _gap("policy-no-outcome", f"unobserved.{name}", message, remedy)
    yield from _holes(failures, unobserved)
    ids = [question.id for question in questions]
    if len(set(ids)) != len(ids):
        remedy = "Give each its own id."
        yield _gap("policy-question-twice", "questions", "asks a question twice.", remedy)
    if venue_class == "hospital":
        yield from _refused_care(failures, unobserved)


def _needed(
    *,
    colours: Sequence[Colour],
    has_test: bool,
    mask: bool,
    registration: bool,
    temperature: TemperatureRule | None,
    questions: Sequence[Question],
) -> Iterator[str]:
    """Yield the requirements that somebody under this policy can fail."""
    if Colour.RED not in colours:
        yield "red"
    if Colour.YELLOW not in colours:
        yield "yellow"
    yield from _UNVERIFIED
    if has_test:
        yield from ("test", "test-none")
    if mask:
        yield "mask"
    if temperature is not None:
        yield "temperature"
    if questions:
        yield "declaration"
    yield from dict.fromkeys(
        question.requirement for question in questions if question.requirement != "declaration"
    )
    yield "full"
    if registration:
        yield "registration"
    yield "guardian"


def _watched(
    *, mask: bool, temperature: TemperatureRule | None, questions: Sequence[Question]
) -> Iterator[str]:
    if mask:
        yield "mask"
    if questions:
        yield "questions"
    if temperature is not None and temperature.required:
        yield "temperature"
    yield "room"


def _holes(failures: Mapping[str, Failure], unobserved: Mapping[str, Failure]) -> Iterator[Gap]:
    """Yield what would admit somebody whom the policy says it stops."""
    for name, failure in failures.items():
        field = f"failures.{name}.outcome"
        if failure.outcome is Outcome.ADMIT:
            message = f"{name} fails and admits all the same."
            yield _gap("policy-admits", field, message, "Write ask, refuse or isolate.")
        elif name in _UNVERIFIED and failure.outcome is not Outcome.ASK:
            # What could not be checked is nobody's fault and nobody's illness.
            message = f"{name} is no colour: nobody is refused or isolated for it."
            yield _gap("policy-unverified", field, message, "Write ask.")
    room = unobserved.get("room")
    if room is not None and room.outcome is Outcome.ADMIT:
        message = "admits without knowing whether there is room."
        yield _gap("policy-admits", "unobserved.room.outcome", message, "Write ask or refuse.")
    for name, found in unobserved.items():
        if found.outcome is Outcome.ISOLATE:
            message = f"isolates somebody for what nobody observed ({name})."
            remedy = "Write admit, ask or refuse."
            yield _gap("policy-unverified", f"unobserved.{name}.outcome", message, remedy)


def _refused_care(
    failures: Mapping[str, Failure], unobserved: Mapping[str, Failure]
) -> Iterator[Gap]:
    for group, found in (("failures", failures), ("unobserved", unobserved)):
        for name, failure in found.items():
            if failure.outcome is Outcome.REFUSE:
                message = "refuses care at a hospital's door."
                field = f"{group}.{name}.outcome"
                yield _gap("policy-refuses-care", field, message, "Write ask or isolate.")


def _gap(code: str, field: str, message: str, remedy: str) -> Gap:
    return Gap(field=field, code=code, message=message, remedy=remedy)
