"""The JSON form of an incident's event: what the log's hash chain binds, read strictly."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from passlight.core.incidents.event import AbnormalFinding, Evidence, IncidentEvent, What
from passlight.core.incidents.steps import Channel, FindingKind, Step
from passlight.core.kernel.limits import INCIDENT_BODIES_MAX, INCIDENT_TEXT_CHARS_MAX
from passlight.core.kernel.problem import Problem, ProblemError

_Name = TypeVar("_Name", bound=StrEnum)
_FIELDS = (
    *("number", "what", "at", "recorded_at", "actor", "step", "evidence", "finding"),
    *("to", "deputy", "unit", "bodies", "body", "note"),
)


def event_to_json(event: IncidentEvent) -> dict[str, Any]:
    """Return the JSON object of an event; what it does not say is left out."""
    evidence, finding = event.evidence, event.finding
    whole: dict[str, Any] = {
        "number": event.number,
        "what": event.what.value,
        "at": event.at.isoformat(),
        "recorded_at": event.recorded_at.isoformat(),
        "actor": event.actor,
        "step": event.step.value if event.step else None,
        "evidence": _said(
            channel=evidence.channel.value,
            who=evidence.who,
            reference=evidence.reference,
            digest=evidence.digest,
        )
        if evidence
        else None,
        "finding": _said(kind=finding.kind.value, record=finding.record, detail=finding.detail)
        if finding
        else None,
        "to": event.to,
        "deputy": event.deputy,
        "unit": event.unit,
        "bodies": list(event.bodies),
        "body": event.body,
        "note": event.note,
    }
    return {name: value for name, value in whole.items() if value not in (None, "", [])}


def event_from_json(obj: object) -> IncidentEvent:
    """Return the event that ``obj`` states.

    Raises:
        ProblemError: naming the first field that is not what it must be.
    """
    fields = _object(obj, "event", _FIELDS)
    evidence, finding = fields.get("evidence"), fields.get("finding")
    step = fields.get("step")
    return IncidentEvent(
        number=_number(fields.get("number")),
        what=_name(What, fields.get("what"), "what"),
        at=_instant(fields.get("at"), "at"),
        recorded_at=_instant(fields.get("recorded_at"), "recorded_at"),
        actor=_text(fields.get("actor"), "actor"),
        step=None if step is None else _name(Step, step, "step"),
        evidence=None if evidence is None else _evidence(evidence),
        finding=None if finding is None else _finding(finding),
        to=_text(fields.get("to", ""), "to"),
        deputy=_text(fields.get("deputy", ""), "deputy"),
        unit=_text(fields.get("unit", ""), "unit"),
        bodies=_bodies(fields.get("bodies", [])),
        body=_text(fields.get("body", ""), "body"),
        note=_text(fields.get("note", ""), "note"),
    )


def _said(**fields: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}


def _evidence(obj: object) -> Evidence:
    fields = _object(obj, "evidence", ("channel", "who", "reference", "digest"))
    return Evidence(
        channel=_name(Channel, fields.get("channel"), "evidence.channel"),
        who=_text(fields.get("who", ""), "evidence.who"),
        reference=_text(fields.get("reference", ""), "evidence.reference"),
        digest=_text(fields.get("digest", ""), "evidence.digest"),
    )


def _finding(obj: object) -> AbnormalFinding:
    fields = _object(obj, "finding", ("kind", "record", "detail"))
    return AbnormalFinding(
        kind=_name(FindingKind, fields.get("kind"), "finding.kind"),
        record=_text(fields.get("record", ""), "finding.record"),
        detail=_text(fields.get("detail", ""), "finding.detail"),
    )


def _object(obj: object, field: str, names: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(obj, Mapping):
        raise _wrong(field, "must be an object")
    unknown = sorted(str(name) for name in obj if name not in names)
    if unknown:
        raise _wrong(f"{field}.{unknown[0]}", "is not a field of ours")
    return obj


def _number(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**31:
        return value
    raise _wrong("number", "must be a whole number from 1")


def _name(names: type[_Name], value: object, field: str) -> _Name:
    try:
        return names(value)  # type: ignore[arg-type]
    except ValueError:
        raise _wrong(field, f"must be one of {', '.join(names)}") from None


def _text(value: object, field: str) -> str:
    if isinstance(value, str) and len(value) <= INCIDENT_TEXT_CHARS_MAX and "\x00" not in value:
        return value
    raise _wrong(field, f"must be a text of at most {INCIDENT_TEXT_CHARS_MAX} characters")


def _bodies(value: object) -> tuple[str, ...]:
    if isinstance(value, list) and len(value) <= INCIDENT_BODIES_MAX:
        return tuple(_text(body, "bodies") for body in value)
    raise _wrong("bodies", f"must be a list of at most {INCIDENT_BODIES_MAX}")


def _instant(value: object, field: str) -> datetime:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise _wrong(field, "must be a time with an offset")
    return found.astimezone(UTC)


def _wrong(field: str, message: str) -> ProblemError:
    return ProblemError(
        Problem(code="incidents.event-form", message=f"{message}.", field=field),
    )
