"""Visits, cases and windows from files to Parquet that a trace reads, in bounded memory.

A good file of visits is read by the engine as a whole. Only where something is wrong with it, or
written in a way that the engine does not know, its rows are read one by one, so that every bad
one is told with its line and every good one counts.
"""
# ruff: noqa: S608 - every part of the SQL is ours; paths go through quoted()

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb

from passlight.city.columns import micros
from passlight.city.trace_rows import (
    CASES,
    VISITS,
    WINDOWS,
    Refuse,
    Values,
    header_of,
    instant_sql,
    is_parquet,
    problem,
    read_rows,
    types_of,
)
from passlight.city.writing import quoted
from passlight.core.kernel.limits import FACT_EARLIEST, FACT_LATEST, FACT_TEXT_CHARS_MAX
from passlight.core.kernel.problem import Problem

MINUTE: Final = 60_000_000
MEMORY_LIMIT: Final = "1GB"
VISIT_TYPES: Final = {
    "subject": "VARCHAR",
    "venue": "VARCHAR",
    "zone": "VARCHAR",
    "entered_at": "BIGINT",
    "left_at": "BIGINT",
}
CASE_TYPES: Final = {
    "subject": "VARCHAR",
    "case_id": "VARCHAR",
    "infectious_from": "BIGINT",
    "isolated_at": "BIGINT",
}
WINDOW_TYPES: Final = {
    "case_id": "VARCHAR",
    "subject": "VARCHAR",
    "venue": "VARCHAR",
    "zone": "VARCHAR",
    "begun": "BIGINT",
    "direct_until": "BIGINT",
    "ended": "BIGINT",
}

# The one way of writing an instant that SQL reads by itself; any other is read row by row.
_PLAIN_TIME = (
    r"\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?"
    r"(Z|[+-]([01]\d|2[0-3]):[0-5]\d)"
)
_NO_SECONDS = r"^(.{16})(Z|[+-].*)$"
# What is not after this is empty, blank, or begins with something stranger than a space.
_SPACES: Final = f"'{' ' * FACT_TEXT_CHARS_MAX}'"
_INSTANTS: Final = ("entered_at", "left_at")

Shown = Callable[[Iterable[Any], str], Iterable[Any]]


