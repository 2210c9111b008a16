"""Commands on venues; each is one transaction and tells the gateways, and then the doors."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.places.venue import Entrance as Door
from passlight.core.places.venue import VenueClass
from passlight.office.accounts.models import Unit, User
from passlight.office.venues.doors import doors_changed
from passlight.office.venues.models import Entrance, Venue

CHANNEL = "passlight_venues"
ENTRANCES_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueDetails:
    """What may be said, and later changed, about a venue."""

    name: str
    name_en: str
    address: str
    kind: VenueClass
    unit: Unit
    freshness_seconds: int | None = None  # None: as usual for its class


def register_venue(
    details: VenueDetails,
    doors: tuple[Door, ...],
    *,
    actor: User | None,
    clock: Clock,
    entropy: Entropy,
    venue_id: UUID | None = None,
) -> Venue:
    """Register a venue with its entrances; it stays closed until a street office opens it.

    ``venue_id`` is for venues that have an id elsewhere already; otherwise it is random.
    """
    assert doors, "a venue has at least one entrance"
    with transaction.atomic():
        venue = Venue(
            id=venue_id or _random_id(entropy), registered_by=actor, registered_at=clock.now()
        )
        _take(venue, details)
        venue.save(force_insert=True)
        Entrance.objects.bulk_create(_row(venue, door) for door in doors)
        _tell()
    return venue


def change_venue(venue: Venue, details: VenueDetails, *, clock: Clock) -> None:
    """Change what is said about a venue; posted codes name its id and stay good."""
    with transaction.atomic():
        _take(venue, details)
        venue.save(
            update_fields=["name", "name_en", "address", "kind", "unit", "freshness_seconds"]
        )
        _tell()
        doors_changed([venue], clock=clock)


def set_activity(venue: Venue, *, active: bool, actor: User | None, clock: Clock) -> None:
    """Open or close a venue; while closed, its codes register nothing."""
    with transaction.atomic():
        venue.active, venue.activity_by, venue.activity_at = active, actor, clock.now()
        venue.save(update_fields=["active", "activity_by", "activity_at"])
        _tell()
        doors_changed([venue], clock=clock)


def add_entrance(venue: Venue, door: Door, *, clock: Clock) -> Entrance:
    """Add a door.

    Raises:
        ProblemError: when the venue has one of that code, or too many.
    """
    with transaction.atomic():
        Venue.objects.select_for_update().get(pk=venue.pk)
        codes = set(venue.entrances.values_list("code", flat=True))
        if door.code in codes:
            raise ProblemError(
                Problem(
                    code="venues.field.code_taken",
                    message="The venue has an entrance of that code.",
                    remedy="Choose another code.",
                    field="code",
                )
            )
        if len(codes) >= ENTRANCES_MAX:
            raise ProblemError(
                Problem(
                    code="venues.field.entrances_full",
                    message=f"A venue has at most {ENTRANCES_MAX} entrances.",
                    remedy="Register the building as a venue of its own.",
                    params={"count": str(ENTRANCES_MAX)},
                )
            )
        entrance = _row(venue, door)
        entrance.save()
        _tell()
        doors_changed([venue], clock=clock)
    return entrance


def set_entrance_activity(entrance: Entrance, *, active: bool, clock: Clock) -> None:
    """Open or close one door; its code stays its own for ever."""
    with transaction.atomic():
        entrance.active = active
        entrance.save(update_fields=["active"])
        _tell()
        doors_changed([entrance.venue], clock=clock)


def _take(venue: Venue, details: VenueDetails) -> None:
    venue.name, venue.name_en = details.name, details.name_en
    venue.address, venue.kind, venue.unit = details.address, details.kind, details.unit
    venue.freshness_seconds = details.freshness_seconds or details.kind.freshness_seconds


def _row(venue: Venue, door: Door) -> Entrance:
    return Entrance(
        venue=venue, code=door.code, zone=door.zone, name=door.name, name_en=door.name_en
    )


def _random_id(entropy: Entropy) -> UUID:
    return UUID(bytes=entropy.token(16), version=4)


def _tell() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
