"""Saying that what doors decide by has changed.

Venues, packs and halls know what has changed; what follows from it is the business of an app
above them, which listens here from when Django is ready.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final
from uuid import UUID

from django.db import transaction

from passlight.core.kernel.clock import Clock
from passlight.office.venues.models import Entrance, Venue

AT_ONCE_MOST: Final = 300

Listener = Callable[[Sequence[UUID], Clock], None]
"""Is told the ids of the venues, after the commit."""
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Have ``listener`` told from now on; for ``AppConfig.ready``, once."""
    if listener not in _listeners:
        _listeners.append(listener)


def doors_changed(venues: Iterable[Venue], *, clock: Clock) -> None:
    """Have the door documents of ``venues`` made and signed anew, once this is committed.

    A failure there takes nothing back here: every door is looked at again within minutes.
    """
    ids = [venue.pk for venue in venues]
    if ids:
        transaction.on_commit(lambda: _tell(ids, clock), robust=True)


def every_door_changed(*, clock: Clock) -> None:
    """As ``doors_changed``, for a pack: it reaches every door of the installation.

    Of very many doors the process of jobs makes the documents, so that nobody's page waits.
    """
    doors = Entrance.objects.filter(active=True, venue__active=True)
    if doors.count() <= AT_ONCE_MOST:
        doors_changed(Venue.objects.filter(active=True), clock=clock)


def _tell(venue_ids: Sequence[UUID], clock: Clock) -> None:
    for listener in _listeners:
        listener(venue_ids, clock)
