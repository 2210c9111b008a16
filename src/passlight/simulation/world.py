"""The simulated world: who lives there, where they go, what truly happened."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from passlight.core.kernel.colour import Colour, strictest
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.simulation.calendar import EARLIEST, whole_minute
from passlight.simulation.histories import (
    KEY,
    Event,
    Listing,
    Period,
    listings,
    make_histories,
)
from passlight.simulation.population import Population, make_population
from passlight.simulation.venues import VenuePlan, make_venues
from passlight.simulation.visits import Movements

PEOPLE_MAX = 5_000_000
DAYS_MAX = 366
ARRIVAL_DAYS = timedelta(days=14)
_OPENS = {"order.started": "order_id", "case.suspected": "case_id", "case.confirmed": "case_id"}
# What ends what (seed S0): a suspicion ends when it is ruled out or confirmed.
_CLOSES = {
    "order.lifted": ("order.started",),
    "case.ruled_out": ("case.suspected",),
    "case.confirmed": ("case.suspected",),
    "case.discharged": ("case.confirmed",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A whole simulated district."""

    seed: int
    period: Period
    population: Population
    venues: tuple[VenuePlan, ...]
    events: list[Event]

    def movements(self) -> Movements:
        """Return where everybody goes, day by day."""
        return Movements(
            self.population, self.venues, seed=self.seed, on=self.period.starts_at.date()
        )


def make_world(*, people: int, days: int, seed: int, at: datetime) -> World:
    """Return the district of ``people`` during the ``days`` before ``at``.

    Raises:
        ProblemError: when a number is out of its range or the days begin before 2026.
    """
    ends_at = whole_minute(at)
    period = Period(starts_at=ends_at - timedelta(days=days), ends_at=ends_at)
    _require(1 <= people <= PEOPLE_MAX, "people", f"between 1 and {PEOPLE_MAX:,}")
    _require(1 <= days <= DAYS_MAX, "days", f"between 1 and {DAYS_MAX}")
    _require(period.starts_at >= EARLIEST, "at", "so that all days are in 2026 or later")
    population = make_population(people=people, seed=seed, on=period.starts_at.date())
    return World(
        seed=seed,
        period=period,
        population=population,
        venues=make_venues(population, seed=seed),
        events=make_histories(population, period=period, seed=seed),
    )


def true_colours(world: World, *, at: datetime) -> dict[str, Colour]:
    """Return everybody's colour at ``at`` by the three sentences of seed S0, read literally.

    Written apart from the rule engine, so that the two can be compared.
    """
    of_person: dict[str, list[Event]] = {person.key: [] for person in world.population.residents}
    for event in world.events:
        if event.subject in of_person and event.occurred_at <= at:
            of_person[event.subject].append(event)
    lists = listings(world.period)
    return {subject: _colour(events, lists, at) for subject, events in of_person.items()}


def _colour(events: list[Event], lists: tuple[Listing, ...], at: datetime) -> Colour:
    found = [Colour.RED for event in events if _stands(event, events)]
    found += [Colour.YELLOW for event in events if _arrived_lately(event, lists, at)]
    return strictest(found)


def _stands(event: Event, events: list[Event]) -> bool:
    """Return whether ``event`` opens something that nothing has closed."""
    key = _OPENS.get(event.kind)
    return key is not None and not any(
        event.kind in _CLOSES.get(other.kind, ())
        and other.payload[key] == event.payload[key]
        and other.occurred_at >= event.occurred_at
        for other in events
    )


def _arrived_lately(event: Event, lists: tuple[Listing, ...], at: datetime) -> bool:
    if event.kind != "travel.arrived" or at >= event.occurred_at + ARRIVAL_DAYS:
        return False
    return any(
        listing.level == KEY
        and event.payload["from_area"].startswith(listing.area.rstrip("0"))
        and listing.starts_at <= event.occurred_at
        and (listing.ends_at is None or event.occurred_at < listing.ends_at)
        for listing in lists
    )


def _require(good: bool, field: str, words: str) -> None:  # noqa: FBT001  # the checked condition
    if not good:
        raise ProblemError(
            Problem(
                code="simulation.out-of-range",
                message=f"--{field} is out of range.",
                remedy=f"Choose it {words}.",
                params={"field": field},
            )
        )
