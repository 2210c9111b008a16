"""Finding halls and their zones."""

from uuid import UUID

from django.db.models import QuerySet

from passlight.core.places.hall import ZoneKind
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import visible_units
from passlight.office.halls.models import Hall, Zone


def halls_visible(user: User) -> QuerySet[Hall]:
    """Return the halls of the user's unit and below."""
    return Hall.objects.filter(venue__unit__in=visible_units(user)).select_related("venue__unit")


def hall_of_venue(venue_id: UUID | str) -> Hall | None:
    """Return the hall that a venue is, or None."""
    return Hall.objects.select_related("venue__unit").filter(venue_id=venue_id).first()


def zone_of_entrance(hall: Hall, zone_code: str) -> Zone | None:
    """Return the zone behind a door: that of its code, or the hall itself when it names none."""
    zones = list(hall.zones.all())
    if zone_code:
        return next((zone for zone in zones if zone.code == zone_code), None)
    return next((zone for zone in zones if zone.kind == ZoneKind.HALL), None)
