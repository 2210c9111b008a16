"""Measures of fairness and speed in one world, against its truth (field/08 4.5)."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from passlight.core.facts.fact import Fact, Op
from passlight.simulation.outbreak.checks import Finding, make_clerk
from passlight.simulation.outbreak.clerk import GREEN, RED, YELLOW, Clerk
from passlight.simulation.outbreak.doses import dose_rows, missed, named_share, percentiles
from passlight.simulation.outbreak.hours import DAY, HOUR, second_of
from passlight.simulation.outbreak.infection import NEVER
from passlight.simulation.outbreak.loop import Outbreak
from passlight.simulation.outbreak.town import subject_of

NOON = 12 * HOUR
DOORS_A_FACT = 20
CARES_DAYS = 14


@dataclass(slots=True)
class _Noons:
    """People-days by colour, and those of them that the truth does not bear out."""

    red: int = 0
    red_false: int = 0
    yellow: int = 0
    yellow_untrue: int = 0
    yellow_uninfected: int = 0


def measure(world: Outbreak, findings: list[Finding], *, unguarded: list[int]) -> dict[str, Any]:
    """Return every measure of a finished world as JSON values.

    ``unguarded`` are the new infections a day of the same town when colours keep nobody away.
    """
    clerk, truth = make_clerk(world), make_clerk(world, truth=True)
    noons, red_people, wrong_people = _noons(world, truth)
    outside, named = named_share(world)
    receipts = next(one for one in findings if one.check == "receipts")
    verdicts = sum(world.verdicts.values())
    averted = sum(unguarded) - sum(world.new_by_day)
    return {
        "people": world.town.people,
        "watched": int(world.watched.sum()),
        "days": world.setting.days,
        "visits": world.store.rows,
        "verdicts": {colour.value: count for colour, count in sorted(world.verdicts.items())},
        "facts": {
            "sent": len(world.senders.sent),
            "landed": len(world.facts),
            "lines": dict(sorted(Counter(line.what.value for line in world.senders.sent).items())),
        },
        "infected": len(world.disease.truth),
        "infected_unguarded": sum(unguarded),
        "result_to_refusal_seconds": _to_doors(world, _colouring(world)),
        "sampled_to_recorded_hours": _sampled(world),
        "confirmed_to_contact_coloured_minutes": _to_contacts(world),
        "late_green": _late_green(world, clerk),
        "red_people_days": noons.red,
        "false_red_people_days": noons.red_false,
        "false_red_share": _share(noons.red_false, noons.red),
        "red_people": red_people,
        "false_red_people": wrong_people,
        "yellow_people_days": noons.yellow,
        "untrue_yellow_people_days": noons.yellow_untrue,
        "unnecessary_yellow_people_days": noons.yellow_uninfected,
        "unnecessary_yellow_days_an_averted_infection": (
            round(noons.yellow_uninfected / averted, 1) if averted > 0 else None
        ),
        "exposure_doses": [
            {
                "minutes": row.minutes,
                "true": row.true,
                "found": row.found,
                "recall": round(row.recall, 4),
                "precision": round(row.precision, 4),
            }
            for row in dose_rows(world)
        ],
        "exposures_missed": missed(world),
        "infections_outside_by_traced_cases": outside,
        "of_them_named": named,
        "zones_held_for_an_officer": sum(len(case.held) for case in world.tracing.cases),
        "zones_kept_back": sum(len(case.kept_back) for case in world.tracing.cases),
        "exposures_told": sum(len(case.exposures) for case in world.tracing.cases),
        "exposures_told_at_once": sum(case.at_once for case in world.tracing.cases),
        "unknown_share": _share(
            sum(n for c, n in world.verdicts.items() if c == "unknown"), verdicts
        ),
        "receipts": receipts.looked_at,
        "receipts_reproduced_share": _share(
            receipts.looked_at - receipts.wrong, receipts.looked_at
        ),
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0


def _noons(world: Outbreak, truth: Clerk) -> tuple[_Noons, int, int]:
    """Return the people-days at noon, how many people were red, and how many of them wrongly."""
    found = _Noons()
    red: dict[int, bool] = defaultdict(bool)
    for (person, day), colour in world.noons.items():
        if colour not in {RED, YELLOW}:
            continue
        noon = day * DAY + NOON
        so = truth.colour(subject_of(person), noon, noon)
        if colour == RED:
            found.red += 1
            found.red_false += so != RED
            red[person] |= so == RED
        else:
            found.yellow += 1
            found.yellow_untrue += so not in {RED, YELLOW}
            infected = int(world.disease.infected_at[person])
            lately = infected != NEVER and noon - CARES_DAYS * DAY <= infected <= noon
            found.yellow_uninfected += not lately
    return found, len(red), sum(not so for so in red.values())


def _colouring(world: Outbreak) -> list[Fact]:
    """Return the first deliveries of the facts that make somebody red by a laboratory's finding."""
    results = world.setting.pack != "shanghai-2020-02"
    found: dict[str, Fact] = {}
    for fact in world.facts:
        positive = fact.kind == "lab.result" and fact.payload.get("value") == "pos"
        wanted = positive if results else fact.kind == "case.confirmed"
        if wanted and fact.op is Op.ASSERT and fact.ver == 1:
            found.setdefault(fact.fact_id, fact)
    return list(found.values())


