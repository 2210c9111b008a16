"""How well tracing finds shared air: recall and precision by minutes, against the true visits.

The truth knows who was where to the minute, at open doors too, and when the case began to infect;
tracing knows check-ins, some of them without an end, and what the confirmation says.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from passlight.simulation.outbreak.draws import Ints
from passlight.simulation.outbreak.hours import DAY, MINUTE, second_of
from passlight.simulation.outbreak.infection import NEVER
from passlight.simulation.outbreak.loop import Outbreak
from passlight.simulation.outbreak.movement import DayVisits
from passlight.simulation.outbreak.town import Place, person_of
from passlight.simulation.outbreak.tracing import TracedCase

THRESHOLDS = (5, 10, 15, 30, 60)
REASONS = ("window", "poster", "kept-back", "open-place", "other")
Pairs = dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRow:
    """Pairs of visits with at least so many minutes: true ones, found ones, and those in both."""

    minutes: int
    true: int
    found: int
    both: int

    @property
    def recall(self) -> float:
        """Return which share of the true ones was found."""
        return self.both / self.true if self.true else 1.0

    @property
    def precision(self) -> float:
        """Return which share of the found ones is true."""
        return self.both / self.found if self.found else 1.0


def dose_rows(world: Outbreak) -> list[DoseRow]:
    """Return recall and precision over all traced cases that still stand."""
    counts = {minutes: [0, 0, 0] for minutes in THRESHOLDS}
    for case in _standing(world):
        infected = world.disease.infected_at[person_of(case.fact.subject)] != NEVER
        true = _true_pairs(world, case) if infected else {}
        found = {(one.visit_key, one.case_visit_key): one.minutes for one in case.exposures}
        for minutes, row in counts.items():
            wanted = {key for key, dose in true.items() if dose >= minutes}
            named = {key for key, dose in found.items() if dose >= minutes}
            row[0] += len(wanted)
            row[1] += len(named)
            row[2] += len(wanted & named)
    return [
        DoseRow(minutes=minutes, true=row[0], found=row[1], both=row[2])
        for minutes, row in counts.items()
    ]


def missed(world: Outbreak) -> dict[str, int]:
    """Return why true pairs of enough minutes were not found, by the first reason that holds.

    ``window``: before the time in which tracing thinks the case infected, mostly because the case
    had no onset; ``poster``: a self-scan proves nothing; ``kept-back``: no officer released the
    zone; ``open-place``: nobody checks in there; ``other``: an end that was assumed too early.
    """
    found: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
    for case in _standing(world):
        if world.disease.infected_at[person_of(case.fact.subject)] == NEVER:
            continue
        known = {(one.visit_key, one.case_visit_key) for one in case.exposures}
        for key, minutes in _true_pairs(world, case).items():
            if minutes >= world.tracing.parameters.minutes_min and key not in known:
                found[_reason(world, case, key[1])] += 1
    return dict(found)


def _reason(world: Outbreak, case: TracedCase, case_visit: str) -> str:
    day, person, start = (int(part) for part in case_visit.split("-"))
    visits = world.store.truth(day)
    assert visits is not None
    row = int(np.flatnonzero((visits.person == person) & (visits.start == start))[0])
    zone, zones = int(visits.zone[row]), world.town.zones
    infectious_from = world.tracing.window(case).infectious.start
    assert infectious_from is not None
    if zones.kind[zone] == Place.PARK:
        return "open-place"
    if zones.poster[zone]:
        return "poster"
    if day * DAY + int(visits.end[row]) * MINUTE <= second_of(infectious_from):
        return "window"
    return "kept-back" if zones.names(zone)[1] in case.kept_back else "other"


def _standing(world: Outbreak) -> list[TracedCase]:
    return [case for case in world.tracing.cases if case.days and case.withdrawn_at is None]


def _true_pairs(world: Outbreak, case: TracedCase) -> Pairs:
    """Return the minutes of air that others truly shared with the case, by pair of visits."""
    person = person_of(case.fact.subject)
    begin = int(world.disease.onset_at[person]) - world.tracing.parameters.lead_hours * 3600
    end = second_of(case.isolated_at)
    home = set(world.town.household_of(person))
    found: Pairs = {}
    for day in range(max(0, begin // DAY), end // DAY + 1):
        visits = world.store.truth(day)
        if visits is None:
            continue
        limits = ((begin - day * DAY) / MINUTE, (end - day * DAY) / MINUTE)
        for row in np.flatnonzero(visits.person == person).tolist():
            for other, minutes in _around(world, visits, row, limits):
                stranger = int(visits.person[other])
                if stranger not in home:
                    own = f"{day}-{person}-{visits.start[row]}"
                    found[f"{day}-{stranger}-{visits.start[other]}", own] = minutes
    return found


def _around(
    world: Outbreak, visits: DayVisits, row: int, limits: tuple[float, float]
) -> Iterator[tuple[int, int]]:
    """Yield who was in the zone with a visit or in its air, and for how many minutes."""
    begins = max(float(visits.start[row]), limits[0])
    ends = min(float(visits.end[row]), limits[1])
    if ends <= begins:
        return
    zone = int(visits.zone[row])
    linger = min(ends - begins, world.tracing.parameters.linger_minutes)
    until = ends + linger * int(world.town.zones.ventilation[zone])
    inside = visits.in_zone(zone)
    overlap = np.minimum(visits.end[inside], until) - np.maximum(visits.start[inside], begins)
    for place in np.flatnonzero(overlap > 0).tolist():
        yield inside.start + place, int(overlap[place])


def named_share(world: Outbreak) -> tuple[int, int]:
    """Return how many infections outside the home by traced cases there are, and how many named."""
    told: dict[int, set[int]] = {}
    for case in _standing(world):
        people = told.setdefault(person_of(case.fact.subject), set())
        people.update(one.person for one in case.told)
    outside = [one for one in world.disease.truth if one.zone >= 0 and one.source in told]
    return len(outside), sum(one.person in told[one.source] for one in outside)


def percentiles(values: Ints | Sequence[float]) -> dict[str, float]:
    """Return p50, p95, p99 and how many there are."""
    if len(values) == 0:
        return {"count": 0, "p50": 0.0, "p95": 0.0, "p99": 0.0}
    found = np.percentile(np.asarray(values), [50, 95, 99])
    return {
        "count": len(values),
        **{
            name: round(float(one), 1)
            for name, one in zip(("p50", "p95", "p99"), found, strict=True)
        },
    }
