"""Telling doors that what they decide by has changed."""

import logging
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db import transaction

from passlight.core.kernel.clock import Clock
from passlight.office.venues.models import Entrance, Venue

log = logging.getLogger("passlight.halls")

AT_ONCE_MOST: Final = 300


def doors_changed(venues: Iterable[Venue], *, clock: Clock) -> None:
    """Have the door documents of ``venues`` made and signed anew, once this is committed.

    A failure there takes nothing back here: every door is looked at again within minutes.
    """
    ids = [venue.pk for venue in venues]
    if ids:
        transaction.on_commit(lambda: _publish(ids, clock), robust=True)


def every_door_changed(*, clock: Clock) -> None:
    """As ``doors_changed``, for a pack: it reaches every door of the installation.

    Of very many doors the process of jobs makes the documents, so that nobody's page waits.
    """
    doors = Entrance.objects.filter(active=True, venue__active=True)
    if doors.count() <= AT_ONCE_MOST:
        doors_changed(Venue.objects.filter(active=True), clock=clock)


def _publish(venue_ids: list[UUID], clock: Clock) -> None:
    from passlight.office.gates.publishing import publish_doors  # it asks halls for documents

    try:
        publish_doors(venue_ids, clock=clock)
    except FileNotFoundError:  # before the installation has keys; the jobs process comes later
        log.warning("no key to sign door documents yet")
