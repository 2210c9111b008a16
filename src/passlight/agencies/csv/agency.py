"""Reads any table of comma-separated values into facts, by its mapping file."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from passlight.agencies.agency import RowAgency
from passlight.agencies.csv.mapping import PLACEHOLDER, Cell, FeedMapping
from passlight.agencies.masking import masked
from passlight.agencies.reading import Survey
from passlight.agencies.rows import Reading, Row
from passlight.agencies.table import Record, read_table
from passlight.core.facts.form import fact_from_json
from passlight.core.facts.intake import check_intake
from passlight.core.kernel.documents import Document, read_document
from passlight.core.kernel.problem import Problem, ProblemError


def read(found: Survey, reading: Reading) -> Iterator[Row]:
    """Yield one row for every line below the first.

    Raises:
        ProblemError: when there is no mapping, or the table lacks a column it names.
    """
    mapping = reading.mapping
    if mapping is None:
        raise ProblemError(
            Problem(
                code="feeds.mapping-missing",
                message="The agency csv needs a mapping file.",
                remedy="Name it with --mapping FILE.",
            )
        )
    table = read_table(
        found,
        columns=mapping.columns,
        delimiter=mapping.delimiter,
        progress=reading.progress,
    )
    for record in table:
        yield record.refused or _row(record, mapping, reading, found.path.name)


def _row(record: Record, mapping: FeedMapping, reading: Reading, file: str) -> Row:
    try:
        subject, documents = _subject(record, mapping)
        value = _fact(record, mapping, subject, reading)
        fact = fact_from_json(value, file=file, line=record.line)
    except ProblemError as error:
        return _aside(record, mapping, error.problems)
    published_at = reading.published_at
    if mapping.recorded_at is not None and reading.as_of is None:
        published_at = min(fact.recorded_at, reading.now)
    problems = tuple(check_intake(fact, published_at=published_at))
    if problems:
        return _aside(record, mapping, problems)
    return Row(
        line=record.line,
        facts=(fact,),
        documents=documents,
        versioned=mapping.ver is not None,
    )


def _aside(record: Record, mapping: FeedMapping, problems: tuple[Problem, ...]) -> Row:
    field = problems[0].field or ""
    cell = _cell_of(mapping, field)
    column = cell.column if cell is not None else field
    value = record.cells.get(column or "", "")
    return Row(line=record.line, problems=problems, raw=masked(value, field=field))


def _cell_of(mapping: FeedMapping, field: str) -> Cell | None:
    if field.startswith("payload."):
        return mapping.payload.get(field.removeprefix("payload."))
    if field in {"subject", "number", "type"}:
        return Cell(column=mapping.subject.column)
    found = getattr(mapping, field, None)
    return found if isinstance(found, Cell) else None


def _fact(record: Record, mapping: FeedMapping, subject: str, reading: Reading) -> dict[str, Any]:
    """Return the row as an object of the fact format, so that one place checks all facts."""
    payload = {
        name: value
        for name, cell in mapping.payload.items()
        if (value := _value(record, cell, f"payload.{name}", mapping)) is not None
    }
    recorded_at = reading.published_at.isoformat()
    if mapping.recorded_at is not None:
        recorded_at = _value(record, mapping.recorded_at, "recorded_at", mapping)
    until = None
    if mapping.occurred_until is not None:
        until = _value(record, mapping.occurred_until, "occurred_until", mapping)
    return {
        "fact_id": PLACEHOLDER.sub(
            lambda match: _needed(record, match[1], "fact_id"), mapping.fact_id
        ),
        "ver": _version(record, mapping),
        "op": "assert",
        "kind": _value(record, mapping.kind, "kind", mapping),
        "subject": subject,
        "occurred_at": _value(record, mapping.occurred_at, "occurred_at", mapping),
        "occurred_until": until,
        "recorded_at": recorded_at,
        "source": mapping.source,
        "payload": payload,
    }


def _subject(record: Record, mapping: FeedMapping) -> tuple[str, dict[str, Document]]:
    rule = mapping.subject
    text = _needed(record, rule.column, "subject")
    if rule.form == "area":
        return f"area:{text}", {}
    if rule.form == "key":
        return f"{mapping.feed}:{text}", {}
    kind = rule.type
    if rule.type_column is not None:
        word = _needed(record, rule.type_column, "type")
        kind = rule.types.get(word, word)
    document = read_document(kind or "", text)
    key = f"document:{document.type.value}:{document.number}"
    return key, {key: document}


def _version(record: Record, mapping: FeedMapping) -> int:
    if mapping.ver is None:
        return 1
    text = str(_value(record, mapping.ver, "ver", mapping))
    if not text.isdecimal() or len(text) > 9:  # noqa: PLR2004  # digits of a database integer
        raise ProblemError(_wrong(record, "ver", "The version is not a whole number."))
    return int(text)


def _value(record: Record, cell: Cell, field: str, mapping: FeedMapping) -> Any:
    """Return what a cell says, translated; None when it is empty and may be."""
    if cell.column is None:
        return cell.constant
    text = record.cells[cell.column].strip()
    if not text:
        if cell.optional:
            return None
        raise ProblemError(_wrong(record, field, "The cell is empty."))
    if cell.values is not None:
        if text not in cell.values:
            raise ProblemError(_wrong(record, field, "The value is not one of those agreed."))
        return cell.values[text]
    if cell.time is not None:
        return _time(record, text, cell, cell.time, field, mapping)
    return text


def _time(
    record: Record, text: str, cell: Cell, form: str, field: str, mapping: FeedMapping
) -> str:
    try:
        read_at = (
            datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007  # the zone follows
        )
    except ValueError:
        raise ProblemError(_wrong(record, field, f"The time is not written as {form}.")) from None
    if read_at.tzinfo is None:
        read_at = read_at.replace(tzinfo=mapping.zone)
    if field == "occurred_until" and cell.day:
        read_at += timedelta(days=1)  # the day that is named is the last one
    return read_at.isoformat()


def _needed(record: Record, column: str, field: str) -> str:
    text = record.cells[column].strip()
    if not text:
        raise ProblemError(_wrong(record, field, f"The column {column} is empty."))
    return text


def _wrong(record: Record, field: str, message: str) -> Problem:
    return Problem(
        code="feeds.cell",
        message=message,
        remedy="Ask the source for this row again; nothing is guessed.",
        line=record.line,
        field=field,
    )


AGENCY = RowAgency(
    name="csv", suffixes=(".csv", ".tsv"), freshness=timedelta(days=1), read=read, header=True
)
