"""The language of the page being made, and messages in it.

The middleware in ``preferences`` activates the language; everything below reads it here, so
that forms, models and tags need no request in hand.
"""

from typing import TYPE_CHECKING

from django.utils.functional import lazystr
from django.utils.translation import get_language

from passlight.runtime.catalogue import Language, text

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

HTML_CODES: dict[Language, str] = {"zh": "zh-Hans", "en": "en"}


def current_language() -> Language:
    """Return the active language; Chinese unless English was chosen."""
    return "en" if (get_language() or "").startswith("en") else "zh"


def message(code: str, /, **parameters: object) -> str:
    """Return the message ``code`` in the active language."""
    return text(code, current_language(), **parameters)


def lazy_message(code: str, /) -> "_StrPromise":
    """Return the message ``code``, looked up when shown: for form labels and choices."""
    return lazystr(_Late(code))


class _Late:
    """A message that is looked up each time it is turned into text."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __str__(self) -> str:
        return message(self.code)
