"""The small parts of a rule pack: a sentence, a basis, a dated parameter."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages."""

    zh: str
    en: str

    def to_json(self) -> dict[str, str]:
        """Return the object that every page and file carries."""
        return {"zh": self.zh, "en": self.en}


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The sentence of the notice that a rule carries out, and where it stands."""

    text: str
    ref: str
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedParameter:
    """A number or duration that changes by date (OpenFisca's way); ``values`` is in date order."""

    name: str
    values: tuple[tuple[datetime, Any], ...]
    references: tuple[str | None, ...]

    def at(self, instant: datetime) -> Any:
        """Return the value in force; before the first date, the first value."""
        found = self.values[0][1]
        for start, value in self.values[1:]:
            if start > instant:
                break
            found = value
        return found

    def changes(self) -> tuple[datetime, ...]:
        """Return the instants at which the value changes."""
        return tuple(start for start, _ in self.values[1:])
