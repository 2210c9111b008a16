"""TOML tables that know their lines: a wrong value is named by file, line, field and remedy."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from passlight.core.kernel.problem import Problem, ProblemError

FILE_BYTES_MAX: Final = 256 * 1024

_HEADER = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_.\"' -]+?)\s*\]\]?")
_KEY = re.compile(r"\s*[\"']?([A-Za-z0-9_-]+)[\"']?\s*=")
_POSITION = re.compile(r"at line (\d+)")


@dataclass(slots=True, kw_only=True)
class Table:
    """One table of a file; each getter names what is wrong, ``close`` what nobody asked for."""

    file: str
    name: str
    line: int
    values: Mapping[str, Any]
    lines: Mapping[str, int]
    _taken: set[str] = field(default_factory=set)

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def text(
        self, key: str, default: str | None = None, *, choices: Sequence[str] | None = None
    ) -> str:
        """Return a text; without ``default`` it must be there.

        Raises:
            ProblemError: it is missing, empty, no text or none of ``choices``.
        """
        value = self._value(key, default)
        if not isinstance(value, str) or (not value.strip() and default is None):
            raise self.wrong(key, "must be a text in quotation marks", f'Write {key} = "…".')
        if choices is not None and value not in choices:
            raise self.wrong(key, f"{value!r} is not known", f"Write one of {', '.join(choices)}.")
        return value

    def integer(self, key: str, default: int | None = None, *, least: int, most: int) -> int:
        """Return a whole number in [least, most].

        Raises:
            ProblemError: it is missing, no whole number or out of bounds.
        """
        value = self._value(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            remedy = f"Write a whole number from {least} to {most}."
            raise self.wrong(key, f"{value!r} does not go", remedy)
        return value

    def number(self, key: str, default: float | None = None, *, least: float, most: float) -> float:
        """Return a number in [least, most].

        Raises:
            ProblemError: it is missing, no number or out of bounds.
        """
        value = self._value(key, default)
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not least <= value <= most:
            raise self.wrong(
                key, f"{value!r} does not go", f"Write a number from {least} to {most}."
            )
        return float(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false.

        Raises:
            ProblemError: it is neither.
        """
        value = self._value(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, f"{value!r} does not go", "Write true or false.")
        return value

    def url(self, key: str, *, schemes: Sequence[str]) -> str:
        """Return an address without its last slash.

        Raises:
            ProblemError: it is none, or has another scheme.
        """
        value = self.text(key).rstrip("/")
        try:
            parts = urlsplit(value)
            good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise self.wrong(key, f"{value!r} is no address", f'Write "{schemes[0]}://…".')
        return value

    def wrong(self, key: str, message: str, remedy: str) -> ProblemError:
        """Return the error about one field, with its line."""
        problem = Problem(
            code="gate.config-field",
            message=f"{message}.",
            remedy=remedy,
            file=self.file,
            line=self.lines.get(key, self.line),
            field=f"{self.name}.{key}" if self.name else key,
            params={"field": f"{self.name}.{key}"},
        )
        return ProblemError(problem)

    def close(self) -> None:
        """Refuse what nobody asked for: a misspelt field must not be a silent default.

        Raises:
            ProblemError: naming every unknown field.
        """
        unknown = [key for key in self.values if key not in self._taken]
        if unknown:
            known = ", ".join(sorted(self._taken))
            errors = [
                self.wrong(key, "is not known here", f"Known fields: {known}.") for key in unknown
            ]
            raise ProblemError(*(problem for error in errors for problem in error.problems))

    def _value(self, key: str, default: Any) -> Any:
        self._taken.add(key)
        if key in self.values:
            return self.values[key]
        if default is None:
            raise self.wrong(key, "is missing", f"Write {key} = … below [{self.name}].")
        return default


@dataclass(frozen=True, slots=True, kw_only=True)
class TomlFile:
    """A file of tables; a table may stand once ``[name]`` or several times ``[[name]]``."""

    path: Path
    tables: Mapping[str, tuple[Table, ...]]

    def table(self, name: str) -> Table:
        """Return the one table ``name``.

        Raises:
            ProblemError: there is none, or there are several.
        """
        found = self.tables.get(name, ())
        if len(found) != 1:
            raise ProblemError(
                Problem(
                    code="gate.config-table",
                    message=f"[{name}] must stand exactly once, and stands {len(found)} times.",
                    remedy=f"Write one [{name}].",
                    file=str(self.path),
                    line=found[-1].line if found else None,
                    field=name,
                    params={"field": name},
                )
            )
        return found[0]

    def optional(self, name: str) -> Table:
        """Return the table ``name``, or an empty one.

        Raises:
            ProblemError: there are several.
        """
        if name in self.tables:
            return self.table(name)
        return Table(file=str(self.path), name=name, line=1, values={}, lines={})


def read_toml(path: Path) -> TomlFile:
    """Return the tables of a file.

    Raises:
        ProblemError: the file is no TOML, too large, or holds values outside of a table.
        OSError: it cannot be read.
    """
    raw = path.read_bytes()
    if len(raw) > FILE_BYTES_MAX:
        raise _broken(path, None, f"More than {FILE_BYTES_MAX} bytes.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _broken(path, line, "These bytes are no UTF-8.") from error
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        position = _POSITION.search(str(error))
        line = int(position.group(1)) if position else text.count("\n") + 1
        raise _broken(path, line, f"{error}.") from error
    lines = _lines_of(text)
    tables: dict[str, tuple[Table, ...]] = {}
    for name, value in content.items():
        entries = value if isinstance(value, list) else [value]
        if not entries or not all(isinstance(entry, dict) for entry in entries):
            raise _broken(path, _line_of_key(text, name), f"{name} stands outside of a table.")
        found = lines.get(name, [])
        tables[name] = tuple(
            Table(
                file=str(path),
                name=name if len(entries) == 1 else f"{name}[{number}]",
                line=found[number][0] if number < len(found) else 1,
                values=entry,
                lines=found[number][1] if number < len(found) else {},
            )
            for number, entry in enumerate(entries)
        )
    return TomlFile(path=path, tables=tables)


def _lines_of(text: str) -> dict[str, list[tuple[int, dict[str, int]]]]:
    """Return for each table name its occurrences: the header's line and the line of each key."""
    found: dict[str, list[tuple[int, dict[str, int]]]] = {}
    keys: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header is not None:
            keys = {}
            found.setdefault(header.group(1).strip("\"'"), []).append((number, keys))
            continue
        key = _KEY.match(line)
        if key is not None:
            keys.setdefault(key.group(1), number)
    return found


def _line_of_key(text: str, name: str) -> int | None:
    for number, line in enumerate(text.splitlines(), start=1):
        key = _KEY.match(line)
        if key is not None and key.group(1) == name:
            return number
    return None


def _broken(path: Path, line: int | None, message: str) -> ProblemError:
    return ProblemError(
        Problem(
            code="gate.config-broken",
            message=message,
            remedy="Correct this line; docs/guides/gate.md shows a whole file.",
            file=str(path),
            line=line,
        )
    )
