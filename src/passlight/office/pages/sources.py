"""The agencies that report facts, by the names that people know them by."""

from passlight.runtime.catalogue import Language, catalogue


def source_name_in(source: str, language: Language) -> str:
    """Return what ``source`` is called in ``language``; its code when we have no name for it."""
    names = catalogue().get(f"pages.source.{source}")
    return names[language] if names else source
