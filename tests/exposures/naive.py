"""The whole of tracing in one naive function: every case against every visit, from the field's text.

Written from field/08 3.2 and E31–E37 and from the stated rules of presence, without a look at
``core.exposure``: plain tuples, nothing indexed, nothing remembered. n × m, for a handful of
people.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
HALF_HOUR = 30 * MINUTE
DAY = timedelta(days=1)
# class of venue → usual stay, certain stay, lingering factor (the published defaults)
DWELL = {"mall": (60, 10, 1), "hall": (60, 10, 1), "park": (90, 10, 0)}


@dataclass
class Known:
    """All that was ever recorded: what the tests put in, as plain values."""

    venues: dict[str, str] = field(default_factory=dict)  # venue → class
    records: list[tuple[str, str, str, datetime, str]] = field(default_factory=list)
    cases: dict[str, tuple[str, datetime, datetime]] = field(default_factory=dict)
    orders: dict[str, datetime] = field(default_factory=dict)  # person → isolated at
    households: set[tuple[str, str]] = field(default_factory=set)
    lead_hours: int = 48
    linger: int = 30
    least: int = 10


def entries(known: Known, person: str) -> list[tuple[datetime, str, str]]:
    """(moment, key, venue) of each time the person provably came in."""
    found = []
    for venue in known.venues:
        mine = [r for r in known.records if r[1] == person and r[2] == venue]
        admits = [r[3] for r in mine if r[4] == "admit"]
        staff = [r[3] for r in mine if r[4] == "verification"]
        exits = [r[3] for r in mine if r[4] == "exit"]
        came = []
        for key, _, _, at, what in mine:
            confirmed = any(abs(s - at) <= HALF_HOUR for s in staff)
            doubled = any(abs(a - at) <= HALF_HOUR for a in admits)
            if what in ("admit", "strong") or (what == "weak" and confirmed and not doubled):
                came.append((at, key))
        came.sort()
        for number, (at, key) in enumerate(came):
            before = came[number - 1][0] if number else None
            again = (
                before is not None
                and at - before <= HALF_HOUR
                and not any(before < out <= at for out in exits)
            )
            if not again:
                found.append((at, key, venue))
    return sorted(found)


def visits(known: Known, person: str):
    """(venue, since, until, certain until, key) of each visit."""
    came = entries(known, person)
    for number, (at, key, venue) in enumerate(came):
        following = came[number + 1][0] if number + 1 < len(came) else None
        back = min((t for t, _, v in came[number + 1 :] if v == venue), default=None)
        latest = at + timedelta(hours=16)
        if back is not None:
            latest = min(latest, back)
        outs = [
            r[3]
            for r in known.records
            if r[1] == person and r[2] == venue and r[4] == "exit" and at < r[3] <= latest
        ]
        usual, certain, _ = DWELL[known.venues[venue]]
        until = min(outs) if outs else at + usual * MINUTE
        if following is not None:
            until = min(until, following)
        sure = until if outs else min(until, at + certain * MINUTE)
        yield venue, at, until, sure, key


def exposures(known: Known) -> dict[tuple, tuple[int, int]]:
    """(person, case, since, until, venue) → minutes and direct minutes."""
    people = {r[1] for r in known.records}
    found: dict[tuple, tuple[int, int]] = {}
    for case, (patient, sampled, _) in known.cases.items():
        first = sampled - timedelta(hours=known.lead_hours)
        last = sampled + 14 * DAY
        isolated = known.orders.get(patient)
        if isolated is not None:
            last = min(last, max(isolated, first))
        home = {b for a, b in known.households if a == patient}
        home |= {a for a, b in known.households if b == patient}
        for venue, came, went, sure, _ in visits(known, patient):
            start, end = max(came, first), min(went, last)
            if end <= start:
                continue
            factor = DWELL[known.venues[venue]][2]
            air = end + min(end - start, known.linger * MINUTE) * factor
            certain = max(start, min(end, sure))
            sure_air = certain + min(certain - start, known.linger * MINUTE) * factor
            for person in people - home - {patient}:
                for there, arrived, left, known_until, _ in visits(known, person):
                    since, until = max(start, arrived), min(air, left)
                    if there != venue or until <= since:
                        continue
                    shared = (min(until, sure_air, known_until) - since) // MINUTE
                    if shared >= known.least:
                        minutes = (until - since) // MINUTE
                        direct = max(timedelta(0), min(until, end) - since) // MINUTE
                        found[person, case, since, until, venue] = (minutes, direct)
    return found
