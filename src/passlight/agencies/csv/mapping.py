"""The mapping file: which columns of a table become which parts of a fact.

``README.md`` in this folder documents the file line by line. Every error in it is found
before the first row is read, and all of them at once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from passlight.agencies.reading import ENCODINGS
from passlight.core.kernel.documents import DocumentType
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.kernel.yaml_events import shallow_events

OPTIONAL = ("encoding", "delimiter", "ver", "occurred_until", "recorded_at", "payload")
NEEDED = ("feed", "source", "zone", "fact_id", "kind", "subject", "occurred_at")
KEYS = frozenset([*NEEDED, *OPTIONAL])
DEPTH_MAX = 8
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_FEED = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Where one value comes from: a column or a constant, and how it is read.

    ``values`` translates what the source writes; a value that is not among them puts the row
    aside, because guessing one would colour somebody. ``time`` is a strptime format or ``iso``.
    """

    column: str | None = None
    constant: Any = None
    values: Mapping[str, Any] | None = None
    time: str | None = None
    day: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom or what a row is about: a stable key, an area, or a document of some type."""

    form: str  # key | area | document
    column: str
    type: str | None = None
    type_column: str | None = None
    types: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedMapping:
    """One table's way to facts."""

    feed: str
    source: str
    zone: ZoneInfo
    encoding: str | None
    delimiter: str
    fact_id: str
    ver: Cell | None
    kind: Cell
    subject: Subject
    occurred_at: Cell
    occurred_until: Cell | None
    recorded_at: Cell | None
    payload: Mapping[str, Cell]

    @property
    def columns(self) -> frozenset[str]:
        """Return every column the mapping reads."""
        cells = [self.kind, self.occurred_at, self.occurred_until, self.recorded_at, self.ver]
        names = {cell.column for cell in [*cells, *self.payload.values()] if cell is not None}
        names |= {*PLACEHOLDER.findall(self.fact_id), self.subject.column}
        names.add(self.subject.type_column)
        return frozenset(name for name in names if name is not None)


def load_mapping(text: str, *, file: str) -> FeedMapping:
    """Return the mapping in ``text``.

    Raises:
        ProblemError: with everything that is wrong with it.
    """
    try:
        for _ in shallow_events(text, depth_max=DEPTH_MAX):
            pass
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise ProblemError(_problem(file, None, "This is not YAML.", line=line)) from None
    if not isinstance(document, dict):
        raise ProblemError(_problem(file, None, "The mapping is not a table of keys."))
    reader = _Reader(file, document)
    mapping = reader.mapping()
    if mapping is None:
        raise ProblemError(*reader.problems)
    return mapping


