"""Texts: a message of the catalogue with its parameters, in one language, ready to send.

Every parameter has a kind, and every kind a check; a name that is not in the table is a
mistake of the program. After that the whole text passes the guard.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import Final

from passlight.core.kernel.problem import Problem, ProblemError
from passlight.messages.guard import check_person, check_place, check_text
from passlight.runtime.catalogue import LANGUAGES, Language, catalogue, text

# A number, a word, or a word in both languages (``runtime.catalogue.both`` makes one).
Parameter = str | int | Mapping[str, str] | Mapping[Language, str]
Parameters = Mapping[str, Parameter]

LONGEST_VALUE: Final = 120
_NUMBER = re.compile(r"[0-9]{4}-[0-9]{2,6}")
_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2})?")
_HAN_LATIN = re.compile("(?<=[\u3400-\u9fff])(?=[A-Za-z])|(?<=[A-Za-z])(?=[\u3400-\u9fff])")


def _matches(form: re.Pattern[str]) -> Callable[[str], None]:
    def check(value: str) -> None:
        if not form.fullmatch(value):
            raise _wrong(value_of="a parameter", why="it is not of the form that its name says")

    return check


def _count(value: str) -> None:
    if not value.isdecimal() or len(value) > 6:  # noqa: PLR2004  # digits
        raise _wrong(value_of="a count", why="it is not a number of at most six digits")


# parameter → what is checked of it, besides the guard on the whole text
KINDS: Final[Mapping[str, Callable[[str], None]]] = {
    **dict.fromkeys(("person", "owner"), check_person),
    **dict.fromkeys(("hall", "unit", "entrance", "room", "recipient"), check_place),
    **dict.fromkeys(("kind", "step", "channel", "reason"), check_text),
    **dict.fromkeys(("minutes", "hours", "count"), _count),
    "number": _matches(_NUMBER),
    "at": _matches(_TIME),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message on its way: what the template is, and what it says in one language."""

    code: str
    title: str
    body: str
    values: tuple[tuple[str, str], ...]  # name → text, in the order of the Chinese template
    language: Language


def message(code: str, params: Parameters, language: Language) -> Message:
    """Return the message ``code`` in ``language``.

    Raises:
        KeyError: when the catalogue has no such code.
        ProblemError: when a parameter is missing, unknown or not of its kind.
        UnsafeTextError: when the text names somebody.
    """
    wanted = parameters_of(code)
    if set(wanted) != set(params):
        raise _wrong(value_of=code, why=f"it takes {', '.join(wanted) or 'no parameter'}")
    values = tuple((name, _value(name, params[name], language)) for name in wanted)
    body = spaced(text(code, language, **dict(values)))
    check_text(body)
    return Message(
        code=code,
        title=text("messages.title", language),
        body=body,
        values=values,
        language=language,
    )


def render(code: str, params: Parameters, language: Language) -> str:
    """Return the text of the message ``code``; see ``message``."""
    return message(code, params, language).body


@cache
def parameters_of(code: str) -> tuple[str, ...]:
    """Return the names of a message's parameters in the order of its Chinese text."""
    zh, en = (_names(catalogue()[code][language]) for language in LANGUAGES)
    if set(zh) != set(en):
        raise _wrong(value_of=code, why="its two texts take other parameters")
    return zh


def spaced(line: str) -> str:
    """Return ``line`` with a space between Han and Latin letters; numerals stay tight.

    On pages the style sheet does that (``text-autospace: ideograph-alpha``); here nothing does.
    """
    return _HAN_LATIN.sub(" ", line)


def _names(template: str) -> tuple[str, ...]:
    found = (name for _, name, _, _ in Formatter().parse(template) if name)
    return tuple(dict.fromkeys(found))


def _value(name: str, given: Parameter, language: Language) -> str:
    check = KINDS.get(name)
    if check is None:
        raise _wrong(value_of=name, why="no parameter has that name")
    value = dict(given).get(language, "") if isinstance(given, Mapping) else str(given)
    value = " ".join(value.split())
    if not value or len(value) > LONGEST_VALUE:
        raise _wrong(value_of=name, why=f"it is empty or longer than {LONGEST_VALUE} characters")
    check(value)
    return value


def _wrong(*, value_of: str, why: str) -> ProblemError:
    return ProblemError(
        Problem(code="messages.parameter", message=f"{value_of}: {why}.", field=value_of)
    )
