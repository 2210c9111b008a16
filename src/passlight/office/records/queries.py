"""Reading records: of the doors in one's units, and of one's own visits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet

from passlight.core.entry.record import EntryKind, EntryRecord, Musts, entry_from_json, musts
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import visible_units
from passlight.office.people.models import Person
from passlight.office.records.models import Record
from passlight.office.statuses.models import Reason
from passlight.office.venues.models import Entrance, Venue
from passlight.runtime.catalogue import catalogue

CHECKIN = "checkin"
#: What happens at doors; codes made are a log of their own and name no place.
DOOR_KINDS = ("checkin", "verification", "admit", "ask", "refuse", "isolate", "exit", "report")
OWN_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A record with its place and its reason in words; a person is a pseudonym."""

    record: Record
    venue: Venue | None
    entrance: Entrance | None
    reason: dict[str, str]
    handle: str
    entry: EntryRecord | None = None
    musts: Musts | None = None
    """The three ticks of an entry: asked, measured, registered; None where none was recorded."""


def door_records(
    user: User, *, kind: str = "", answer: str = "", venue: str = "", day: datetime | None = None
) -> QuerySet[Record]:
    """Return what the doors of the user's units recorded, newest first."""
    venues = Venue.objects.filter(unit__in=visible_units(user))
    if venue:
        venues = venues.filter(pk=venue)
    rows = Record.objects.filter(kind__in=DOOR_KINDS, venue_id__in=venues.values("pk"))
    if kind:
        rows = rows.filter(kind=kind)
    if answer:
        rows = rows.filter(answer=answer)
    if day is not None:
        zone = ZoneInfo(settings.TIME_ZONE)
        start = datetime.combine(day, time.min, tzinfo=zone)
        rows = rows.filter(occurred_at__gte=start, occurred_at__lt=start + timedelta(days=1))
    return rows.order_by("-occurred_at", "key")


def own_checkins(person: Person, *, now: datetime) -> QuerySet[Record]:
    """Return a resident's own check-ins of the last 14 days, newest first."""
    since = now - timedelta(days=OWN_DAYS)
    return Record.objects.filter(
        kind=CHECKIN, visits_key=person.visits_key, occurred_at__gte=since
    ).order_by("-occurred_at", "key")


def with_places(records: Sequence[Record]) -> list[Row]:
    """Return records with venue, entrance and reason, in a fixed number of queries."""
    venues = Venue.objects.in_bulk({r.venue_id for r in records if r.venue_id is not None})
    doors = {
        (door.venue_id, door.code): door
        for door in Entrance.objects.filter(venue_id__in=venues.keys())
    }
    reasons = Reason.objects.in_bulk({r.reason for r in records if r.reason})
    entries = {record.key: _entry(record) for record in records}
    return [
        Row(
            record=record,
            entry=entries[record.key],
            musts=_musts(entries[record.key]),
            venue=venues.get(record.venue_id) if record.venue_id else None,
            entrance=doors.get((record.venue_id, record.entrance)) if record.venue_id else None,
            reason=_words(record.reason, reasons),
            handle=(record.visits_key or "")[:10],
        )
        for record in records
    ]


def _entry(record: Record) -> EntryRecord | None:
    """Return what was asked, measured and registered, where the record says so."""
    kept = record.payload.get("entry")
    try:
        return entry_from_json(kept) if kept is not None else None
    except ProblemError:
        return None  # of another version of the form: it is kept, and shows no ticks


def _musts(entry: EntryRecord | None) -> Musts | None:
    """Return the ticks; who leaves is asked nothing any more."""
    return None if entry is None or entry.kind is EntryKind.EXIT else musts(entry)


def _words(code: str, reasons: dict[str, Reason]) -> dict[str, str]:
    found = reasons.get(code)
    if found is not None:
        return dict(found.reason)
    return dict(catalogue().get(f"gateway.reason-{code}", {}))  # type: ignore[arg-type]
