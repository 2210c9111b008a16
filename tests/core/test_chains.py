"""Chains of facts are those of the definition, and cost no square of the facts.

The definition (field/08 1.3) is written out here: after each fact that comes to be known, all
that are known are read from the first, in the order of sampling. What is counted is steps, not time.
"""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from passlight.core.facts.fact import Fact, Op
from passlight.core.status import chains
from passlight.core.status.chains import Event, in_a_row, spaced

ORIGIN = datetime(2010, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
GAP = timedelta(hours=24)
# St John's put its clocks back at 00:01 until 2011: for a minute it was tomorrow, then today again.
ZONES = [ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/St_Johns")]


def event(measured: datetime, counts: datetime, *, empties: bool, dated: bool, name: int) -> Event:
    fact = Fact(
        fact_id=f"f-{name:05d}",
        ver=1,
        op=Op.ASSERT,
        kind="lab.result",
        subject="p",
        occurred_at=counts,
        occurred_until=None,
        recorded_at=counts,
        source="test",
        payload={"precision": "date"} if dated else {},
    )
    return (measured, counts, fact), empties


def in_order(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda one: (one[0][1], one[1], one[0][2].fact_id))


def naive(events, *, links: Callable[[list, tuple], list], wanted: int):
    """The definition: a chain of what is known so far, in the order of sampling."""
    chain: list = []
    for known in range(1, len(events) + 1):
        seen = sorted(range(known), key=lambda n: (events[n][0][0], events[n][1], n))
        chain = []
        for number in seen:
            one, empties = events[number]
            chain = [] if empties else links(chain, one)
            if len(chain) >= wanted:
                return events[known - 1][0][1], chain
    return None, chain


def far_apart(gap: timedelta | None):
    def links(chain, one):
        far = not chain or gap is None or one[0] - chain[-1][0] >= gap
        return [*chain, one] if far else chain

    return links


def date_of(one, zone: ZoneInfo) -> date:
    """The wall's date; a fact known by its date is measured at the midnight that ends it."""
    day = one[0].astimezone(zone).date()
    return day - timedelta(days=1) if one[2].payload else day


def day_after_day(zone: ZoneInfo):
    def links(chain, one):
        if not chain:
            return [one]
        days = date_of(one, zone).toordinal() - date_of(chain[-1], zone).toordinal()
        return chain if days == 0 else [*chain, one] if days == 1 else [one]

    return links


def random_events(rng: random.Random, zone: ZoneInfo) -> list[Event]:
    """Facts on a coarse grid, so that instants are often equal; half are told late."""
    events = []
    hours, resets = rng.choice((40, 200)), rng.choice((0, 0.1, 0.4))
    for name in range(rng.randrange(14)):
        measured = ORIGIN + rng.randrange(hours) * 3 * HOUR + rng.choice((0, 0, 1)) * HOUR / 2
        counts = measured + rng.choice((0, 0, 3, 9, 60)) * HOUR
        dated = rng.random() < 0.2
        if dated:
            day = measured.astimezone(zone).date() + timedelta(days=1)
            measured = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
            counts = measured
        empties = rng.random() < resets
        events.append(event(measured, counts, empties=empties, dated=dated, name=name))
    return in_order(events)


@pytest.mark.parametrize("gap", [None, timedelta(0), GAP, 5 * GAP / 2], ids=str)
def test_spaced_chains_are_those_of_the_definition(gap: timedelta | None) -> None:
    rng = random.Random(f"gap {gap}")
    apart = None if gap is None else lambda instant: instant + gap
    reached = 0
    for _ in range(1500):
        events, wanted = random_events(rng, ZONES[0]), rng.randint(1, 5)
        expected = naive(events, links=far_apart(gap), wanted=wanted)
        assert spaced(events, apart=apart, wanted=wanted) == expected
        reached += expected[0] is not None
    assert 150 < reached < 1350, "both answers were looked at"


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_rows_of_days_are_those_of_the_definition(zone: ZoneInfo) -> None:
    rng = random.Random(f"every {zone.key}")
    reached = 0
    for _ in range(1500):
        events, wanted = random_events(rng, zone), rng.randint(1, 5)
        expected = naive(events, links=day_after_day(zone), wanted=wanted)
        assert in_a_row(events, zone=zone, wanted=wanted) == expected
        reached += expected[0] is not None
    assert 150 < reached < 1350, "both answers were looked at"


def test_the_minute_that_a_date_comes_back_starts_a_row_again() -> None:
    """St John's, 2010-11-07: 00:00:30 on the 7th is followed by 23:30 on the 6th, an hour on."""
    zone = ZONES[2]
    first = datetime(2010, 11, 7, 0, 0, 30, tzinfo=zone).astimezone(UTC)
    times = (first, first + HOUR / 2, first + 2 * HOUR)
    events = [
        event(at, at, empties=False, dated=False, name=number) for number, at in enumerate(times)
    ]
    assert [date_of(one, zone).day for one, _ in events] == [7, 6, 7]
    row = [events[1][0], events[2][0]]
    assert in_a_row(events, zone=zone, wanted=2) == (times[2], row)


# --- What it costs: steps, counted ------------------------------------------------------------


def told(number: int, order: str, rng: random.Random) -> list[Event]:
    """Tests within 12 days, told in order of sampling or in another."""
    step = 12 * GAP / number
    places = list(range(number))
    if order == "backwards":
        places.reverse()
    elif order != "in order":
        rng.shuffle(places)
    late = ORIGIN + 30 * GAP
    return in_order(
        [
            event(ORIGIN + step * n, late + HOUR * place, empties=False, dated=False, name=n)
            for n, place in enumerate(places)
        ]
    )


def steps_of_spaced(number: int, order: str) -> int:
    """How often it was asked from when on the next link counts: once a link that is looked at."""
    asked = 0

    def apart(instant: datetime) -> datetime:
        nonlocal asked
        asked += 1
        return instant + GAP

    events = told(number, order, random.Random(number))
    assert spaced(events, apart=apart, wanted=20)[0] is None
    return asked


def steps_of_rows(number: int, order: str, patch: pytest.MonkeyPatch) -> int:
    """How often a row was worked out from the one before it."""
    asked = 0
    original = chains._extended

    def extended(row, day):
        nonlocal asked
        asked += 1
        return original(row, day)

    patch.setattr(chains, "_extended", extended)
    events = told(number, order, random.Random(number))
    assert in_a_row(events, zone=ZONES[0], wanted=20)[0] is None
    patch.undo()
    return asked


@pytest.mark.parametrize("order", ["in order", "backwards", "any order"])
def test_steps_grow_as_the_facts_do(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 13 links fit in 12 days: so many are looked at a fact, however many facts there are.

    One is enough for a fact that is told after all that were measured before it. The definition takes n·(n+1)/2 steps: 500,500 for a thousand facts, 12,502,500 for five thousand.
    """
    for number in (1000, 5000):
        bound = number if order == "in order" else 13 * number
        assert steps_of_spaced(number, order) <= bound
        assert steps_of_rows(number, order, monkeypatch) <= bound
