"""Who lives in the town and where they go: households, skewed workplaces, habitual venues.

Shapes and shares are invented; they give sensible numbers of people in a room, no more.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from passlight.core.exposure.parameters import Ventilation
from passlight.core.places.venue import VenueClass
from passlight.simulation.outbreak.draws import Draws

HOUSEHOLD_SIZES = np.array([1, 2, 2, 3, 3, 3, 4, 4, 5])
EMPLOYED_SHARE = 0.85
PEOPLE_A_ROOM = 25
CHILDREN_A_SCHOOL = 400
CHILDREN_A_ROOM = 32
NOWHERE = -1
POSTER_SHARE = 0.2
VISITOR_SHARE = 0.005


class Age(IntEnum):
    """Three ages of life, which move differently."""

    CHILD = 0
    ADULT = 1
    ELDER = 2


class Place(IntEnum):
    """The kinds of venues."""

    WORK = 0
    SCHOOL = 1
    MARKET = 2
    SHOP = 3
    RESTAURANT = 4
    LEISURE = 5
    BAR = 6
    PARK = 7


#: kind → (people a venue, zones a venue, ventilation, class)
PLACES = {
    Place.MARKET: (900, 3, Ventilation.NORMAL, VenueClass.MALL),
    Place.SHOP: (300, 1, Ventilation.NORMAL, VenueClass.MALL),
    Place.RESTAURANT: (260, 2, Ventilation.POOR, VenueClass.MALL),
    Place.LEISURE: (1500, 2, Ventilation.NORMAL, VenueClass.HALL),
    Place.BAR: (2500, 1, Ventilation.POOR, VenueClass.MALL),
    Place.PARK: (3000, 1, Ventilation.OUTDOORS, VenueClass.PARK),
}
CLASSES = {
    Place.WORK: VenueClass.OFFICE,
    Place.SCHOOL: VenueClass.SCHOOL,
    **{kind: row[3] for kind, row in PLACES.items()},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """Every room or floor of every venue; a zone's number is its place in these arrays."""

    venue: NDArray[np.int32]
    kind: NDArray[np.uint8]
    ventilation: NDArray[np.uint8]
    poster: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.venue)

    def names(self, zone: int) -> tuple[str, str]:
        """Return the keys of the venue and of the zone inside it."""
        return f"venue-{self.venue[zone]:06d}", f"zone-{zone:07d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """People and places, as arrays by the person's number."""

    draws: Draws
    people: int
    age: NDArray[np.uint8]
    household: NDArray[np.int32]
    home_starts: NDArray[np.int64]
    work_zone: NDArray[np.int32]
    zones: Zones
    #: kind → number of its first zone, of its venues, and of the zones of each
    ranges: dict[Place, tuple[int, int, int]]

    def household_of(self, person: int) -> range:
        """Return the people of the person's household."""
        home = int(self.household[person])
        return range(int(self.home_starts[home]), int(self.home_starts[home + 1]))

    def visitors(self) -> NDArray[np.int64]:
        """Return the people whom the town's register does not know."""
        return np.flatnonzero(self.draws.each("visitor", np.arange(self.people)) < VISITOR_SHARE)


def subject_of(person: int) -> str:
    """Return the key under which agencies speak of a person."""
    return f"p-{person:07d}"


def person_of(subject: str) -> int:
    """Return the number of the person of that key."""
    return int(subject.removeprefix("p-"))


