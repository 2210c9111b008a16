"""What the gateway does for doors: their document, the status feed, and their records."""

from dataclasses import dataclass

from passlight.gateway.auth import Principal
from passlight.gateway.door_feed import DoorFeed
from passlight.gateway.door_records import DoorRecords
from passlight.gateway.errors import RefusedError
from passlight.gateway.places import Places
from passlight.gateway.published import Published
from passlight.gateway.schemas import DoorQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The parts that serve doors."""

    published: Published
    feed: DoorFeed
    records: DoorRecords
    places: Places

    def document(self, principal: Principal, asked: DoorQuery) -> bytes:
        """Return the newest signed door document of an entrance.

        Raises:
            RefusedError: 403 for another's door, 404 while none is published.
        """
        check_door(principal, asked.venue, asked.entrance)
        held = self.published.doors.get((asked.venue, asked.entrance))
        if held is None:
            raise RefusedError(404, "no-door")
        return held.document


def check_door(principal: Principal, venue: str, entrance: str) -> None:
    """Refuse who asks for a door that is not theirs: a gate has one, a checker their venues'.

    Raises:
        RefusedError: 403.
    """
    if venue not in principal.venues:
        raise RefusedError(403, "wrong-venue")
    if principal.entrance is not None and entrance != principal.entrance:
        raise RefusedError(403, "wrong-door")
