"""Events of an incident: what was recorded, added and never changed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from passlight.core.incidents.steps import Channel, FindingKind, Step


class What(StrEnum):
    """What an event says."""

    OPENED = "opened"
    STEP = "step"
    EXCUSED = "excused"
    JOINED = "joined"
    EVIDENCE = "evidence"
    HANDED_OVER = "handed-over"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    ESCALATED = "escalated"
    NOTED = "noted"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How somebody was told: by which channel, who, and the digest of a recording or screenshot.

    ``reference`` names a record or a notice of our own; ``digest`` is SHA-256, hexadecimal.
    """

    channel: Channel
    who: str
    reference: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbnormalFinding:
    """What was found at a post, and the record that says so, when there is one."""

    kind: FindingKind
    record: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentEvent:
    """One event. ``at`` is when it happened, ``recorded_at`` when we learned it.

    ``actor`` recorded it; ``to`` is who it goes to (owner, hand-over, escalation), ``unit`` the
    unit of that person; ``body`` is one of the bodies told beside the street office.
    """

    number: int
    what: What
    at: datetime
    recorded_at: datetime
    actor: str
    step: Step | None = None
    evidence: Evidence | None = None
    finding: AbnormalFinding | None = None
    to: str = ""
    deputy: str = ""
    unit: str = ""
    bodies: tuple[str, ...] = ()
    body: str = ""
    note: str = ""
