"""The JSON form of a fact: one object, one line (design.md 3, "File formats")."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from sys import intern
from typing import Any

from passlight.core.facts.fact import AREA_PREFIX, MANUAL_SOURCE, SOURCE_PREFIX, Fact, Op
from passlight.core.facts.kinds import KINDS, FactKind, FieldType
from passlight.core.kernel.limits import (
    FACT_EARLIEST,
    FACT_LATEST,
    FACT_LINE_BYTES_MAX,
    FACT_NUMBER_MAX,
    FACT_TEXT_CHARS_MAX,
)
from passlight.core.kernel.problem import Problem, ProblemError


class _Reader:
    """Collects what is wrong with one object, so that its sender learns all of it at once."""

    __slots__ = ("file", "line", "obj", "problems")

    def __init__(self, obj: Mapping[str, Any], file: str | None, line: int | None) -> None:
        self.obj = obj
        self.file = file
        self.line = line
        self.problems: list[Problem] = []

    def wrong(self, field: str, code: str, message: str, remedy: str) -> None:
        self.problems.append(
            Problem(
                code=f"intake.{code}",
                message=message,
                remedy=remedy,
                file=self.file,
                line=self.line,
                field=field,
            )
        )

    def text(self, field: str, default: str | None = None) -> str:
        value = self.obj.get(field, default)
        if value is None:
            self.wrong(field, "missing", "is missing.", "Add it; it must be a text.")
        elif not isinstance(value, str) or not value.strip():
            self.wrong(
                field, "not-text", "must be a text that is not empty.", "Write it in quotes."
            )
        elif not storable(value):
            remedy = "Send whole characters."
            self.wrong(field, "not-storable", "holds half a character or a null byte.", remedy)
        elif len(value) > FACT_TEXT_CHARS_MAX:
            limit = f"Keep it within {FACT_TEXT_CHARS_MAX} characters."
            self.wrong(field, "too-long", "is too long.", limit)
        else:
            return value
        return ""

    def instant(self, field: str, value: object, *, default: datetime | None = None) -> datetime:
        if value is None and default is not None:
            return default
        if value is None:
            self.wrong(field, "missing", "is missing.", "Add a time with an offset.")
        elif not isinstance(value, str):
            self.wrong(field, "not-a-time", "must be a time written as text.", _TIME_HELP)
        else:
            try:
                parsed = datetime.fromisoformat(value)
                if parsed.tzinfo is None:
                    self.wrong(field, "naive-time", f"{value!r} has no offset.", _TIME_HELP)
                elif FACT_EARLIEST <= parsed < FACT_LATEST:
                    return parsed.astimezone(UTC)
                else:
                    remedy = f"Between {FACT_EARLIEST.year} and {FACT_LATEST.year}."
                    self.wrong(field, "out-of-range", f"{value!r} is no time of ours.", remedy)
            except (ValueError, OverflowError):
                self.wrong(field, "not-a-time", f"{value!r} is not a time.", _TIME_HELP)
        return _NO_TIME

    def whole(self, field: str) -> int:
        value = self.obj.get(field)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**31:
            return value
        self.wrong(field, "not-a-version", "must be a whole number from 1.", "Number the versions.")
        return 0


_TIME_HELP = "Write it like 2020-03-01T10:00:00+08:00."
_NO_TIME = datetime(1, 1, 1, tzinfo=UTC)


def storable(value: str) -> bool:
    """Return whether the text can be written as UTF-8 and kept in a database."""
    if "\x00" in value:
        return False
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def fact_from_json(obj: object, *, file: str | None = None, line: int | None = None) -> Fact:
    """Return the fact that ``obj`` states.

    Raises:
        ProblemError: with every problem of the object, each naming file, line and field.
    """
    if not isinstance(obj, Mapping):
        raise ProblemError(
            Problem(
                code="intake.not-an-object",
                message="the line is not a JSON object.",
                remedy="Write one object {…} a line.",
                file=file,
                line=line,
            )
        )
    reader = _Reader(obj, file, line)
    op = _op(reader)
    recorded_at = reader.instant("recorded_at", obj.get("recorded_at"))
    retracts = op is Op.RETRACT
    occurred_at = reader.instant(
        "occurred_at", obj.get("occurred_at"), default=recorded_at if retracts else None
    )
    until = obj.get("occurred_until")
    occurred_until = None if until is None else reader.instant("occurred_until", until)
    kind = _kind(reader)
    payload = _payload(reader, kind, retracts=retracts)
    fact = Fact(
        fact_id=reader.text("fact_id"),
        ver=reader.whole("ver"),
        op=op,
        kind=kind.name if kind else "",
        subject=_kept_once(_subject(reader)),
        occurred_at=occurred_at,
        occurred_until=occurred_until,
        recorded_at=recorded_at,
        source=_kept_once(reader.text("source")),
        payload=payload,
    )
    _check_order(reader, fact)
    if reader.problems:
        raise ProblemError(*reader.problems)
    return fact


def _op(reader: _Reader) -> Op:
    value = reader.obj.get("op")
    if value == "assert":
        return Op.ASSERT
    if value == "retract":
        return Op.RETRACT
    reader.wrong("op", "unknown-op", f"{value!r} is not an op.", 'Write "assert" or "retract".')
    return Op.ASSERT


def _kind(reader: _Reader) -> FactKind | None:
    name = reader.text("kind")
    kind = KINDS.get(name)
    if name and kind is None:
        remedy = "Use a kind of policies/README.md, section Facts."
        reader.wrong("kind", "unknown-kind", f"{name!r} is not a kind of fact.", remedy)
    return kind


def _subject(reader: _Reader) -> str:
    subject = reader.text("subject")
    kind = str(reader.obj.get("kind", ""))
    wanted = subject.startswith(AREA_PREFIX) == kind.startswith("area.")
    # Nothing that is said about a person may go unread for the form of the person's key.
    wanted = wanted and (kind == "source.delivered" or not subject.startswith(SOURCE_PREFIX))
    if subject and not wanted:
        remedy = "Area facts, and only they, have a subject area:<id>; source: is for deliveries."
        reader.wrong("subject", "subject-form", f"{subject!r} does not fit the kind.", remedy)
    return subject


def _payload(reader: _Reader, kind: FactKind | None, *, retracts: bool) -> Mapping[str, Any]:
    payload = reader.obj.get("payload")
    if payload is None and retracts:
        return {}
    if not isinstance(payload, Mapping):
        reader.wrong("payload", "not-an-object", "must be an object.", "Write {} when it is empty.")
        return {}
    if not _payload_storable(payload):
        remedy = "Send whole characters."
        reader.wrong("payload", "not-storable", "holds half a character or a null byte.", remedy)
    elif kind is not None and not retracts:
        _check_fields(reader, kind, payload)
        _check_special(reader, kind, payload)
    return {_kept_once(name): value for name, value in payload.items()}


def _kept_once(text: str) -> str:
    """Return the text; a city's facts say the same names millions of times, each is kept once."""
    return intern(text) if type(text) is str else text


