"""Sentences in both languages, with their moments written as each language writes them."""

from datetime import datetime

from passlight.office.pages import formats
from passlight.runtime.catalogue import LANGUAGES, Language, text

Sentence = dict[Language, str]


def say(code: str, /, **parameters: object) -> Sentence:
    """Return the message in both languages; moments and sentences become that language's."""
    return {
        language: text(
            code, language, **{name: _word(value, language) for name, value in parameters.items()}
        )
        for language in LANGUAGES
    }


def _word(value: object, language: Language) -> object:
    if isinstance(value, datetime):
        return formats.day_and_time(value, language)
    if isinstance(value, dict):
        return value[language]
    return value
