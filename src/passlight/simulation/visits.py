"""Where people go: visits at the minute, day by day, in a fixed order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID

from passlight.core.places.venue import Venue, VenueClass
from passlight.simulation.calendar import ZONE
from passlight.simulation.population import CHILD_AGE_MAX, Population, age_on
from passlight.simulation.venues import VenuePlan

WORKING_AGE_MAX = 61
SATURDAY = 5
# Chance of an errand on a day, its place, and its length in minutes. Invented.
_ERRANDS = (
    (0.35, VenueClass.MALL, 10, 70),
    (0.06, VenueClass.TRANSPORT, 5, 25),
    (0.03, VenueClass.HALL, 15, 90),
    (0.02, VenueClass.HOSPITAL, 30, 150),
)


class Visit(NamedTuple):
    """One stay of one person in one zone of one venue."""

    entered_at: datetime
    subject: str
    venue: UUID
    zone: str
    entrance: str
    left_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Habits:
    """Where a resident goes by day, and the places near home."""

    subject: str
    daily: Venue | None
    home: Venue
    near: dict[VenueClass, list[Venue]]
    starts_at: int  # minute of the day


class Movements:
    """The visits of a population; the same day always gives the same visits."""

    def __init__(
        self, population: Population, plans: tuple[VenuePlan, ...], *, seed: int, on: date
    ) -> None:
        self._seed = seed
        self._habits = _habits(population, plans, seed=seed, on=on)

    def of_day(self, day: date) -> list[Visit]:
        """Return the visits of one local day, by time of entry and then by person."""
        random = Random(f"passlight visits {self._seed} {day}")
        midnight = datetime.combine(day, time(), ZONE)
        found: list[Visit] = []
        for habits in self._habits:
            found.extend(_day(random, habits, midnight, workday=day.weekday() < SATURDAY))
        found.sort(key=lambda visit: (visit.entered_at, visit.subject))
        return found


def _day(random: Random, habits: _Habits, midnight: datetime, *, workday: bool) -> Iterator[Visit]:
    """Yield one person's visits, one after the other, never two at once."""
    minute = habits.starts_at
    if workday and habits.daily is not None and random.random() < 0.92:
        stay = random.randint(420, 560)
        yield _visit(random, habits.subject, habits.daily, midnight, minute, stay)
        minute += stay + random.randint(10, 40)
    elif random.random() < 0.3:
        minute += random.randint(60, 300)
    for chance, kind, shortest, longest in _ERRANDS:
        if random.random() < chance:
            venue = random.choice(habits.near[kind])
            stay = random.randint(shortest, longest)
            yield _visit(random, habits.subject, venue, midnight, minute, stay)
            minute += stay + random.randint(5, 45)
    if minute > habits.starts_at:  # went out, so comes home through the gate
        yield _visit(random, habits.subject, habits.home, midnight, minute, random.randint(1, 3))


def _visit(
    random: Random, subject: str, venue: Venue, midnight: datetime, minute: int, stay: int
) -> Visit:
    entrance = random.choice(venue.entrances)
    entered = midnight + timedelta(minutes=minute)
    return Visit(
        entered_at=entered,
        subject=subject,
        venue=venue.id,
        zone=entrance.zone,
        entrance=entrance.code,
        left_at=entered + timedelta(minutes=stay),
    )


def _habits(
    population: Population, plans: tuple[VenuePlan, ...], *, seed: int, on: date
) -> list[_Habits]:
    random = Random(f"passlight habits {seed}")
    town_of = {unit.key: unit.parent for unit in population.villages}
    near: dict[str, dict[VenueClass, list[Venue]]] = {}
    homes: dict[str, Venue] = {}
    for plan in plans:
        if plan.venue.kind is VenueClass.HOUSING:
            homes[plan.unit] = plan.venue
        else:
            near.setdefault(plan.unit, {}).setdefault(plan.venue.kind, []).append(plan.venue)
    offices = [plan.venue for plan in plans if plan.venue.kind is VenueClass.OFFICE]
    found = []
    for resident in population.residents:
        around = near[town_of[resident.village]]
        age = age_on(resident, on)
        daily: Venue | None = None
        if 6 <= age <= CHILD_AGE_MAX:
            daily = random.choice(around[VenueClass.SCHOOL])
        elif CHILD_AGE_MAX < age <= WORKING_AGE_MAX and random.random() < 0.8:
            daily = random.choice(offices)
        found.append(
            _Habits(
                subject=resident.key,
                daily=daily,
                home=homes[resident.village],
                near=around,
                starts_at=random.randint(6 * 60 + 30, 9 * 60),
            )
        )
    return found
