"""Shared air by hand: everybody against everybody, in minutes, from the recorded check-ins.

The definition of an exposure written down a second time (field/08 3.2, E31–E37), in whole
minutes and plain loops. It uses nothing of ``core.exposure`` but the numbers it is given.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from passlight.simulation.outbreak.clerk import seconds
from passlight.simulation.outbreak.hours import second_of
from passlight.simulation.outbreak.loop import Outbreak
from passlight.simulation.outbreak.town import CLASSES, Place, person_of
from passlight.simulation.outbreak.tracing import TracedCase
from passlight.simulation.outbreak.visit_store import NOT_RECORDED

DAY_MINUTES = 1440
Dose = tuple[int, int]
#: (the other's visit, the case's visit) → minutes, and how many of them in the case's presence
Doses = dict[tuple[str, str], Dose]


@dataclass(frozen=True, slots=True)
class Stay:
    """One visit in minutes of the world; ``sure`` is the end of what is certain."""

    key: str
    person: int
    zone: int
    begins: float
    ends: float
    sure: float


def stays(world: Outbreak, people: set[int], first: int, last: int) -> list[Stay]:
    """Return the recorded visits of these people, with an assumed end where none was recorded."""
    numbers = world.tracing.parameters
    wanted = np.array(sorted(people))
    came: dict[int, list[tuple[int, int, int, str]]] = defaultdict(list)
    for day in range(first, last + 1):
        recorded = world.store.day(day)
        if recorded is None:
            continue
        for row in np.flatnonzero(np.isin(recorded.person, wanted)).tolist():
            person, entered = int(recorded.person[row]), int(recorded.entered[row])
            left, begins = int(recorded.left[row]), day * DAY_MINUTES + entered
            out = NOT_RECORDED if left == NOT_RECORDED else day * DAY_MINUTES + left
            key = f"{day}-{person}-{entered}"
            came[person].append((begins, out, int(recorded.zone[row]), key))
    found: list[Stay] = []
    for person, visits in came.items():
        visits.sort()
        for place, (begins, left, zone, key) in enumerate(visits):
            following = visits[place + 1][0] if place + 1 < len(visits) else 2**40
            ends = sure = min(left, following)
            if left == NOT_RECORDED:
                dwell = numbers.dwell[CLASSES[Place(int(world.town.zones.kind[zone]))]]
                usual = min(dwell.usual_minutes, numbers.stay_hours_max * 60)
                ends = min(begins + usual, following)
                sure = begins + dwell.certain_minutes
            found.append(Stay(key, person, zone, begins, ends, min(ends, sure)))
    return found


def derived_by_hand(world: Outbreak, case: TracedCase) -> Doses:
    """Return what tracing must have told of a case, run by run."""
    found: Doses = {}
    for first, last in case.days:
        found |= _run(world, case, first, last)
    return found


def _run(world: Outbreak, case: TracedCase, first: int, last: int) -> Doses:
    numbers = world.tracing.parameters
    patient = person_of(case.fact.subject)
    says = case.fact.payload
    times = [seconds(says[name]) for name in ("onset_at", "sampled_at") if name in says]
    begin = (min(times) if times else second_of(case.fact.occurred_at)) / 60 - 60 * (
        numbers.lead_hours
    )
    end = second_of(case.fact.occurred_at) / 60
    own = stays(world, {patient}, first, last)
    rooms = {stay.zone for stay in own}
    others = [
        stay
        for stay in stays(world, _who_was_in(world, rooms, first, last), first, last)
        if stay.zone in rooms
    ]
    home = set(world.town.household_of(patient))
    doses: Doses = {}
    people: dict[int, set[int]] = defaultdict(set)
    present: dict[int, set[int]] = defaultdict(set)
    zone_of: dict[tuple[str, str], int] = {}
    for mine in own:
        since, direct = max(mine.begins, begin), min(mine.ends, end)
        if direct <= since:
            continue
        sure = max(since, min(direct, mine.sure))
        factor = int(world.town.zones.ventilation[mine.zone])
        until = direct + min(direct - since, numbers.linger_minutes) * factor
        certain = sure + min(sure - since, numbers.linger_minutes) * factor
        for other in others:
            if other.zone != mine.zone or other.begins >= until or other.ends <= since:
                continue
            present[mine.zone].add(other.person)
            if other.person in home or world.town.zones.poster[mine.zone]:
                continue
            met = max(since, other.begins)
            minutes = int(min(until, other.ends) - met)
            surely = int(min(until, other.ends, certain, other.sure) - met)
            if minutes < numbers.minutes_min or surely < numbers.minutes_min:
                continue
            key = (other.key, mine.key)
            doses[key] = (minutes, max(0, int(min(until, other.ends, direct) - met)))
            zone_of[key] = mine.zone
            people[mine.zone].add(other.person)
    cap = numbers.cap
    waits = {
        zone
        for zone, those in people.items()
        if len(those) > cap.people_max
        or (
            len(those) >= cap.share_people_min
            and len(those) * 100 > len(present[zone]) * cap.share_percent_max
        )
    }
    # What an officer released is told; whether to release is a person's choice, and given.
    waits = {zone for zone in waits if world.town.zones.names(zone)[1] in case.kept_back}
    return {key: dose for key, dose in doses.items() if zone_of[key] not in waits}


def _who_was_in(world: Outbreak, rooms: set[int], first: int, last: int) -> set[int]:
    """Return everybody who was in one of these zones on these days."""
    found: set[int] = set()
    for day in range(first, last + 1):
        recorded = world.store.day(day)
        if recorded is not None:
            inside = np.isin(recorded.zone, np.array(sorted(rooms)))
            found.update(recorded.person[inside].tolist())
    return found
