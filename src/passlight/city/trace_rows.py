"""Rows of a trace's inputs, one by one, each checked: what is wrong is told with its line.

Instants become whole microseconds since 1970. ``trace_files`` does the same for whole files at
once; the words about a bad row are here for both.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import duckdb

from passlight.city.columns import micros
from passlight.city.writing import quoted
from passlight.core.kernel.limits import FACT_EARLIEST, FACT_LATEST, FACT_TEXT_CHARS_MAX
from passlight.core.kernel.problem import Problem, ProblemError


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of an input; one that is not ``needed`` may be empty."""

    name: str
    instant: bool = False
    needed: bool = True


def _text(name: str, *, needed: bool = True) -> Column:
    return Column(name=name, needed=needed)


def _time(name: str, *, needed: bool = True) -> Column:
    return Column(name=name, instant=True, needed=needed)


VISITS: Final = (
    *(_text("subject"), _text("venue"), _text("zone", needed=False)),
    *(_time("entered_at"), _time("left_at", needed=False)),
)
CASES: Final = (
    *(_text("subject"), _text("case_id")),
    *(_time("infectious_from"), _time("isolated_at", needed=False)),
)
WINDOWS: Final = (
    *(_text("case_id"), _text("venue"), _text("zone", needed=False)),
    *(_time("from"), _time("until")),
)

#: An empty text is "", an instant that is not given is None.
Values = tuple[Any, ...]
Refuse = Callable[[Problem], object]

_TIME_HELP = "Write it like 2020-03-01T10:00:00+08:00."
_WORDS: Final = {
    "missing": ("is missing.", "Fill it in."),
    "too-long": ("is too long.", f"Keep it within {FACT_TEXT_CHARS_MAX} characters."),
    "encoding": ("is not UTF-8.", "Save the file as UTF-8."),
    "not-a-time": ("is not a time.", _TIME_HELP),
    "naive-time": ("has no offset.", _TIME_HELP),
    "out-of-range": (
        "is no time of ours.",
        f"Between {FACT_EARLIEST.year} and {FACT_LATEST.year}.",
    ),
    "no-left-at": ("is missing.", "Fill it in, or say how long to assume with --default-stay."),
    "order": ("is before the time it began.", "Correct the row; nothing is guessed."),
    "cells": ("has another number of cells than the first line.", "Mend its commas and quotes."),
    "conflict": (
        "has another window in a row before, which holds.",
        "Give a second infection a case_id of its own.",
    ),
}


def problem(
    code: str, *, file: str, line: int, field: str | None = None, said: str = ""
) -> Problem:
    """Return what is wrong with one row; ``said`` is what stands there, where that helps."""
    message, remedy = _WORDS[code]
    shown = f"{said[:80]!r} {message}" if said else message
    return Problem(
        code=f"trace.{code}", message=shown, remedy=remedy, file=file, line=line, field=field
    )


def unreadable(path: Path, message: str, remedy: str) -> ProblemError:
    """Return the error for a file of which nothing can be used."""
    return ProblemError(
        Problem(code="trace.unreadable", message=message, remedy=remedy, file=str(path))
    )


def header_of(path: Path, columns: Sequence[Column]) -> list[str]:
    """Return the column names in the first line of a CSV file.

    Raises:
        ProblemError: when it is empty, names a column twice or lacks one.
        OSError: when it cannot be read.
    """
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as source:
        names = [name.strip() for name in next(_cells(source), (1, []))[1] or []]
    require(path, names, columns)
    return names


def require(path: Path, names: Sequence[str], columns: Sequence[Column]) -> None:
    """Refuse a file that lacks a column.

    Raises:
        ProblemError: naming the columns it needs.
    """
    wanted = ",".join(column.name for column in columns)
    lacking = [column.name for column in columns if column.name not in names]
    if lacking:
        raise unreadable(path, f"has no column {', '.join(lacking)}.", f"It needs {wanted}.")
    if len(set(names)) != len(names):
        raise unreadable(path, "names a column twice.", f"It needs {wanted}, each once.")


def read_rows(
    path: Path, columns: Sequence[Column], *, refuse: Refuse, where: str | None = None
) -> Iterator[tuple[int, Values]]:
    """Yield line and values, in the order of ``columns``, of every good row of a file.

    Of Parquet the line is the number of the row, from 1; ``where`` is a query of the places,
    from 0, of the rows to read.

    Raises:
        ProblemError: when the file has not the columns.
        OSError: when it cannot be read.
    """
    rows = _parquet(path, columns, where) if is_parquet(path) else _csv(path, columns, refuse)
    for line, cells in rows:
        values = []
        for column, cell in zip(columns, cells, strict=True):
            value, wrong = read_cell(cell, column)
            if wrong:
                said = cell if isinstance(cell, str) and column.instant else ""
                refuse(problem(wrong, file=str(path), line=line, field=column.name, said=said))
                break
            values.append(value)
        else:
            yield line, tuple(values)


