"""Reading visits out of the records: by person, or by venue and time, never all of them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from passlight.core.exposure.parameters import TracingParameters, Ventilation
from passlight.core.exposure.visits import VenueHours, Visit, visits_of
from passlight.core.kernel.interval import Interval
from passlight.core.places.venue import VenueClass
from passlight.office.exposures.presence import (
    CONFIRMED_WITHIN,
    PRESENCE_KINDS,
    DoorRecord,
    check_ins,
    door_record,
)
from passlight.office.records.models import Record
from passlight.office.venues.models import Entrance, Venue

#: People whose records are read at once: bounds the memory of a sweep, whatever the venue.
PEOPLE_AT_ONCE: Final = 2_000
_COLUMNS = ("key", "kind", "visits_key", "venue_id", "entrance", "occurred_at", "payload")
_CAME = """
SELECT DISTINCT visits_key FROM records_record
WHERE venue_id = %s AND occurred_at >= %s AND occurred_at < %s
  AND kind IN ('checkin', 'admit') AND visits_key IS NOT NULL
"""


@dataclass(slots=True)
class Places:
    """What tracing knows of venues: class and zones, each read once."""

    _venues: dict[str, VenueClass] = field(default_factory=dict)
    _zones: dict[tuple[str, str], str] = field(default_factory=dict)

    def learn(self, venues: Iterable[UUID]) -> None:
        """Read the venues that are not known yet."""
        new = [venue for venue in set(venues) if str(venue) not in self._venues]
        if not new:
            return
        for pk, kind in Venue.objects.filter(pk__in=new).values_list("pk", "kind"):
            self._venues[str(pk)] = VenueClass(kind)
        doors = Entrance.objects.filter(venue_id__in=new)
        for venue, code, zone in doors.values_list("venue_id", "code", "zone"):
            self._zones[str(venue), code] = zone

    def knows(self, venue: str) -> bool:
        """Return whether it is a venue of ours."""
        return venue in self._venues

    def zone_of(self, venue: str, entrance: str) -> str | None:
        """Return the zone behind an entrance; None for an entrance that is not known."""
        return self._zones.get((venue, entrance))

    def hours(self, venue: str) -> VenueHours:
        """Return the class of a venue; closing hours are not registered."""
        return VenueHours(kind=self._venues[venue])

    def ventilation(self, venue: str, _zone: str) -> Ventilation:
        """Return how long the air stays: not at all in a park."""
        outdoors = self._venues[venue] is VenueClass.PARK
        return Ventilation.OUTDOORS if outdoors else Ventilation.NORMAL


def visits_of_people(
    keys: Collection[str],
    span: Interval,
    *,
    places: Places,
    parameters: TracingParameters,
) -> list[Visit]:
    """Return the visits of ``keys`` that may touch ``span``, exactly as all records would say.

    A visit is at most ``stay_hours_max`` long and depends on what the same person did until
    then, so records of that margin on both sides are enough.
    """
    assert span.start is not None
    assert span.end is not None
    stay = timedelta(hours=parameters.stay_hours_max)
    # A scan counts by its neighbours, and these by theirs.
    since = span.start - stay - 2 * CONFIRMED_WITHIN
    until = span.end + stay + 2 * CONFIRMED_WITHIN
    rows = Record.objects.filter(
        visits_key__in=list(keys),
        occurred_at__gte=since,
        occurred_at__lt=until,
        kind__in=PRESENCE_KINDS,
        venue_id__isnull=False,
    ).values_list(*_COLUMNS)
    came, went = check_ins(_door_records(list(rows), places))
    found = visits_of(
        came,
        went,
        hours=places.hours,
        parameters=parameters,
        timezone=ZoneInfo(settings.TIME_ZONE),
    )
    # Beyond the margin a visit may be cut short by the edge of what was read.
    return [v for v in found if span.start - stay <= v.entered_at < span.end]


def who_came(venue: UUID, spans: Iterable[Interval], *, parameters: TracingParameters) -> set[str]:
    """Return whose visits may touch ``spans`` at a venue, by its index in time."""
    stay = timedelta(hours=parameters.stay_hours_max)
    found: set[str] = set()
    with connection.cursor() as cursor:
        for span in spans:
            assert span.start is not None
            cursor.execute(_CAME, [venue, span.start - stay, span.end])
            found |= {key for (key,) in cursor.fetchall()}
    return found


def in_parts(keys: Collection[str]) -> Iterator[list[str]]:
    """Yield ``keys`` in order, ``PEOPLE_AT_ONCE`` at a time."""
    ordered = sorted(keys)
    for start in range(0, len(ordered), PEOPLE_AT_ONCE):
        yield ordered[start : start + PEOPLE_AT_ONCE]


def _door_records(rows: Sequence[tuple[Any, ...]], places: Places) -> Iterator[DoorRecord]:
    places.learn(row[3] for row in rows)
    for key, kind, visits_key, venue, entrance, occurred_at, payload in rows:
        if not places.knows(str(venue)):
            continue
        found = door_record(
            key=key,
            kind=kind,
            visits_key=visits_key,
            venue=str(venue),
            entrance=entrance,
            occurred_at=occurred_at,
            payload=payload,
            zone_of=places.zone_of,
        )
        if found is not None:
            yield found