def make_town(*, people: int, seed: int) -> Town:
    """Return the town of ``people``; the same numbers for the same seed."""
    draws = Draws(seed)
    sizes = HOUSEHOLD_SIZES[draws.whole("household", len(HOUSEHOLD_SIZES), np.arange(people))]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    homes = int(np.searchsorted(starts, people))
    starts = np.minimum(starts[: homes + 1], people)
    household = np.repeat(np.arange(homes), np.diff(starts)).astype(np.int32)
    number = np.arange(people)
    place = number - starts[household]
    age = _ages(draws, household, place)
    rooms = _Rooms()
    work_zone = np.full(people, NOWHERE, np.int32)
    _give_work(draws, age, work_zone, rooms)
    _give_school(draws, age, household, work_zone, rooms)
    ranges: dict[Place, tuple[int, int, int]] = {}
    for kind, (people_a_venue, zones, ventilation, _) in PLACES.items():
        venues = people // people_a_venue + 1
        first = rooms.add(kind, np.full(venues, zones), int(ventilation))
        ranges[kind] = (first, venues, zones)
    return Town(
        draws=draws,
        people=people,
        age=age,
        household=household,
        home_starts=starts.astype(np.int64),
        work_zone=work_zone,
        zones=rooms.zones(draws),
        ranges=ranges,
    )


def _ages(
    draws: Draws, household: NDArray[np.int32], place: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Return the ages: a quarter of the homes are of old people, children come after parents."""
    old = draws.each("old", household) < 0.25  # a share
    child = (place >= 2) & (draws.each("child", household, place) < 0.75)
    age = np.where(old & (place < 2), Age.ELDER, Age.ADULT)
    return np.where(child & ~old, Age.CHILD, age).astype(np.uint8)


class _Rooms:
    """Venues and zones while they are numbered."""

    def __init__(self) -> None:
        self._venue: list[NDArray[np.int64]] = []
        self._kind: list[NDArray[np.int64]] = []
        self._ventilation: list[NDArray[np.int64]] = []
        self._zones = self._venues = 0

    def add(self, kind: Place, zones_of: NDArray[np.int64], ventilation: int) -> int:
        """Add venues with so many zones each; return the number of the first zone."""
        first, count = self._zones, int(zones_of.sum())
        self._venue.append(self._venues + np.repeat(np.arange(len(zones_of)), zones_of))
        self._kind.append(np.full(count, int(kind)))
        self._ventilation.append(np.full(count, ventilation))
        self._zones += count
        self._venues += len(zones_of)
        return first

    def zones(self, draws: Draws) -> Zones:
        venue, kind = np.concatenate(self._venue), np.concatenate(self._kind)
        poster = (draws.each("poster", venue) < POSTER_SHARE) & (kind == Place.SHOP)
        return Zones(
            venue=venue.astype(np.int32),
            kind=kind.astype(np.uint8),
            ventilation=np.concatenate(self._ventilation).astype(np.uint8),
            poster=poster,
        )


def _give_work(
    draws: Draws, age: NDArray[np.uint8], work_zone: NDArray[np.int32], rooms: _Rooms
) -> None:
    """Give the employed a room of a workplace; few workplaces are large and most are small."""
    number = np.arange(len(age))
    works = np.flatnonzero((age == Age.ADULT) & (draws.each("employed", number) < EMPLOYED_SHARE))
    firms = max(2, len(works) // 14)
    weight = np.cumsum(1.0 / (np.arange(firms) + 4.0))
    firm = np.searchsorted(weight / weight[-1], draws.each("firm", works), side="right")
    staff = np.bincount(firm, minlength=firms)
    zones_of = np.maximum(1, -(-staff // PEOPLE_A_ROOM))
    first = rooms.add(Place.WORK, zones_of, int(Ventilation.NORMAL))
    offset = np.concatenate([[0], np.cumsum(zones_of)[:-1]])
    work_zone[works] = first + offset[firm] + draws.whole("room", zones_of[firm], works)


def _give_school(
    draws: Draws,
    age: NDArray[np.uint8],
    household: NDArray[np.int32],
    work_zone: NDArray[np.int32],
    rooms: _Rooms,
) -> None:
    """Give each child a class; the children of one home go to one school."""
    kids = np.flatnonzero(age == Age.CHILD)
    schools = max(1, len(kids) // CHILDREN_A_SCHOOL)
    classes = max(1, -(-len(kids) // (schools * CHILDREN_A_ROOM)))
    first = rooms.add(Place.SCHOOL, np.full(schools, classes), int(Ventilation.NORMAL))
    school = draws.whole("school", schools, household[kids])
    work_zone[kids] = first + school * classes + draws.whole("class", classes, kids)
