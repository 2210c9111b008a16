"""Telling doors that what they decide by has changed."""

from collections.abc import Iterable

from django.db import connection

from passlight.office.venues.models import Venue

CHANNEL = "passlight_doors"


def doors_changed(venues: Iterable[Venue]) -> None:
    """Tell whoever signs door documents that those of ``venues`` are to be made anew."""
    with connection.cursor() as cursor:
        for venue in venues:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(venue.pk)])