def _payload_storable(payload: Mapping[str, Any]) -> bool:
    try:
        text = json.dumps(payload, ensure_ascii=False, allow_nan=False, default=str)
    except (ValueError, RecursionError):
        return False
    return storable(text) and "\\u0000" not in text


def _check_special(reader: _Reader, kind: FactKind, payload: Mapping[str, Any]) -> None:
    """Note what is wrong with the fields whose form depends on more than their type."""
    subject, area = str(reader.obj.get("subject", "")), payload.get("area")
    if subject.startswith(AREA_PREFIX) and isinstance(area, str) and area:
        own = subject.removeprefix(AREA_PREFIX)
        if own != area:
            remedy = f"Write {own!r} in both places, or {area!r}."
            reader.wrong("payload.area", "other-area", "is not the area of the subject.", remedy)
    expires_at = payload.get("expires_at")
    if expires_at is not None and str(reader.obj.get("source", "")).startswith(MANUAL_SOURCE):
        reader.instant("payload.expires_at", expires_at)
    selector = payload.get("measure")
    if kind.name == "waiver.granted" and isinstance(selector, Mapping):
        rules = selector.get("rule")
        rules = [rules] if isinstance(rules, str) else rules
        named = isinstance(rules, list) and rules and all(isinstance(one, str) for one in rules)
        fits = isinstance(selector.get("phase", 0), int) and isinstance(
            selector.get("fact", ""), str
        )
        if not named or not fits:
            remedy = 'Write {"rule": "id"}, perhaps with "phase" (a number) and "fact" (its id).'
            reader.wrong("payload.measure", "wrong-type", "names no measure.", remedy)


