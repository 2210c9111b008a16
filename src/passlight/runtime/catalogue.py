"""The message catalogue: every text a person reads, by code, Chinese and English side by side.

``src/passlight/catalogue/*.yaml``: a mapping from code to ``{zh: …, en: …}``; parameters are
``{name}``. One file belongs to one part, and every code in it begins with the file's name
and a dot. Office, gateway and browser read the same catalogue.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, Language] = ("zh", "en")
# The loader in C where PyYAML was built with it: it halves the start of every process.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
FOLDER = Path(__file__).parent.parent / "catalogue"


@cache
def catalogue() -> Mapping[str, Mapping[Language, str]]:
    """Return every message, read once."""
    messages: dict[str, Mapping[Language, str]] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        entries = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER) or {}  # noqa: S506  # both are safe loaders
        for code, texts in entries.items():
            assert code.startswith(f"{path.stem}."), f"{path.name}: {code}"
            assert code not in messages, code
            messages[code] = texts
    return messages


def text(code: str, language: Language, /, **parameters: object) -> str:
    """Return the message ``code`` in ``language``; a code without a text is a bug.

    Raises:
        KeyError: when the catalogue has no such code.
    """
    return catalogue()[code][language].format(**parameters)


def both(code: str, /, **parameters: object) -> dict[Language, str]:
    """Return the message ``code`` in both languages."""
    return {language: text(code, language, **parameters) for language in LANGUAGES}
