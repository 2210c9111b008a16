"""Reads facts in Passlight's own form, one JSON object a line (design.md 3).

``subject`` is any stable key, an area (``area:…``), or a document ``{type, number}``.
A row is judged against its own ``recorded_at``, but never against a time yet to come.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from passlight.agencies.agency import RowAgency
from passlight.agencies.masking import masked
from passlight.agencies.reading import Line, Survey, read_lines
from passlight.agencies.rows import Reading, Row
from passlight.core.facts.fact import Fact
from passlight.core.facts.form import decode_line, fact_from_json
from passlight.core.facts.intake import check_intake
from passlight.core.kernel.documents import Document, read_document
from passlight.core.kernel.problem import Problem, ProblemError


def read(found: Survey, reading: Reading) -> Iterator[Row]:
    """Yield one row for every line of the file that is not blank."""
    for line in read_lines(found, progress=reading.progress):
        yield _row(line, found.path.name, reading)


def _row(line: Line, file: str, reading: Reading) -> Row:
    if line.problem is not None:
        return Row(line=line.number, problems=(line.problem,))
    try:
        value = decode_line(line.text)
    except (ValueError, RecursionError):
        return Row(line=line.number, problems=(_not_json(line, file),), raw=masked(line.text))
    try:
        value, documents = _take_document(value)
        fact = fact_from_json(value, file=file, line=line.number)
    except ProblemError as error:
        return Row(line=line.number, problems=error.problems, raw=_shown(value, error, line))
    problems = tuple(check_intake(fact, published_at=_published_at(fact, reading)))
    raw = _value_of(value, problems[0].field) if problems else ""
    return Row(
        line=line.number,
        facts=(fact,),
        documents=documents,
        problems=problems,
        raw=raw,
        versioned=True,
    )


def _published_at(fact: Fact, reading: Reading) -> Any:
    return reading.as_of or min(fact.recorded_at, reading.now)


def _take_document(value: Any) -> tuple[Any, dict[str, Document]]:
    """Return the object with its document's key as the subject, and that document."""
    subject = value.get("subject") if isinstance(value, dict) else None
    if not isinstance(subject, dict):
        return value, {}
    kind, number = subject.get("type"), subject.get("number")
    if not isinstance(kind, str) or not isinstance(number, str):
        raise ProblemError(
            Problem(
                code="feeds.document-form",
                message="A document has the texts type and number.",
                remedy='Send {"type": "resident-id", "number": "…"} or a stable key.',
                field="subject",
            )
        )
    document = read_document(kind, number)
    key = f"document:{document.type.value}:{document.number}"
    return {**value, "subject": key}, {key: document}


def _not_json(line: Line, file: str) -> Problem:
    if not line.ended:
        return Problem(
            code="feeds.line-torn",
            message="The last line is cut off.",
            remedy="The transfer was interrupted; ask for the file again.",
            file=file,
            line=line.number,
        )
    return Problem(
        code="feeds.line-json",
        message="The line is not JSON, or names a field twice.",
        remedy="Ask the source for this line again.",
        file=file,
        line=line.number,
    )


def _shown(value: Any, error: ProblemError, line: Line) -> str:
    """Return the value that is wrong, masked; the line when there is no such value to name."""
    field = error.problems[0].field
    if field is None:
        return masked(line.text)
    if field in {"number", "type"}:
        field = f"subject.{field}"
    return _value_of(value, field)


def _value_of(value: Any, field: str | None) -> str:
    """Return the field that is wrong, as it may be shown."""
    found = value
    for key in (field or "").split("."):
        if not isinstance(found, dict) or key not in found:
            return ""
        found = found[key]
    return masked(found if isinstance(found, str) else json.dumps(found), field=field)


AGENCY = RowAgency(
    name="jsonl", suffixes=(".jsonl", ".ndjson"), freshness=timedelta(days=1), read=read
)
