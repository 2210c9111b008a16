"""Telling doors that what they decide by has changed."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from passlight.core.kernel.clock import Clock
from passlight.office.venues.models import Venue


def doors_changed(venues: Iterable[Venue], *, clock: Clock) -> None:
    """Have the door documents of ``venues`` made and signed anew, once this is committed.

    A failure there takes nothing back here: every door is looked at again within minutes.
    """
    ids = [venue.pk for venue in venues]
    if ids:
        transaction.on_commit(lambda: _publish(ids, clock), robust=True)


def _publish(venue_ids: list[UUID], clock: Clock) -> None:
    from passlight.office.gates.publishing import publish_doors  # it asks halls for documents

    publish_doors(venue_ids, clock=clock)
