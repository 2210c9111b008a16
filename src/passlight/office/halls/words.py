"""What a plan's keys and values are called on a page, in its language."""

import re

from passlight.core.entry.plan_keys import PlanValue, plan_key
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.models import Unit
from passlight.office.halls.models import Hall
from passlight.office.pages.language import current_language, message
from passlight.runtime.catalogue import catalogue

_FAMILIES = ("cap", "standing", "incident")
_TENTHS = 10
_UNIT_OF_NAME = re.compile(r"\s*[（(][^（(]*[）)]$")
_UNITS = {
    "hours": "halls.unit.hours",
    "minutes": "halls.unit.minutes",
    "seconds": "halls.unit.seconds",
    "percent": "halls.unit.percent",
}


def key_name(name: str) -> str:
    """Return what a plan's key is called."""
    family, _, rest = name.partition(".")
    code = f"halls.key.{name}"
    if code not in catalogue() and family in _FAMILIES:
        return message(f"halls.key.{family}", which=_which(family, rest))
    return message(code)


def key_short(name: str) -> str:
    """Return what a plan's key is called beside its value, which says the unit itself."""
    return _UNIT_OF_NAME.sub("", key_name(name))


def value_text(name: str, value: PlanValue) -> str:
    """Return a value as people write it; a value that nobody sets is a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return message("halls.yes" if value else "halls.no")
    if isinstance(value, tuple):
        return (", " if current_language() == "en" else "、").join(value)
    if name == "temperature.limit" and isinstance(value, int):
        return f"{value // _TENTHS}.{value % _TENTHS}\u00a0°C"
    key = plan_key(name)
    if key is not None and key.form == "choice":
        return message(f"halls.choice.{value}")
    unit = _UNITS.get(name.rpartition(".")[2])
    return message(unit, count=value) if unit is not None else str(value)


def unit_name(unit: Unit) -> str:
    """Return a unit's name in the page's language."""
    return unit.name_en if current_language() == "en" else unit.name


def hall_name(hall: Hall) -> str:
    """Return a hall's name in the page's language."""
    return hall.venue.name_en if current_language() == "en" else hall.venue.name


def problem_text(error: ProblemError) -> str:
    """Return the words of an error; one without words of ours is said as it came."""
    problem = error.problems[0]
    if problem.code in catalogue():
        return message(problem.code, **problem.params)
    return message("halls.plan.wrong", key=key_name(problem.field or "") if problem.field else "")


def _which(family: str, rest: str) -> str:
    if family == "incident":
        code = f"incidents.step.{rest.removesuffix('.minutes')}"
        return message(code) if code in catalogue() else rest
    code = f"halls.zone.{rest}"
    return message(code) if family == "cap" and code in catalogue() else rest
