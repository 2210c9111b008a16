"""The recorded prompts that a door's page may play: those that were built into its files."""

from pathlib import Path

from django.contrib.staticfiles import finders
from django.templatetags.static import static

LANGUAGES = ("zh", "en")
SUFFIXES = (".ogg", ".wav", ".mp3")


def recordings() -> dict[str, dict[str, str]]:
    """Return language → prompt → address; without recordings the page is silent and says so."""
    folder = finders.find("dist/prompts")
    if not isinstance(folder, str):
        return {}
    return {
        language: {
            file.stem: static(f"dist/prompts/{language}/{file.name}")
            for file in sorted(Path(folder, language).glob("*"))
            if file.suffix in SUFFIXES
        }
        for language in LANGUAGES
    }
