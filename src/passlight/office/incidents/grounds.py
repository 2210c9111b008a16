"""The grounds of an incident: what the door recorded, and the facts behind a colour."""

from dataclasses import dataclass
from datetime import datetime

from passlight.office.incidents.models import RecordLink, StoredIncident
from passlight.office.incidents.wording import Both
from passlight.office.pages.language import current_language
from passlight.office.people.models import Person
from passlight.office.records.models import Record
from passlight.office.records.queries import with_places
from passlight.office.statuses.explanation import explain

TENTHS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What the first record says: the answer and its reason, when, on or off line, temperature."""

    answer: str
    reason: Both
    occurred_at: datetime
    offline: bool
    temperature: str
    key: str


def grounds_of(stored: StoredIncident) -> Grounds | None:
    """Return what was recorded at the door first; None for what was opened by hand."""
    keys = RecordLink.objects.filter(incident=stored).values("record")
    record = Record.objects.filter(key__in=keys).order_by("occurred_at", "key").first()
    if record is None:
        return None
    entry = record.payload.get("entry") or {}
    entry = entry if isinstance(entry, dict) else {}
    measured = entry.get("measured")
    tenths = measured.get("tenths") if isinstance(measured, dict) else None
    (row,) = with_places([record])
    return Grounds(
        answer=record.answer,
        reason=row.reason,  # type: ignore[arg-type]
        occurred_at=record.occurred_at,
        offline=bool(entry.get("offline")),
        temperature=f"{tenths / TENTHS:.1f} °C" if isinstance(tenths, int) else "",
        key=record.key[:8],
    )


def facts_behind(person: Person, now: datetime) -> list[tuple[str, str]]:
    """Return the facts behind the person's colour now, each with what it is called."""
    language = current_language()
    said: dict[str, str] = {}
    for fact in explain(person, now).facts:
        said.setdefault(fact.fact_id, f"{fact.name[language]} · {fact.told[language]}")
    return list(said.items())
