"""Where everybody goes on one day, to the minute: a pure function of the town, the day and who.

Computed for a range of people at a time, so that memory is bounded; a person's day never
depends on the range it is computed in.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passlight.simulation.outbreak.draws import Floats, Ints
from passlight.simulation.outbreak.town import NOWHERE, Age, Place, Town

PEOPLE_A_CHUNK = 100_000
DAY_MINUTES = 1440
WALK_MINUTES = 10
_WEEKEND = (5, 6)
#: For each place of habit: how often the first and the second habit win; else any venue.
_FIRST, _SECOND = 0.7, 0.9


@dataclass(frozen=True, slots=True)
class DayVisits:
    """The visits of one day, sorted by zone, start and person; minutes from local midnight.

    An end may lie beyond midnight: the visit belongs to the day on which it began.
    """

    person: NDArray[np.int32]
    zone: NDArray[np.int32]
    start: NDArray[np.int16]
    end: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.person)

    def take(self, wanted: NDArray[np.bool_] | NDArray[np.int64]) -> "DayVisits":
        """Return the visits that a mask or an index picks."""
        return DayVisits(
            self.person[wanted], self.zone[wanted], self.start[wanted], self.end[wanted]
        )

    def in_zone(self, zone: int) -> slice:
        """Return where the visits of one zone lie."""
        return slice(
            int(np.searchsorted(self.zone, zone, side="left")),
            int(np.searchsorted(self.zone, zone, side="right")),
        )


@dataclass(slots=True)
class _Day:
    """One chunk of people while their day is planned; ``free`` is when each can set out again."""

    town: Town
    day: int
    who: Ints
    free: Ints
    found: list[tuple[Ints, Ints, Ints, Ints]]

    def draw(self, why: str) -> Floats:
        return self.town.draws.each(why, self.who, self.day)

    def go(self, goes: NDArray[np.bool_], zone: Ints, start: Floats, stay: Floats) -> None:
        """Add one visit for those who go; nobody sets out before coming from the last place."""
        begin = np.maximum(start.astype(np.int64), self.free)
        end = begin + np.maximum(stay.astype(np.int64), 5)
        self.found.append((self.who[goes], zone[goes], begin[goes], end[goes]))
        self.free = np.where(goes, end + WALK_MINUTES, self.free)

    def habit(self, kind: Place, why: str) -> Ints:
        """Return the zone of a place of habit: mostly one of two, near home, rarely another."""
        first, venues, zones = self.town.ranges[kind]
        town, who = self.town, self.who
        home = town.household[who]
        turn = self.draw(f"{why} turn")
        near = town.draws.each(f"{kind} near", home)
        own = town.draws.each(f"{kind} own", who)
        other = self.draw(f"{why} other")
        place = np.where(turn < _FIRST, near, np.where(turn < _SECOND, own, other))
        venue = (place * place * venues).astype(np.int64)  # squared: some are known to everyone
        return first + venue * zones + (self.draw(f"{why} zone") * zones).astype(np.int64)


def visits_of_day(town: Town, day: int, *, chunk: int = PEOPLE_A_CHUNK) -> DayVisits:
    """Return where everybody means to go on ``day`` (0 is a Monday)."""
    parts = [
        part
        for begin in range(0, town.people, chunk)
        for part in _chunk(town, day, np.arange(begin, min(begin + chunk, town.people)))
    ]
    person, zone, start, end = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((person, start, zone))
    return DayVisits(
        person[order].astype(np.int32),
        zone[order].astype(np.int32),
        start[order].astype(np.int16),
        end[order].astype(np.int16),
    )


def _chunk(town: Town, day: int, who: Ints) -> list[tuple[Ints, Ints, Ints, Ints]]:
    today = _Day(town, day, who, np.zeros(len(who), np.int64), [])
    age = town.age[who]
    weekend = day % 7 in _WEEKEND
    _elders_morning(today, age == Age.ELDER)
    _work(today, age, weekend=weekend)
    _errands(today, age, weekend=weekend)
    _evening(today, age, weekend=weekend)
    return today.found


def _elders_morning(today: _Day, elder: NDArray[np.bool_]) -> None:
    goes = elder & (today.draw("market goes") < 0.5)  # shares, here and below
    start = 480 + today.draw("market start") * 150
    today.go(goes, today.habit(Place.MARKET, "market"), start, 15 + today.draw("market stay") * 30)
    goes = elder & (today.draw("park goes") < 0.4)
    start = 870 + today.draw("park start") * 90
    today.go(goes, today.habit(Place.PARK, "park"), start, 30 + today.draw("park stay") * 60)


def _work(today: _Day, age: NDArray[np.uint8], *, weekend: bool) -> None:
    zone = today.town.work_zone[today.who].astype(np.int64)
    child = age == Age.CHILD
    shifts = (~child) & (today.draw("weekend shift") < 0.15)
    goes = (zone != NOWHERE) & (shifts if weekend else today.draw("ill at home") > 0.03)
    start = np.where(
        child, 470 + today.draw("work start") * 20, 480 + today.draw("work start") * 90
    )
    stay = np.where(child, 450.0, 420 + today.draw("work stay") * 120)
    today.go(goes, zone, start, stay)


def _errands(today: _Day, age: NDArray[np.uint8], *, weekend: bool) -> None:
    adult = age == Age.ADULT
    goes = adult & (today.draw("errand goes") < (0.55 if weekend else 0.33))
    begin = 600 if weekend else 1020
    start = begin + today.draw("errand start") * (300 if weekend else 60)
    market = today.draw("errand kind") < 0.5
    zone = np.where(market, today.habit(Place.MARKET, "errand"), today.habit(Place.SHOP, "errand"))
    today.go(goes, zone, start, 10 + today.draw("errand stay") * 30)


def _evening(today: _Day, age: NDArray[np.uint8], *, weekend: bool) -> None:
    out = age != Age.ELDER
    goes = out & (today.draw("dinner goes") < (0.2 if weekend else 0.12))
    start = 1110 + today.draw("dinner start") * 60
    stay = 40 + today.draw("dinner stay") * 50
    today.go(goes, today.habit(Place.RESTAURANT, "dinner"), start, stay)
    adult = age == Age.ADULT
    goes = adult & (today.draw("leisure goes") < (0.12 if weekend else 0.05))
    start = 1170 + today.draw("leisure start") * 60
    stay = 60 + today.draw("leisure stay") * 60
    today.go(goes, today.habit(Place.LEISURE, "leisure"), start, stay)
    goes = adult & (today.draw("bar goes") < (0.06 if weekend else 0.02))
    start = 1290 + today.draw("bar start") * 60
    today.go(goes, today.habit(Place.BAR, "bar"), start, 60 + today.draw("bar stay") * 150)


def home_from(town: Town, visits: DayVisits) -> NDArray[np.int32]:
    """Return from which minute each person is at home for the rest of the day."""
    back = np.full(town.people, 18 * 60, np.int32)
    np.maximum.at(back, visits.person, visits.end.astype(np.int32) + WALK_MINUTES)
    return np.minimum(back, DAY_MINUTES)