class TraceFiles:
    """Reads the inputs of one trace into Parquet files below ``folder``.

    ``tell`` is told of every bad row; ``shown`` wraps rows that take long, with a word for them.
    """

    def __init__(self, folder: Path, *, tell: Refuse, shown: Shown) -> None:
        self.folder = folder
        self.refused = 0
        self._tell = tell
        self._shown = shown
        self._number = 0
        self._connection = duckdb.connect(
            config={
                "memory_limit": MEMORY_LIMIT,
                "temp_directory": str(folder),
                "preserve_insertion_order": False,
            }
        )
        self._connection.execute("SET enable_progress_bar = false")

    def close(self) -> None:
        """Give the memory back."""
        self._connection.close()

    def visits(
        self, paths: Sequence[Path], *, default_stay_minutes: int | None
    ) -> tuple[list[list[Path]], int]:
        """Return the files that hold every good visit, and how many visits those are.

        The files of one group have the same columns, those of a trace among them.

        Raises:
            ProblemError: when a file is no table of visits.
            OSError: when one cannot be read.
        """
        stay = None if default_stay_minutes is None else default_stay_minutes * MINUTE
        groups: dict[tuple[str, ...], list[Path]] = {}
        count = 0
        for path in self._shown(paths, "visits") if len(paths) > 1 else paths:
            read = self._visits_of_parquet if is_parquet(path) else self._visits_of_csv
            found, rows = read(path, stay)
            count += rows
            for file in found:
                columns = types_of(self._connection, file, VISITS)
                groups.setdefault(tuple(columns), []).append(file)
        return list(groups.values()), count

    def cases(self, paths: Iterable[Path]) -> tuple[Path, int]:
        """Return a file of the cases, each once, and how many those are.

        Raises:
            ProblemError: when a file is no table of cases.
            OSError: when one cannot be read.
        """
        found: dict[tuple[str, str], Values] = {}
        for path in paths:
            for line, row in read_rows(path, CASES, refuse=self.refuse):
                subject, case_id, *_ = row
                if found.setdefault((subject, case_id), row) != row:
                    self.refuse(problem("conflict", file=str(path), line=line, field="case_id"))
        return self._write(CASE_TYPES, found.values()), len(found)

    def windows(self, paths: Iterable[Path]) -> tuple[Path, int]:
        """Return a file of the windows in our own layout, each once, and how many those are.

        Raises:
            ProblemError: when a file is no table of windows.
            OSError: when one cannot be read.
        """
        found: dict[Values, None] = {}
        for path in paths:
            for line, row in read_rows(path, WINDOWS, refuse=self.refuse):
                if row[4] < row[3]:
                    self.refuse(problem("order", file=str(path), line=line, field="until"))
                else:
                    found[row] = None
        return self.write_windows(found), len(found)

    def write_windows(self, windows: Iterable[Values]) -> Path:
        """Return a file of windows: case_id, venue, zone, from, until of each."""
        return self._write(
            WINDOW_TYPES,
            (
                (case_id, None, venue, zone, since, until, until)
                for case_id, venue, zone, since, until in windows
            ),
        )

    def _visits_of_csv(self, path: Path, stay: int | None) -> tuple[list[Path], int]:
        names = header_of(path, VISITS)
        columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in names)
        source = (
            f"read_csv({quoted(path)}, auto_detect = false, header = true, delim = ',', "
            f"quote = '\"', escape = '\"', strict_mode = true, columns = {{{columns}}})"
        )
        target = self._target()
        try:
            self._copy(_checked(source, dict.fromkeys(_INSTANTS, "VARCHAR"), stay), target)
            [(rows, bad)] = self._ask(
                f"SELECT count(*), count(*) FILTER (WHERE bad) FROM {_parquet(target)}"
            )
        except duckdb.Error:
            rows, bad = 0, 1
        if not bad:
            return [target], rows
        target.unlink(missing_ok=True)
        good = _Counted(self._good(read_rows(path, VISITS, refuse=self.refuse), path, stay))
        return [self._write(VISIT_TYPES, self._shown(good, "visits"))], good.count

    def _visits_of_parquet(self, path: Path, stay: int | None) -> tuple[list[Path], int]:
        path.open("rb").close()  # what the file system says is clearer than what an engine does
        types = types_of(self._connection, path, VISITS)
        for name in _INSTANTS:
            instant_sql(path, name, types[name])
        source = f"read_parquet({quoted(path)}, file_row_number = true)"
        checked = _checked(source, types, stay, place="file_row_number")
        ours = all(types[name] == type_ for name, type_ in VISIT_TYPES.items())
        changed = "bad OR changed" if ours else "true"
        [(rows, bad, changes)] = self._ask(
            "SELECT count(*), count(*) FILTER (WHERE bad), "
            f"count(*) FILTER (WHERE {changed}) FROM ({checked})"
        )
        if not changes:
            return [path], rows  # the trace reads it where it is
        target = self._target()
        self._copy(f"SELECT * FROM ({checked}) WHERE NOT bad", target)
        if not bad:
            return [target], rows
        # Row by row: to be told, or because the engine does not know how a time is written.
        doubtful = read_rows(
            path, VISITS, refuse=self.refuse, where=f"SELECT place FROM ({checked}) WHERE bad"
        )
        good = _Counted(self._good(doubtful, path, stay))
        return [target, self._write(VISIT_TYPES, good)], rows - bad + good.count

    def _good(
        self, rows: Iterable[tuple[int, Values]], path: Path, stay: int | None
    ) -> Iterator[Values]:
        for line, (*said, entered_at, left_at) in rows:
            end = entered_at + stay if left_at is None and stay is not None else left_at
            if end is None or end < entered_at:
                code = "no-left-at" if end is None else "order"
                self.refuse(problem(code, file=str(path), line=line, field="left_at"))
            else:
                yield (*said, entered_at, end)

    def refuse(self, one: Problem) -> None:
        """Count and tell a bad row."""
        self.refused += 1
        self._tell(one)

    def _target(self) -> Path:
        self._number += 1
        return self.folder / f"part-{self._number:04}.parquet"

    def _ask(self, query: str) -> list[tuple[int, ...]]:
        return self._connection.execute(query).fetchall()

    def _copy(self, query: str, target: Path) -> None:
        self._connection.execute(
            f"COPY ({query}) TO {quoted(target)} (FORMAT parquet, COMPRESSION snappy)"
        )

    def _write(self, types: Mapping[str, str], rows: Iterable[Values]) -> Path:
        """Return a Parquet file of rows, by way of a CSV: nothing is faster into the engine."""
        target = self._target()
        text = target.with_suffix(".csv")
        with text.open("w", encoding="utf-8", newline="") as sink:
            sink.writelines(f"{','.join(map(_cell, row))}\n" for row in rows)
        columns = ", ".join(f"{name}: '{type_}'" for name, type_ in types.items())
        self._copy(
            f"SELECT * FROM read_csv({quoted(text)}, auto_detect = false, header = false, "
            "delim = ',', quote = '\"', escape = '\"', nullstr = '', "
            f"allow_quoted_nulls = false, columns = {{{columns}}})",
            target,
        )
        text.unlink()
        return target