def _to_doors(world: Outbreak, facts: list[Fact]) -> dict[str, float]:
    """Return how long after its recording a fact can first refuse, over some doors for each."""
    if not facts:
        return percentiles([])
    recorded = np.repeat([second_of(fact.recorded_at) for fact in facts], DOORS_A_FACT)
    number = np.arange(len(recorded))
    venues = world.town.draws.whole("which doors", int(world.town.zones.venue[-1]) + 1, number)
    return percentiles(world.doors.reached_at(venues, recorded) - recorded)


def _sampled(world: Outbreak) -> dict[str, float]:
    """Return the hours from the swab to our recording of the result: none of them are ours."""
    hours = []
    for fact in _colouring(world):
        text = fact.payload.get("sampled_at")
        if isinstance(text, str):
            sampled = second_of(fact.occurred_at.fromisoformat(text))
            hours.append((second_of(fact.recorded_at) - sampled) / HOUR)
    return percentiles(hours)


def _to_contacts(world: Outbreak) -> dict[str, float]:
    """Return the minutes from a case's recording to each companion's colour at a door."""
    known: dict[str, int] = {}
    for fact in world.facts:
        if fact.kind == "exposure.derived" and fact.op is Op.ASSERT:
            known.setdefault(fact.fact_id, second_of(fact.recorded_at))
    minutes = []
    for case in world.tracing.cases:
        recorded = second_of(case.fact.recorded_at)
        for one in case.told:
            if one.fact_id in known:
                door = np.array([one.person % (int(world.town.zones.venue[-1]) + 1)])
                reached = world.doors.reached_at(door, np.array([known[one.fact_id]]))[0]
                minutes.append(int(reached - recorded) // 60)
    return percentiles(minutes)


def _late_green(world: Outbreak, clerk: Clerk) -> dict[str, float]:
    """Return how many were refused although their release was known somewhere, and since when."""
    late: list[int] = []
    refused = [receipt for receipt in world.receipts if not receipt.admitted]
    for receipt in refused:
        subject = subject_of(receipt.person)
        if clerk.colour(subject, receipt.at, receipt.at) != GREEN:
            continue
        came = [
            sheet.came
            for sheet in clerk.stack(subject, receipt.at)
            if receipt.known < sheet.came <= receipt.at
        ]
        late.append(receipt.at - min(came, default=receipt.known))
    return {
        "refusals": len(refused),
        "late_refusals": len(late),
        "late_minutes": round(sum(late) / 60, 2),
    }


def delays(world: Outbreak) -> dict[str, dict[str, float]]:
    """Return for each source the hours from the event to our recording."""
    hours: dict[str, list[float]] = defaultdict(list)
    for fact in world.facts:
        if fact.about_person and fact.op is Op.ASSERT and fact.ver == 1:
            waited = second_of(fact.recorded_at) - second_of(fact.occurred_at)
            hours[fact.source].append(waited / HOUR)
    return {
        source: percentiles(values)
        for source, values in sorted(hours.items())
        if source != "tracing"
    }
