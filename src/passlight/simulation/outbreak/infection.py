"""Infection (感染): it happens inside a visit or at home, so it has a source, place, time, minutes.

For everyone who shares a zone with somebody infectious the chance is 1 − exp(−rate · minutes),
where the rate follows the course of the disease, the ventilation and the place. The numbers are
invented and give an epidemic of a believable size; they describe no real disease.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passlight.simulation.outbreak.draws import Draws, Floats, Ints
from passlight.simulation.outbreak.movement import DAY_MINUTES, DayVisits
from passlight.simulation.outbreak.town import NOWHERE, Town

DAY = 86_400
MINUTE = 60
HOME = NOWHERE
NEVER = -1
RATE_A_MINUTE = 5.0e-5
HOME_FACTOR = 10.0
VENTILATION_FACTORS = np.array([0.1, 1.0, 2.0])
#: Share of the full rate by whole days from two days before onset on.
COURSE = np.array([0.6, 0.9, 1.0, 0.9, 0.7, 0.5, 0.3, 0.2, 0.1])
LEAD_DAYS = 2
INCUBATION_HOURS = (36, 54, 66, 78, 90, 108, 150)
ASYMPTOMATIC_SHARE = 0.3
ASYMPTOMATIC_FACTOR = 0.6
SPREADER_SHARE, SPREADER_FACTOR = 0.1, 4.0
PAIRS_A_BLOCK = 2_000_000


@dataclass(frozen=True, slots=True)
class Transmission:
    """One line of the truth table; ``source`` is NEVER for an infection brought from elsewhere."""

    person: int
    source: int
    zone: int
    at: int
    minutes: int


class Disease:
    """Who is infected since when, and what becomes of it; seconds from the world's start."""

    __slots__ = ("asymptomatic", "draws", "infected_at", "onset_at", "truth")

    def __init__(self, draws: Draws, people: int) -> None:
        self.draws = draws
        self.infected_at = np.full(people, NEVER, np.int64)
        self.onset_at = np.full(people, NEVER, np.int64)
        self.asymptomatic = np.zeros(people, np.bool_)
        self.truth: list[Transmission] = []

    def infect(self, found: Transmission) -> bool:
        """Note an infection; return whether the person was not infected before."""
        person = found.person
        if self.infected_at[person] != NEVER:
            return False
        incubation = self.draws.between("incubation", INCUBATION_HOURS, person) * 3600
        self.infected_at[person] = found.at
        self.onset_at[person] = found.at + incubation
        self.asymptomatic[person] = self.draws.chance(ASYMPTOMATIC_SHARE, "asymptomatic", person)
        self.truth.append(found)
        return True

    def rate(self, day: int) -> Floats:
        """Return everybody's rate of infecting others on ``day``, 0 for most."""
        rate = np.zeros(len(self.infected_at))
        ill = np.flatnonzero(self.infected_at != NEVER)
        since = day - self.onset_at[ill] // DAY + LEAD_DAYS
        # Nobody passes on today what was caught today.
        active = (since >= 0) & (since < len(COURSE)) & (self.infected_at[ill] < day * DAY)
        ill, since = ill[active], since[active]
        factor = np.where(self.asymptomatic[ill], ASYMPTOMATIC_FACTOR, 1.0)
        spreader = self.draws.each("spreader", ill) < SPREADER_SHARE
        rate[ill] = COURSE[since] * factor * np.where(spreader, SPREADER_FACTOR, 1.0)
        return rate


def infections_of_day(
    town: Town,
    disease: Disease,
    day: int,
    visits: DayVisits,
    *,
    home_from: NDArray[np.int32],
) -> list[Transmission]:
    """Return who is infected on ``day``, sorted by person; of several chances the first wins.

    ``home_from`` is the minute from which each person is at home; DAY_MINUTES means not at all.
    """
    rate = disease.rate(day)
    parts = [
        *_in_visits(town, disease, day, visits, rate),
        _at_home(town, disease, day, home_from, rate),
    ]
    person, source, zone, at, minutes = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    order = np.lexsort((source, at, person))
    first = np.ones(len(order), np.bool_)
    first[1:] = person[order][1:] != person[order][:-1]
    chosen = order[first]
    return [
        Transmission(*(int(value) for value in row))
        for row in zip(
            person[chosen], source[chosen], zone[chosen], at[chosen], minutes[chosen], strict=True
        )
    ]


