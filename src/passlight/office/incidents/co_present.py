"""Who was there at the same time: for the street office alone, masked, each reading logged."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from passlight.core.kernel.clock import Clock
from passlight.office.accounts.models import User
from passlight.office.halls.models import Zone
from passlight.office.halls.queries import hall_of_venue, people_in_zone, zone_of_entrance
from passlight.office.incidents.models import StoredIncident
from passlight.office.people.identity import Purpose
from passlight.office.people.models import Person
from passlight.office.people.queries import MaskedIdentity, masked_identity
from passlight.office.records.models import Record
from passlight.office.venues.models import Entrance

# More than a hall holds at once; the rest are counted and not named.
NAMED_MAX = 200
LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoPresent:
    """One who was in the zone, under masks; the handle is what contact tracing goes by."""

    handle: str
    identity: MaskedIdentity | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CoPresence:
    """Who was in which zone from the person's entry until they were isolated."""

    zone: Zone | None
    since: datetime
    until: datetime
    people: tuple[CoPresent, ...]
    count: int


def co_present(stored: StoredIncident, *, actor: User, clock: Clock) -> CoPresence:
    """Return who was in the zone where it was found, from entry to isolation.

    Call it inside the transaction that answers: every masked name writes its access row.
    """
    since = _since(stored)
    # Nobody stays in a hall for days: an old finding that nobody isolated names no month of people.
    until = min(stored.isolated_at or stored.closed_at or clock.now(), stored.found_at + LONGEST)
    zone = _zone(stored)
    there = _there(zone, since, until) if zone is not None else {}
    there.pop(stored.visits_key or "", None)
    known = Person.objects.in_bulk(list(there), field_name="visits_key")
    people = []
    for key, came in sorted(there.items(), key=lambda item: item[1])[:NAMED_MAX]:
        person, identity = known.get(key), None
        if person is not None:
            identity = masked_identity(
                person,
                actor=actor,
                purpose=Purpose.INCIDENT,
                case=stored.number,
                place=stored.venue.name,
                clock=clock,
            )
        people.append(CoPresent(handle=key[:10], identity=identity, since=came))
    return CoPresence(zone=zone, since=since, until=until, people=tuple(people), count=len(there))


def _since(stored: StoredIncident) -> datetime:
    """Return when the person came in: their last entry of that day, or else the finding."""
    if stored.visits_key is None:
        return stored.found_at
    entry = (
        Record.objects.filter(
            kind="admit",
            venue_id=stored.venue_id,
            visits_key=stored.visits_key,
            occurred_at__lte=stored.found_at,
            occurred_at__gt=stored.found_at - LONGEST,
        )
        .order_by("-occurred_at")
        .first()
    )
    return entry.occurred_at if entry is not None else stored.found_at


def _zone(stored: StoredIncident) -> Zone | None:
    hall = hall_of_venue(stored.venue_id)
    if hall is None:
        return None
    door = Entrance.objects.filter(venue_id=stored.venue_id, code=stored.entrance).first()
    return zone_of_entrance(hall, door.zone if door is not None else "")


def _there(zone: Zone, since: datetime, until: datetime) -> dict[str, datetime]:
    """Return who was inside at ``since``, and who came until ``until``."""
    found = {one.visits_key: one.since for one in people_in_zone(zone, since)}
    doors = [
        door.code
        for door in zone.hall.venue.entrances.all()
        if zone_of_entrance(zone.hall, door.zone) == zone
    ]
    came = Record.objects.filter(
        kind="admit",
        venue_id=zone.hall.venue_id,
        entrance__in=doors,
        visits_key__isnull=False,
        occurred_at__gt=since,
        occurred_at__lte=until,
    )
    for key, at in came.order_by("occurred_at").values_list("visits_key", "occurred_at"):
        found.setdefault(str(key), at)
    return found
