"""Venue (场所): what stands behind a door, and how fresh an answer at that door must be."""

import re
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

ENTRANCE_CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,6}[a-z0-9])?")
ZONE_CODE = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,6}[a-z0-9])?)?")


class VenueClass(StrEnum):
    """What kind of place a venue is; it decides how old a status may be at its doors."""

    HOSPITAL = "hospital"
    HALL = "hall"
    SCHOOL = "school"
    MALL = "mall"
    OFFICE = "office"
    TRANSPORT = "transport"
    HOUSING = "housing"
    PARK = "park"
    CHECKPOINT = "checkpoint"

    @property
    def freshness_seconds(self) -> int:
        """Return the usual limit for the age of a status here (field/02 2.3).

        A setting that each venue may narrow or widen, and no law: no published rule
        gives one.
        """
        return _FRESHNESS_SECONDS[self]


_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_FRESHNESS_SECONDS = {
    VenueClass.HOSPITAL: 5 * _MINUTE,
    VenueClass.HALL: _HOUR,
    VenueClass.SCHOOL: _HOUR,
    VenueClass.MALL: _HOUR,
    VenueClass.OFFICE: _HOUR,
    VenueClass.TRANSPORT: _HOUR,
    VenueClass.HOUSING: _DAY,
    VenueClass.PARK: _DAY,
    VenueClass.CHECKPOINT: _HOUR,
}
FRESHNESS_SECONDS_MIN = 30  # the status book itself is allowed to be that old (field/09 3.3)
FRESHNESS_SECONDS_MAX = 7 * _DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """One door of a venue, in one zone of it (a floor, a building; empty: the whole venue)."""

    code: str
    zone: str = ""
    name: str = ""
    name_en: str = ""

    def __post_init__(self) -> None:
        assert ENTRANCE_CODE.fullmatch(self.code), self.code
        assert ZONE_CODE.fullmatch(self.zone), self.zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """A place that people enter."""

    id: UUID
    name: str
    name_en: str
    address: str
    kind: VenueClass
    freshness_seconds: int
    active: bool
    entrances: tuple[Entrance, ...]

    def entrance(self, code: str) -> Entrance | None:
        """Return the entrance with that code, or None."""
        return next((entrance for entrance in self.entrances if entrance.code == code), None)