def is_parquet(path: Path) -> bool:
    """Return whether a file is read as Parquet, by its suffix."""
    return path.suffix.lower() in {".parquet", ".pq"}


def read_cell(cell: object, column: Column) -> tuple[str | int | None, str]:
    """Return the value of a cell, and the code of what is wrong with it, or nothing."""
    if isinstance(cell, str):
        if not cell.isascii() and _BROKEN.search(cell):
            return None, "encoding"
        if not cell.strip(" "):
            cell = None
        elif column.instant:
            return read_instant(cell)
        else:
            return (cell, "") if len(cell) <= FACT_TEXT_CHARS_MAX else (None, "too-long")
    if cell is None:
        return (None if column.instant else ""), ("missing" if column.needed else "")
    if isinstance(cell, int) and _EARLIEST <= cell < _LATEST:
        return cell, ""
    return None, "out-of-range"


# What decoding leaves of a byte that is no UTF-8.
_BROKEN: Final = re.compile("[\udc80-\udcff]")
_EARLIEST: Final = micros(FACT_EARLIEST)
_LATEST: Final = micros(FACT_LATEST)


@lru_cache(maxsize=65_536)  # check-ins of one rush hour have the same minutes
def read_instant(text: str) -> tuple[int | None, str]:
    """Return the microseconds of a time that has an offset, and what is wrong with it."""
    try:
        parsed = datetime.fromisoformat(text.strip())
        if parsed.tzinfo is None:
            return None, "naive-time"
        found = micros(parsed)
    except (ValueError, OverflowError):
        return None, "not-a-time"
    return (found, "") if _EARLIEST <= found < _LATEST else (None, "out-of-range")


def instant_sql(path: Path, name: str, type_: str) -> str:
    """Return an instant of a Parquet column as BIGINT or as text, by the column's type.

    Raises:
        ProblemError: when the type tells no instant.
    """
    column = f'"{name}"'
    if type_ in {"BIGINT", "VARCHAR"}:
        return column
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"epoch_us({column})"
    raise unreadable(
        path,
        f"{name} has the type {type_}, which has no offset.",
        "Write times as text with an offset, as microseconds in UTC, or with a time zone.",
    )


def types_of(
    connection: duckdb.DuckDBPyConnection, path: Path, columns: Sequence[Column]
) -> dict[str, str]:
    """Return the types of a Parquet file's columns.

    Raises:
        ProblemError: when it is none, or lacks a column.
    """
    try:
        rows = connection.execute(f"DESCRIBE FROM read_parquet({quoted(path)})").fetchall()
    except duckdb.Error:
        raise unreadable(path, "cannot be read as Parquet.", "Name a Parquet file.") from None
    types = {str(name): str(type_) for name, type_, *_ in rows}
    require(path, list(types), columns)
    return types


def _parquet(
    path: Path, columns: Sequence[Column], where: str | None
) -> Iterator[tuple[int, Sequence[object]]]:
    path.open("rb").close()  # what the file system says is clearer than what an engine does
    with duckdb.connect() as connection:
        types = types_of(connection, path, columns)
        chosen = ", ".join(
            instant_sql(path, column.name, types[column.name])
            if column.instant
            else f'CAST("{column.name}" AS VARCHAR)'
            for column in columns
        )
        found = connection.execute(
            f"SELECT file_row_number + 1, {chosen} "  # noqa: S608 - columns are ours
            f"FROM read_parquet({quoted(path)}, file_row_number = true) "
            f"{f'WHERE file_row_number IN ({where})' if where else ''} ORDER BY 1"
        )
        while batch := found.fetchmany(10_000):
            for line, *cells in batch:
                yield line, cells


def _csv(
    path: Path, columns: Sequence[Column], refuse: Refuse
) -> Iterator[tuple[int, Sequence[object]]]:
    names = header_of(path, columns)
    places = [names.index(column.name) for column in columns]
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as source:
        rows = _cells(source)
        next(rows)
        for line, cells in rows:
            if cells is None or len(cells) != len(names):
                refuse(problem("cells", file=str(path), line=line))
            else:
                yield line, [cells[place] for place in places]


def _cells(source: Iterator[str]) -> Iterator[tuple[int, list[str] | None]]:
    """Yield each row that is not blank with the line on which it begins; None when it is broken."""
    reader = csv.reader(source, strict=True)
    begun = 1
    while True:
        try:
            cells: list[str] | None = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = None
        if cells is None or cells:
            yield begun, cells
        begun = reader.line_num + 1