class _Reader:
    """Reads the parts of the document and keeps what is wrong with them."""

    def __init__(self, file: str, document: dict[str, Any]) -> None:
        self.file = file
        self.document = document
        self.problems: list[Problem] = []

    def mapping(self) -> FeedMapping | None:
        document = self.document
        for key in sorted(document.keys() - KEYS, key=str):
            self.wrong(str(key), f"There is no key {key}.")
        for key in NEEDED:
            if key not in document:
                self.wrong(key, f"The key {key} is missing.")
        if self.problems:
            return None
        read = FeedMapping(
            feed=self.feed(),
            source=self.text("source"),
            zone=self.zone(),
            encoding=self.encoding(),
            delimiter=self.delimiter(),
            fact_id=self.fact_id(),
            ver=self.cell("ver", document["ver"]) if "ver" in document else None,
            kind=self.kind(),
            subject=self.subject(),
            occurred_at=self.time("occurred_at"),
            occurred_until=self.time("occurred_until") if "occurred_until" in document else None,
            recorded_at=self.time("recorded_at") if "recorded_at" in document else None,
            payload=self.payload(),
        )
        return None if self.problems else read

    def wrong(self, key: str, message: str) -> None:
        self.problems.append(_problem(self.file, key, message))

    def text(self, key: str) -> str:
        value = self.document.get(key)
        if not isinstance(value, str) or not value.strip():
            self.wrong(key, f"{key} is a text.")
            return ""
        return value

    def feed(self) -> str:
        name = self.text("feed")
        if not _FEED.fullmatch(name):
            self.wrong("feed", "feed has lower-case letters, digits and hyphens, at most 32.")
        return name

    def zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.text("zone"))
        except (KeyError, ValueError, OSError):
            self.wrong("zone", "zone is a name such as Asia/Shanghai.")
            return ZoneInfo("UTC")

    def encoding(self) -> str | None:
        value = self.document.get("encoding")
        if value is not None and value not in ENCODINGS:
            self.wrong("encoding", f"encoding is one of {', '.join(ENCODINGS)}.")
        return value

    def delimiter(self) -> str:
        value = self.document.get("delimiter", ",")
        if not isinstance(value, str) or len(value) != 1:
            self.wrong("delimiter", "delimiter is one character.")
            return ","
        return value

    def fact_id(self) -> str:
        template = self.text("fact_id")
        if not PLACEHOLDER.search(template):
            self.wrong("fact_id", "fact_id names at least one column, as in lab:{sample}.")
        return template

    def kind(self) -> Cell:
        value = self.document["kind"]
        return Cell(constant=value) if isinstance(value, str) else self.cell("kind", value)

    def time(self, key: str) -> Cell:
        cell = self.cell(key, self.document[key])
        if cell.time is None:
            self.wrong(key, f"{key} needs time: iso, or a format such as '%Y-%m-%d %H:%M'.")
        return cell

    def payload(self) -> dict[str, Cell]:
        value = self.document.get("payload", {})
        if not isinstance(value, dict):
            self.wrong("payload", "payload is a table of fields.")
            return {}
        return {str(name): self.cell(f"payload.{name}", cell) for name, cell in value.items()}

    def cell(self, key: str, value: Any) -> Cell:
        if isinstance(value, str):
            return Cell(column=value)
        known = {"column", "constant", "values", "time", "optional"}
        good = isinstance(value, dict) and not value.keys() - known
        if not good or ("column" in value) == ("constant" in value):
            self.wrong(key, f"{key} is a column, or has one of column and constant.")
            return Cell()
        values = value.get("values")
        if values is not None and not isinstance(values, dict):
            self.wrong(key, "values is a table: what the source writes, what it means.")
            values = None
        form = value.get("time")
        return Cell(
            column=value.get("column"),
            constant=value.get("constant"),
            values={str(word): meaning for word, meaning in values.items()} if values else None,
            time=form,
            day=isinstance(form, str) and form != "iso" and "%H" not in form,
            optional=bool(value.get("optional", False)),
        )

    def subject(self) -> Subject:
        value = self.document["subject"]
        forms = (
            [form for form in ("key", "area", "document") if form in value]
            if isinstance(value, dict)
            else []
        )
        if len(forms) != 1 or not isinstance(value[forms[0]], str):
            self.wrong("subject", "subject has one of key, area and document: a column's name.")
            return Subject(form="key", column="")
        form = forms[0]
        found = Subject(
            form=form,
            column=value[form],
            type=value.get("type"),
            type_column=value.get("type_column"),
            types=value.get("types") or {},
        )
        if form == "document":
            self.document_types(found)
        return found

    def document_types(self, subject: Subject) -> None:
        if (subject.type is None) == (subject.type_column is None):
            self.wrong("subject", "A document has one of type and type_column.")
        for kind in [subject.type, *subject.types.values()]:
            if kind is not None and kind not in list(DocumentType):
                self.wrong("subject", f"{kind} is not one of {', '.join(DocumentType)}.")


def _problem(file: str, key: str | None, message: str, *, line: int | None = None) -> Problem:
    return Problem(
        code="feeds.mapping",
        message=message,
        remedy="See the README of the agency csv.",
        file=file,
        field=key,
        line=line,
    )