class _Counted:
    """Rows, and how many have been read."""

    def __init__(self, rows: Iterable[Values]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Values]:
        for row in self._rows:
            self.count += 1
            yield row


def _checked(source: str, types: Mapping[str, str], stay: int | None, *, place: str = "0") -> str:
    """Return the query of visits with ``bad``: not known to be good; and ``changed``."""
    given = {name: _blank(name, types[name]) for name in _INSTANTS}
    values = {name: _instant(name, types[name]) for name in _INSTANTS}
    left = values["left_at"]
    if stay is not None:
        left = f"CASE WHEN {given['left_at']} THEN {values['entered_at']} + {stay} ELSE {left} END"
    # Cheap tests that no good row fails but a strange one; such a row is then looked at itself.
    texts = " OR ".join(
        f"coalesce({name} <= {_SPACES} OR strlen({name}) > {FACT_TEXT_CHARS_MAX}, true)"
        for name in ("subject", "venue")
    )
    low, high = micros(FACT_EARLIEST), micros(FACT_LATEST)
    return f"""
        SELECT subject, venue, entered_at, left_at, place,
            CASE WHEN said > {_SPACES} THEN said WHEN coalesce(trim(said), '') = '' THEN ''
                ELSE said END AS zone,
            ended OR said IS NULL OR said <> '' AND said <= {_SPACES} AS changed,
            {texts} OR coalesce(strlen(said), 0) > {FACT_TEXT_CHARS_MAX}
            OR coalesce(entered_at < {low} OR entered_at >= {high}, true)
            OR coalesce(left_at < entered_at OR left_at >= {high}, true) AS bad
        FROM (SELECT CAST(subject AS VARCHAR) AS subject, CAST(venue AS VARCHAR) AS venue,
            CAST(zone AS VARCHAR) AS said, {values["entered_at"]} AS entered_at,
            {left} AS left_at, {given["left_at"]} AS ended, {place} AS place
            FROM {source})"""


def _blank(name: str, type_: str) -> str:
    return f"{name} IS NULL" + (f" OR trim({name}) = ''" if type_ == "VARCHAR" else "")


def _instant(name: str, type_: str) -> str:
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"epoch_us({name})"
    if type_ != "VARCHAR":
        return name
    whole = f"regexp_replace({name}, '{_NO_SECONDS}', '\\1:00\\2')"
    return (
        f"CASE WHEN regexp_full_match({name}, '{_PLAIN_TIME}') "
        f"THEN epoch_us(try_cast({whole} AS TIMESTAMPTZ)) END"
    )


def _cell(value: str | int | None) -> str:
    """Return a cell of CSV: texts in quotes, so that an empty one is no NULL."""
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return "" if value is None else str(value)


def _parquet(path: Path) -> str:
    return f"read_parquet({quoted(path)})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
