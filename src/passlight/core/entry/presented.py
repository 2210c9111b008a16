"""What one visitor presents at a door, and what was observed of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from passlight.core.entry.form import Form, fail
from passlight.core.kernel.limits import (
    DOOR_QUESTIONS_MAX,
    ENTRY_TEXT_CHARS_MAX,
    TEMPERATURE_TENTHS_MAX,
    TEMPERATURE_TENTHS_MIN,
)
from passlight.core.verification.answer import DoorAnswer

_FAHRENHEIT_TENTHS = range(860, 1131)  # 30…45 °C written in Fahrenheit
_WHOLE_DEGREES = range(30, 46)


class Observed(StrEnum):
    """Whether somebody or something looked, and what it saw."""

    YES = "yes"
    NO = "no"
    UNOBSERVED = "unobserved"


class Room(StrEnum):
    """Whether the zone behind this door has a place left."""

    FREE = "free"
    FULL = "full"
    UNKNOWN = "unknown"


class RegisteredBy(StrEnum):
    """How a visitor was registered."""

    CODE = "code"
    DOCUMENT = "document"
    PAPER = "paper"
    GUARDIAN = "guardian"
    COMPANION = "companion"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """That a visitor is registered, how, and under which reference (a paper form's number)."""

    how: RegisteredBy
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One temperature in tenths of °C, and the thermometer that took it."""

    tenths: int
    thermometer: str

    def __post_init__(self) -> None:
        temperature_tenths(self.tenths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """One visitor at a door: the answer to their code or document, and what was observed.

    ``sampled_from`` is in POSIX seconds. ``registered`` None: not registered yet.
    """

    answer: DoorAnswer
    reason: str
    sampled_from: int | None = None
    temperature: Reading | None = None
    mask: Observed = Observed.UNOBSERVED
    questions: Mapping[str, bool] | None = None
    registered: Registered | None = None
    room: Room = Room.FREE
    emergency: bool = False


def temperature_tenths(value: object, *, field: str = "temperature") -> int:
    """Return a body temperature in tenths of °C.

    Raises:
        ProblemError: it is in another unit or means nothing; that is an error, never a fever.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        fail(field, "temperature-form", "is no temperature.", "Send tenths of °C: 365 is 36.5 °C.")
    scaled = round(10 * value) if isinstance(value, float) and 0 < value < 200 else value  # noqa: PLR2004
    if scaled in _FAHRENHEIT_TENTHS:
        remedy = "Set the thermometer to Celsius and measure again."
        fail(field, "temperature-fahrenheit", "is in Fahrenheit.", remedy)
    if isinstance(value, float) or value in _WHOLE_DEGREES:
        remedy = "Send tenths of °C: 365 is 36.5 °C."
        fail(field, "temperature-unit", "is not in tenths of a degree.", remedy)
    if not TEMPERATURE_TENTHS_MIN <= value <= TEMPERATURE_TENTHS_MAX:
        remedy = "Measure again; a person has 30.0 to 45.0 °C."
        fail(field, "temperature-range", "is no person's temperature.", remedy)
    return value


def presented_from_json(value: object, path: str = "presented") -> Presented:
    """Return what was presented; what is left out was not observed.

    Raises:
        ProblemError: naming the field that is wrong.
    """
    form = Form.of(value, path, required=("answer",), optional=_OPTIONAL)
    sampled = form.entries.get("sampled_from")
    return Presented(
        answer=form.choice("answer", DoorAnswer),
        reason=form.text("reason", chars_max=ENTRY_TEXT_CHARS_MAX, empty=True),
        sampled_from=None
        if sampled is None
        else form.whole("sampled_from", least=-_SECONDS_MAX, most=_SECONDS_MAX),
        temperature=_reading(form),
        mask=form.choice("mask", Observed, default=Observed.UNOBSERVED),
        questions=_answers(form),
        registered=_registered(form),
        room=form.choice("room", Room, default=Room.FREE),
        emergency=form.flag("emergency", default=False),
    )


_OPTIONAL: Final = frozenset(
    {
        *("reason", "sampled_from", "temperature", "mask", "questions", "registered"),
        *("room", "emergency"),
    }
)
_SECONDS_MAX: Final = 2**40
_NAME: Final = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._:-]{0,63})?")


def _reading(form: Form) -> Reading | None:
    value, path = form.entries.get("temperature"), form.at("temperature")
    if value is None:
        return None
    inner = Form.of(value, path, required=("tenths", "thermometer"))
    return Reading(
        tenths=temperature_tenths(inner.entries["tenths"], field=inner.at("tenths")),
        thermometer=inner.matching("thermometer", _NAME, remedy="The thermometer's name."),
    )


def _answers(form: Form) -> dict[str, bool] | None:
    if form.entries.get("questions") is None:
        return None
    answers = form.table("questions", most=DOOR_QUESTIONS_MAX)
    table = Form(answers, form.at("questions"))
    for key in answers:
        if len(key) > ENTRY_TEXT_CHARS_MAX:
            fail(form.at("questions"), "too-long", "names no question.", "Use the question's id.")
        table.flag(key)
    return answers


def _registered(form: Form) -> Registered | None:
    value, path = form.entries.get("registered"), form.at("registered")
    if value is None:
        return None
    inner = Form.of(value, path, required=("how",), optional=("reference",))
    return Registered(
        how=inner.choice("how", RegisteredBy),
        reference=inner.matching("reference", _NAME, remedy="The form's number."),
    )
