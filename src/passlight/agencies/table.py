"""Reads a comma-separated file row by row, as text under the names of its first line.

One line is one row: a line break inside quotes is not supported, so that one lost quotation
mark spoils one row and never swallows the rest of the file.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from passlight.agencies.masking import masked
from passlight.agencies.reading import Line, Survey, read_lines, unreadable
from passlight.agencies.rows import Row
from passlight.core.kernel.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of a table: its cells by column, or the row that was put aside."""

    line: int
    cells: Mapping[str, str]
    refused: Row | None = None


def read_table(
    found: Survey,
    *,
    columns: frozenset[str],
    delimiter: str = ",",
    progress: Callable[[int], object] | None = None,
) -> Iterator[Record]:
    """Yield the rows below the first line.

    Raises:
        ProblemError: when a column of ``columns`` is missing or one is named twice.
    """
    lines = read_lines(found, progress=progress)
    header = _header(found, next(lines), columns, delimiter)
    for line in lines:
        yield _record(line, header, delimiter)


def read_header(found: Survey, *, delimiter: str = ",") -> tuple[str, ...]:
    """Return the names in the first line; empty when it cannot be read as a table."""
    line = next(read_lines(found))
    cells = None if line.problem else _cells(line.text, delimiter)
    return tuple(cell.strip() for cell in cells or ())


def put_aside(record: Record, problem: Problem, *, value: str = "") -> Row:
    """Return the row that ``problem`` keeps out, showing the offending value."""
    return Row(line=record.line, problems=(problem,), raw=masked(value, field=problem.field))


def _header(found: Survey, line: Line, columns: frozenset[str], delimiter: str) -> tuple[str, ...]:
    cells = None if line.problem else _cells(line.text, delimiter)
    names = tuple(cell.strip() for cell in cells or ())
    missing = sorted(columns - set(names))
    if missing:
        message = f"The first line lacks the columns {', '.join(missing)}."
        raise unreadable(found.path, "feeds.columns", message, line=line.number)
    twice = sorted(name for name in columns if names.count(name) > 1)
    if twice:
        message = f"The first line names the columns {', '.join(twice)} twice."
        raise unreadable(found.path, "feeds.columns", message, line=line.number)
    return names


def _record(line: Line, header: tuple[str, ...], delimiter: str) -> Record:
    if line.problem is not None:
        return _refused(line, line.problem)
    cells = _cells(line.text, delimiter)
    if cells is None:
        problem = Problem(
            code="feeds.row-quotes",
            message="A quotation mark opens and does not close in this line.",
            remedy="Double a quotation mark inside quotes; put no line break there.",
        )
        return _refused(line, problem)
    if len(cells) != len(header):
        problem = Problem(
            code="feeds.row-width",
            message=f"The row has {len(cells)} cells, the first line {len(header)}.",
            remedy="Quote a value that holds the separator.",
            params={"cells": str(len(cells)), "columns": str(len(header))},
        )
        return _refused(line, problem)
    return Record(line=line.number, cells=dict(zip(header, cells, strict=True)))


def _refused(line: Line, problem: Problem) -> Record:
    row = Row(line=line.number, problems=(problem,), raw=masked(line.text))
    return Record(line=line.number, cells={}, refused=row)


def _cells(text: str, delimiter: str) -> list[str] | None:
    try:
        rows = list(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None
