"""Plan keys: the closed list of what a plan may set, each with its form and bounds.

None of these is law: the seeds give no temperature limit, no number of people and no deadline
(design.md 5), and let each hall adapt (S4 五). Where they do give a value it stands in a pack,
and a plan changes it from a date.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from passlight.core.entry.form import fail
from passlight.core.kernel.limits import (
    TEMPERATURE_TENTHS_MAX,
    TEMPERATURE_TENTHS_MIN,
    TEST_AGE_HOURS_MAX,
)
from passlight.core.places.venue import FRESHNESS_SECONDS_MAX, FRESHNESS_SECONDS_MIN
from passlight.core.rules.admission import OBSERVED, ROLES, AgeCount, Outcome

PlanValue = bool | int | str | tuple[str, ...] | None
_TEXT_CHARS_MAX: Final = 200
_ENTRIES_MAX: Final = 24
_DAY_MINUTES: Final = 24 * 60
_PLACES_MAX: Final = 100_000
_CODE: Final = r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanKey:
    """One value that a plan may set: ``form`` is flag, whole, choice, time, text or texts."""

    form: str
    least: int = 0
    most: int = 0
    choices: tuple[str, ...] = ()


def _whole(least: int, most: int) -> PlanKey:
    return PlanKey(form="whole", least=least, most=most)


_ROLE: Final = f"(?:{'|'.join(ROLES)})"
# What each key is, for who writes a plan: docs/decisions/0007 and the plan page name them.
KEYS: Final[Mapping[str, PlanKey]] = {
    rf"test\.{_ROLE}\.hours": _whole(0, TEST_AGE_HOURS_MAX),
    rf"test\.{_ROLE}\.counts": PlanKey(form="choice", choices=tuple(AgeCount)),
    r"temperature\.limit": _whole(TEMPERATURE_TENTHS_MIN, TEMPERATURE_TENTHS_MAX),
    r"temperature\.required": PlanKey(form="flag"),
    r"mask": PlanKey(form="flag"),
    rf"unobserved\.(?:{'|'.join(OBSERVED)})": PlanKey(
        form="choice", choices=(Outcome.ADMIT.value, Outcome.ASK.value, Outcome.REFUSE.value)
    ),
    r"freshness\.seconds": _whole(FRESHNESS_SECONDS_MIN, FRESHNESS_SECONDS_MAX),
    r"door\.one-of": PlanKey(form="choice", choices=("venue-code", "sentinel", "either")),
    r"door\.one-of\.minutes": _whole(0, _DAY_MINUTES),
    r"door\.emergency": PlanKey(form="flag"),
    rf"cap\.{_CODE}": _whole(0, _PLACES_MAX),
    rf"standing\.{_CODE}": _whole(0, _PLACES_MAX),
    r"places\.block": _whole(1, 1000),
    r"places\.reserved": _whole(0, _PLACES_MAX),
    r"places\.limited\.percent": _whole(0, 100),
    r"places\.expires\.seconds": _whole(5, 3600),
    r"lease\.minutes": _whole(5, _DAY_MINUTES),
    r"hours\.opens": PlanKey(form="time"),
    r"hours\.closes": PlanKey(form="time"),
    r"disinfection\.rounds": PlanKey(form="texts"),
    r"staff\.temperatures\.per-day": _whole(0, 12),
    rf"incident\.{_CODE}\.minutes": _whole(1, 14 * _DAY_MINUTES),
    r"incident\.bodies": PlanKey(form="texts"),
    r"notices\.unread\.minutes": _whole(1, _DAY_MINUTES),
}
_PATTERNS: Final = tuple((re.compile(pattern), key) for pattern, key in KEYS.items())
_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


def plan_key(name: str) -> PlanKey | None:
    """Return what a key holds, or None when no plan may set it."""
    return next((key for pattern, key in _PATTERNS if pattern.fullmatch(name)), None)


def check_value(name: str, value: object) -> PlanValue:
    """Return the value of ``name`` as a plan holds it; None takes a local override back.

    Raises:
        ProblemError: no plan may set that, or not to this.
    """
    key = plan_key(name)
    if key is None:
        shown = name[:_TEXT_CHARS_MAX]
        fail(shown, "plan-key", "is nothing that a plan sets.", "Look the key up in plan_keys.")
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return _texts(name, key, tuple(value))
    fits = _scalar_fits(key, value)
    if not fits or not isinstance(value, bool | int | str):
        fail(name, "plan-value", "cannot have this value.", _remedy(key))
    return value


def _scalar_fits(key: PlanKey, value: object) -> bool:
    if key.form == "flag":
        return isinstance(value, bool)
    if key.form == "whole":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and isinstance(value, int) and key.least <= value <= key.most
    if not isinstance(value, str):
        return False
    if key.form == "choice":
        return value in key.choices
    return key.form == "time" and _TIME.fullmatch(value) is not None


def _texts(name: str, key: PlanKey, values: tuple[object, ...]) -> tuple[str, ...]:
    found = tuple(value for value in values if isinstance(value, str) and value.strip())
    whole = len(found) == len(values) == len(set(found)) and len(found) <= _ENTRIES_MAX
    if key.form != "texts" or not whole or any(len(text) > _TEXT_CHARS_MAX for text in found):
        fail(name, "plan-value", "cannot have this value.", _remedy(key))
    return found


def _remedy(key: PlanKey) -> str:
    return {
        "flag": "Write true or false.",
        "whole": f"Write a whole number from {key.least} to {key.most}.",
        "choice": f"Write one of {', '.join(key.choices)}.",
        "time": "Write a time of day as 17:00.",
        "texts": f"Write a list of up to {_ENTRIES_MAX} different texts.",
    }[key.form]
