"""Strict reading of a door's JSON: every key known, every value bounded, every error named."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from passlight.core.kernel.limits import DOOR_TEXT_CHARS_MAX, FACT_EARLIEST, FACT_LATEST
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.rules.terms import Text

E = TypeVar("E", bound=StrEnum)
_KEY = re.compile(r"[a-z][a-z0-9_.-]{0,62}")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?")


def load_json(text: str | bytes, *, bytes_max: int) -> Any:
    """Return the JSON value of a text.

    Raises:
        ProblemError: it is too long, torn, not UTF-8 or names a key twice.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(raw) > bytes_max:
        remedy = f"Send at most {bytes_max} bytes."
        fail("", "too-long", f"has {len(raw)} bytes.", remedy)
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        # The error's own text could quote what somebody sent; its kind and place are enough.
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        fail("", "not-json", f"is not whole JSON{where}.", "Send it again as it was stored.")


def fail(field: str, code: str, message: str, remedy: str) -> NoReturn:
    """Refuse an input; ``code`` is completed to ``entry.<code>``."""
    raise ProblemError(
        Problem(code=f"entry.{code}", message=message, remedy=remedy, field=field or None)
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


@dataclass(frozen=True, slots=True)
class Form:
    """One JSON object under reading, and where it stands."""

    entries: Mapping[str, Any]
    path: str

    @classmethod
    def of(
        cls,
        value: object,
        path: str = "",
        *,
        required: Collection[str],
        optional: Collection[str] = (),
    ) -> "Form":
        """Return the object, with every required key and no unknown one."""
        if not isinstance(value, dict):
            fail(path, "not-an-object", "must be an object.", "Send {…}.")
        unknown = sorted(set(value) - set(required) - set(optional))
        if unknown:
            name = unknown[0] if _KEY.fullmatch(unknown[0]) else "a key"
            known = ", ".join(sorted({*required, *optional}))
            fail(_join(path, name), "unknown-key", "is not known here.", f"Known: {known}.")
        missing = sorted(set(required) - set(value))
        if missing:
            fail(_join(path, missing[0]), "missing", "is missing.", "Send it.")
        return cls(value, path)

    def at(self, key: str) -> str:
        """Return the path of ``key``, as a problem names it."""
        return _join(self.path, key)

    def text(self, key: str, *, chars_max: int = DOOR_TEXT_CHARS_MAX, empty: bool = False) -> str:
        """Return a text that can be stored."""
        value = self.entries.get(key, "" if empty else None)
        if not isinstance(value, str) or not (empty or value.strip()):
            fail(self.at(key), "not-text", "must be a text that is not empty.", "Write it.")
        if len(value) > chars_max:
            remedy = f"Keep it within {chars_max} characters."
            fail(self.at(key), "too-long", "is too long.", remedy)
        if any(ord(c) < ord(" ") or 0xD800 <= ord(c) <= 0xDFFF for c in value):  # noqa: PLR2004
            fail(self.at(key), "not-storable", "holds a control character.", "Take it out.")
        return value

    def matching(self, key: str, pattern: re.Pattern[str], *, remedy: str) -> str:
        """Return a text of one form, the empty one where the form allows it."""
        value = self.text(key, empty=True)
        if not pattern.fullmatch(value):
            fail(self.at(key), "bad-form", "has another form.", remedy)
        return value

    def slug(self, key: str) -> str:
        """Return a name in small letters, digits, dots and hyphens."""
        return self.matching(key, _SLUG, remedy="Small letters, digits, dots, hyphens.")

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        """Return true or false."""
        value = self.entries.get(key, default)
        if not isinstance(value, bool):
            fail(self.at(key), "not-a-flag", "must be true or false.", "Write true or false.")
        return value

    def whole(self, key: str, *, least: int, most: int, default: int | None = None) -> int:
        """Return a whole number within bounds."""
        value = self.entries.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            remedy = f"A whole number from {least} to {most}."
            fail(self.at(key), "not-a-number", "is no such number.", remedy)
        return value

    def choice(self, key: str, kind: type[E], *, default: E | None = None) -> E:
        """Return one of a closed list."""
        value = self.entries.get(key, default)
        if not isinstance(value, str) or value not in set(kind):
            fail(self.at(key), "not-a-choice", "is none of them.", f"One of {', '.join(kind)}.")
        return kind(value)

    def one_of(self, key: str, known: Collection[str]) -> str:
        """Return one of the names of a table."""
        value = self.entries.get(key)
        if not isinstance(value, str) or value not in known:
            fail(self.at(key), "not-a-choice", "is none of them.", f"One of {', '.join(known)}.")
        return value

    def instant(self, key: str) -> datetime:
        """Return an instant with an offset, in UTC."""
        value = self.entries.get(key)
        remedy = "Write 2022-06-08T09:00:00+08:00."
        if not isinstance(value, str) or len(value) > len("2022-06-08T09:00:00.000000+08:00"):
            fail(self.at(key), "not-a-time", "must be a time with an offset.", remedy)
        try:
            found = datetime.fromisoformat(value)
            if found.tzinfo is not None and FACT_EARLIEST <= found < FACT_LATEST:
                return found.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        fail(self.at(key), "not-a-time", "must be a time with an offset.", remedy)

    def items(self, key: str, *, most: int) -> list[Any]:
        """Return a list that is not too long."""
        value = self.entries.get(key)
        if not isinstance(value, list):
            fail(self.at(key), "not-a-list", "must be a list.", "Send […].")
        if len(value) > most:
            fail(self.at(key), "too-many", "has too many entries.", f"At most {most}.")
        return value

    def both(self, key: str) -> Text:
        """Return a sentence in both languages."""
        form = Form.of(self.entries.get(key), self.at(key), required=("zh", "en"))
        return Text(form.text("zh"), form.text("en"))

    def table(self, key: str, *, most: int) -> dict[str, Any]:
        """Return an object with any keys."""
        value = self.entries.get(key)
        if not isinstance(value, dict):
            fail(self.at(key), "not-an-object", "must be an object.", "Send {…}.")
        if len(value) > most:
            fail(self.at(key), "too-many", "has too many entries.", f"At most {most}.")
        return value


def instant_text(instant: datetime) -> str:
    """Return the text of an instant as a door's JSON carries it."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
