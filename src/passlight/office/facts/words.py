"""Facts in words: names of kinds, and a payload as lines that people can read."""

import json
from collections.abc import Mapping
from typing import Any

from passlight.core.facts.kinds import KINDS
from passlight.office.pages.language import current_language
from passlight.runtime.catalogue import Language


def kind_name(kind: str) -> str:
    """Return what a kind of fact is called in the page's language."""
    return kind_name_in(kind, current_language())


def kind_name_in(kind: str, language: Language) -> str:
    """Return what a kind of fact is called in ``language``; its code when we have no word."""
    known = KINDS.get(kind)
    if known is None:
        return kind
    return known.en.capitalize() if language == "en" else known.zh


def payload_lines(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the fields of a payload in their order, values as short text."""
    return [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in payload.items()
    ]


def short_subject(subject: str) -> str:
    """Return a subject's handle short enough for a table; areas stay whole."""
    if subject.startswith("area:"):
        return subject
    return subject if len(subject) <= len("p-12345678…") else f"{subject[:10]}…"
