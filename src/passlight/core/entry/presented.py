"""What one visitor presents at a door, and what was observed of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from passlight.core.entry.form import fail
from passlight.core.kernel.limits import TEMPERATURE_TENTHS_MAX, TEMPERATURE_TENTHS_MIN
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


NOBODY: Final = Presented(answer=DoorAnswer.UNDETERMINED, reason="no-code")


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
