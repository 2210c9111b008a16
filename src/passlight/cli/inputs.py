"""What several commands read from their options, and how they complain."""

import csv
import io
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import click

from passlight.core.kernel.limits import FACT_EARLIEST, FACT_LATEST
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.rules.load import load_pack
from passlight.core.rules.pack import Pack
from passlight.runtime.packs import read_pack_folder


class BadUsageError(Exception):
    """Raised when a command cannot start: exit status 2, the text says what to do."""


def unreadable(path: Path, error: OSError | UnicodeDecodeError) -> BadUsageError:
    """Return what to raise for a text file that cannot be read."""
    why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
    return BadUsageError(f"{path}: cannot be read ({why}). Name a UTF-8 file.")


def check_target(out: Path, *, inputs: Iterable[Path] = ()) -> None:
    """Refuse what a finished draft cannot replace, before an hour of work goes into it.

    Raises:
        BadUsageError: when ``out`` is a folder, a device or one of ``inputs``, or its folder is
            missing.
    """
    if out.exists() and not out.is_file():
        raise BadUsageError(f"{out}: is no ordinary file. Name a file to write.")
    if out.exists() and any(one.exists() and one.samefile(out) for one in inputs):
        raise BadUsageError(f"{out}: is read, and would be lost. Name another file to write.")
    if not out.parent.is_dir():
        raise BadUsageError(f"{out}: its folder is not there. Run mkdir -p {out.parent}.")


def complain(problems: Iterable[Problem]) -> None:
    """Write the problems of one place as one line on standard error."""
    first, *others = problems
    more = "".join(f" Also {problem.field}: {problem.message}" for problem in others)
    click.echo(f"{first}{more}".replace("\n", " "), err=True)


def read_pack(folder: Path) -> Pack:
    """Return the pack in ``folder``.

    Raises:
        BadUsageError: naming every problem of the pack, one a line.
    """
    try:
        return load_pack(read_pack_folder(folder))
    except ProblemError as error:
        raise BadUsageError(_in_folder(error, folder)) from error


def _in_folder(error: ProblemError, folder: Path) -> str:
    return "\n".join(
        str(problem) if str(folder) in (problem.file or "") else f"{folder}/{problem}"
        for problem in error.problems
    )


def read_time(text: str, option: str) -> datetime:
    """Return the instant that an option names; one without an offset is refused."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        message = f"{option}: {text!r} is not a time. Write it like 2020-03-01T10:00:00+08:00."
        raise BadUsageError(message) from None
    if instant.tzinfo is None:
        raise BadUsageError(
            f"{option}: {text!r} has no offset, so nobody knows which instant it is. "
            "Write it like 2020-03-01T10:00:00+08:00."
        )
    if not FACT_EARLIEST <= instant < FACT_LATEST:
        years = f"between {FACT_EARLIEST.year} and {FACT_LATEST.year}"
        raise BadUsageError(f"{option}: {text!r} is out of range. Name a time {years}.")
    return instant


def read_points(path: Path) -> list[tuple[datetime, datetime | None]]:
    """Return the moments of a file: CSV with the columns at,known_at, or JSON Lines with them."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error
    rows = _json_rows(path, text) if text.lstrip().startswith("{") else _csv_rows(path, text)
    moments = []
    for number, row in rows:
        at, known = row.get("at"), row.get("known_at")
        place = f"{path}:{number}"
        if not at:
            raise BadUsageError(f"{place}: at: is missing. Give each moment an at.")
        known_at = read_time(str(known), f"{place}: known_at") if known else None
        moments.append((read_time(str(at), f"{place}: at"), known_at))
    if not moments:
        raise BadUsageError(f"{path}: names no moment. Write at,known_at and one moment a line.")
    return moments


def _json_rows(path: Path, text: str) -> list[tuple[int, dict[str, object]]]:
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise BadUsageError(f"{path}:{number}: is not a JSON object. One object a line.")
        rows.append((number, row))
    return rows


def _csv_rows(path: Path, text: str) -> list[tuple[int, dict[str, object]]]:
    """Return the rows by column; a first line that is a time means there is no header."""
    lines = [(number, row) for number, row in enumerate(csv.reader(io.StringIO(text)), start=1)]
    lines = [(number, [cell.strip() for cell in row]) for number, row in lines if any(row)]
    header = ["at", "known_at"]
    if lines and "at" in lines[0][1]:
        header = lines.pop(0)[1]
    if set(header) - {"at", "known_at"}:
        raise BadUsageError(f"{path}:1: has other columns. Use at,known_at.")
    return [(number, dict(zip(header, row, strict=False))) for number, row in lines]
