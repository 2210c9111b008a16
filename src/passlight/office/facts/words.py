"""Facts in words: names of kinds, and a payload as lines that people can read."""

import json
from collections.abc import Mapping
from typing import Any

from django.utils.dateparse import parse_datetime

from passlight.core.facts.kinds import KINDS, FieldType
from passlight.office.pages import formats
from passlight.office.pages.language import current_language
from passlight.runtime.catalogue import Language, catalogue


def kind_name(kind: str) -> str:
    """Return what a kind of fact is called in the page's language."""
    return kind_name_in(kind, current_language())


def kind_name_in(kind: str, language: Language) -> str:
    """Return what a kind of fact is called in ``language``; its code when we have no word."""
    known = KINDS.get(kind)
    if known is None:
        return kind
    return known.en.capitalize() if language == "en" else known.zh


def payload_lines(kind: str, payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the fields of a payload in their order, in the page's language.

    A field or value without a name of ours stands as it came: nothing is left out.
    """
    known = KINDS.get(kind)
    fields = known.fields if known is not None else {}
    return [
        (_named("facts.field", name), _value_text(value, fields.get(name)))
        for name, value in payload.items()
    ]


def _value_text(value: object, type_: FieldType | None) -> str:
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if type_ is FieldType.INSTANT:
        moment = parse_datetime(value)
        return formats.record_time(moment) if moment is not None else value
    return _named("facts.value", value) if type_ is FieldType.TEXT else value


def _named(prefix: str, word: str) -> str:
    names = catalogue().get(f"{prefix}.{word}")
    return names[current_language()] if names else word


def short_subject(subject: str) -> str:
    """Return a subject's handle short enough for a table; areas stay whole."""
    if subject.startswith("area:"):
        return subject
    return subject if len(subject) <= len("p-12345678…") else f"{subject[:10]}…"