_Part = tuple[Ints, Ints, Ints, Ints, Ints]


def meetings(visits: DayVisits, cases: Ints) -> Iterator[tuple[Ints, Ints, Ints, Ints]]:
    """Yield, block by block, the visits that overlap with visits ``cases`` in the same zone.

    Each is the index of the case's visit, of the other's, the minute of the start and the minutes.
    """
    low = np.searchsorted(visits.zone, visits.zone[cases], side="left")
    high = np.searchsorted(visits.zone, visits.zone[cases], side="right")
    begin = 0
    while begin < len(cases):
        total = np.cumsum(high[begin:] - low[begin:])
        stop = begin + max(1, int(np.searchsorted(total, PAIRS_A_BLOCK)))
        count = high[begin:stop] - low[begin:stop]
        case = np.repeat(cases[begin:stop], count)
        ends = np.cumsum(count)
        other = np.arange(ends[-1]) - np.repeat(ends - count, count)
        other += np.repeat(low[begin:stop], count)
        start = np.maximum(visits.start[case], visits.start[other]).astype(np.int64)
        minutes = np.minimum(visits.end[case], visits.end[other]).astype(np.int64) - start
        met = (minutes > 0) & (visits.person[case] != visits.person[other])
        yield case[met], other[met], start[met], minutes[met]
        begin = stop


def _in_visits(
    town: Town, disease: Disease, day: int, visits: DayVisits, rate: Floats
) -> Iterator[_Part]:
    cases = np.flatnonzero(rate[visits.person] > 0)
    factors = RATE_A_MINUTE * VENTILATION_FACTORS[town.zones.ventilation]
    for case, other, start, minutes in meetings(visits, cases):
        open_ = disease.infected_at[visits.person[other]] == NEVER
        case, other, start, minutes = case[open_], other[open_], start[open_], minutes[open_]  # noqa: PLW2901
        source = visits.person[case].astype(np.int64)
        person = visits.person[other].astype(np.int64)
        zone = visits.zone[case].astype(np.int64)
        chance = -np.expm1(-rate[source] * factors[zone] * minutes)
        hit = town.draws.each("infects", source, person, day, zone) < chance
        when = (town.draws.each("when", source[hit], person[hit], day) * minutes[hit]).astype(
            np.int64
        )
        at = day * DAY + (start[hit] + when) * MINUTE
        yield person[hit], source[hit], zone[hit], at, minutes[hit]


def _at_home(
    town: Town, disease: Disease, day: int, home_from: NDArray[np.int32], rate: Floats
) -> _Part:
    cases = np.flatnonzero((rate > 0) & (home_from < DAY_MINUTES))
    homes = town.household[cases]
    columns: list[_Part] = []
    for step in range(int(np.max(np.diff(town.home_starts), initial=0))):
        person = town.home_starts[homes] + step
        inside = person < town.home_starts[homes + 1]
        source, person = cases[inside], person[inside]
        start = np.maximum(home_from[source], home_from[person]).astype(np.int64)
        minutes = DAY_MINUTES - start
        open_ = (person != source) & (minutes > 0) & (disease.infected_at[person] == NEVER)
        source, person, start, minutes = source[open_], person[open_], start[open_], minutes[open_]
        chance = -np.expm1(-rate[source] * RATE_A_MINUTE * HOME_FACTOR * minutes)
        hit = town.draws.each("infects at home", source, person, day) < chance
        when = (town.draws.each("when", source[hit], person[hit], day) * minutes[hit]).astype(
            np.int64
        )
        at = day * DAY + (start[hit] + when) * MINUTE
        columns.append((person[hit], source[hit], np.full(int(hit.sum()), HOME), at, minutes[hit]))
    empty: Ints = np.zeros(0, np.int64)
    return tuple(np.concatenate([empty, *column]) for column in zip(*columns, strict=True))  # type: ignore[return-value]