def _check_fields(reader: _Reader, kind: FactKind, payload: Mapping[str, Any]) -> None:
    """Note each payload value that the kind needs and lacks, or that is written wrongly."""
    for name in kind.required:
        if payload.get(name) in (None, ""):
            where = f"payload.{name}"
            reader.wrong(where, "missing", "is missing.", f"{kind.name} cannot do without it.")
    for name, value in payload.items():
        wanted = kind.fields.get(name)
        if value is None or wanted is None:
            continue
        where = f"payload.{name}"
        if wanted is FieldType.INSTANT:
            reader.instant(where, value)
        elif not isinstance(value, _PYTHON[wanted]) or (
            wanted is not FieldType.FLAG and isinstance(value, bool)
        ):
            remedy = f"Write it as {wanted.value}."
            reader.wrong(where, "wrong-type", f"{value!r} is not a {wanted.value}.", remedy)
        elif isinstance(value, int | float) and abs(value) > FACT_NUMBER_MAX:
            remedy = f"Keep it between -{FACT_NUMBER_MAX} and {FACT_NUMBER_MAX}."
            reader.wrong(where, "too-large", "is too large a number.", remedy)


_PYTHON: dict[FieldType, type | tuple[type, ...]] = {
    FieldType.TEXT: str,
    FieldType.AREA: str,
    FieldType.NUMBER: (int, float),
    FieldType.FLAG: bool,
    FieldType.OBJECT: Mapping,
}


def _check_order(reader: _Reader, fact: Fact) -> None:
    until = fact.occurred_until
    if until is not None and not reader.problems and until < fact.occurred_at:
        remedy = "Send the end after the start, or null."
        reader.wrong("occurred_until", "ends-early", "is before occurred_at.", remedy)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object; a key that stands twice could mean either value."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_once)


def decode_line(text: str) -> Any:
    """Return the JSON value of a line, in the one way in which facts are read.

    Raises:
        ValueError: when it is no JSON, or an object names a key twice.
        RecursionError: when it is nested too deeply.
    """
    return _DECODER.decode(text)


def parse_line(line: bytes | str, *, file: str | None = None, number: int | None = None) -> Fact:
    """Return the fact on one line of a facts file.

    Raises:
        ProblemError: when the line is no fact.
    """
    message = remedy = ""
    if len(line) > FACT_LINE_BYTES_MAX:
        message, remedy = "the line is too long.", f"Keep it within {FACT_LINE_BYTES_MAX} bytes."
    else:
        try:
            obj = decode_line(line if isinstance(line, str) else line.decode())
        except (ValueError, RecursionError) as error:
            message = f"the line is not JSON ({error})."
            remedy = "Write one JSON object a line, in UTF-8."
        else:
            return fact_from_json(obj, file=file, line=number)
    raise ProblemError(
        Problem(code="intake.not-json", message=message, remedy=remedy, file=file, line=number)
    )


def fact_to_json(fact: Fact) -> dict[str, Any]:
    """Return the JSON object of a fact, keys in the order of the file format."""
    until = fact.occurred_until
    return {
        "fact_id": fact.fact_id,
        "ver": fact.ver,
        "op": fact.op.value,
        "kind": fact.kind,
        "subject": fact.subject,
        "occurred_at": fact.occurred_at.isoformat(),
        "occurred_until": until.isoformat() if until is not None else None,
        "recorded_at": fact.recorded_at.isoformat(),
        "source": fact.source,
        "payload": dict(fact.payload),
    }


def fact_line(fact: Fact) -> bytes:
    """Return the one line of a facts file that states ``fact``, with its newline."""
    text = json.dumps(fact_to_json(fact), ensure_ascii=False, separators=(",", ":"))
    return text.encode() + b"\n"
