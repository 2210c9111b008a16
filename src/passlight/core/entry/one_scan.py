"""One scan at a door (field/01 1.2): its venue code or the sentinel, never both."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passlight.core.entry.door_document import DoorDocument, OneOf

_CLOCK_TOLERANCE: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryCheckIn:
    """That a visitor scanned the venue code of an entrance with their own phone."""

    venue: UUID
    entrance: str
    at: datetime


def scan_asked(door: DoorDocument, check_in: EntryCheckIn | None, *, now: datetime) -> OneOf | None:
    """Return what the door may still ask this visitor to scan; None once they checked in here.

    The door then decides by the answer of that check-in. Another entrance is another door, and
    a check-in of longer ago than the plan says is another visit.
    """
    if check_in is None or (check_in.venue, check_in.entrance) != (door.venue, door.entrance):
        return door.one_of
    age = now - check_in.at
    in_time = -_CLOCK_TOLERANCE <= age <= timedelta(minutes=door.one_of_minutes)
    return None if in_time else door.one_of
