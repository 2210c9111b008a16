"""What truly happened: arrivals, tests, cases and orders of every resident.

Rates are invented: they give every colour enough people to look at, and say nothing about
any disease. Nobody infects anybody here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from passlight.simulation.calendar import ZONE, iso, whole_minute
from passlight.simulation.population import Population, Resident

KEY, ATTENTION = "key", "attention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A fictional place outside the district; province code 99 belongs to no region."""

    code: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """An area on a list from ``starts_at`` until ``ends_at`` (None: still on it)."""

    area: str
    level: str
    starts_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A true fact: what, whom, when, and when its source learnt of it."""

    source: str
    kind: str
    subject: str
    occurred_at: datetime
    known_at: datetime
    payload: dict[str, Any] = field(default_factory=dict)


LISTED = Area(code="990100", name="云洲市", name_en="Yunzhou City")
WATCHED = Area(code="990200", name="岚港市", name_en="Langang City")
FORMER = Area(code="990300", name="砚山市", name_en="Yanshan City")
QUIET = Area(code="990400", name="泉城市", name_en="Quancheng City")
AREAS = (LISTED, WATCHED, FORMER, QUIET)
_ORIGINS = ("990101", "990100", "990200", "990300", "990400")
_ORIGIN_WEIGHTS = (40, 10, 15, 15, 20)

ARRIVALS_A_DAY = 1 / 250  # of the people
SUSPICIONS_A_DAY = 1 / 2500
CONFIRMATIONS_A_DAY = 1 / 8000
TEST_EVERY_DAYS = (1, 2, 3, 7, None)
TEST_WEIGHTS = (5, 25, 30, 25, 15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The time of the simulation: [starts_at, ends_at)."""

    starts_at: datetime
    ends_at: datetime

    @property
    def days(self) -> int:
        """Return the whole days."""
        return (self.ends_at - self.starts_at).days


def listings(period: Period) -> tuple[Listing, ...]:
    """Return the lists of areas: one listed throughout, one watched, one delisted before."""
    before = period.starts_at - timedelta(days=20)
    return (
        Listing(area=LISTED.code, level=KEY, starts_at=before, ends_at=None),
        Listing(area=WATCHED.code, level=ATTENTION, starts_at=before, ends_at=None),
        Listing(
            area=FORMER.code,
            level=KEY,
            starts_at=before,
            ends_at=period.starts_at - timedelta(days=5),
        ),
    )


def area_events(period: Period) -> Iterator[Event]:
    """Yield the listings as facts of the health commission."""
    for listing in listings(period):
        payload = {"area": listing.area, "level": listing.level, "list_id": f"list-{listing.area}"}
        for kind, at in (("area.listed", listing.starts_at), ("area.delisted", listing.ends_at)):
            if at is not None:
                yield Event(
                    source="commission",
                    kind=kind,
                    subject=f"area:{listing.area}",
                    occurred_at=whole_minute(at),
                    known_at=whole_minute(at + timedelta(hours=1)),
                    payload=payload,
                )


def make_histories(population: Population, *, period: Period, seed: int) -> list[Event]:
    """Return every true event inside ``period``, by the time its source learnt of it."""
    random = Random(f"passlight histories {seed}")
    events = list(area_events(period))
    for household in population.households():
        confirmed = []
        for resident in household:
            positive_at, own = _case(random, resident, period)
            events += own
            events += _arrivals(random, resident, period)
            events += _tests(random, resident, period, positive_at)
            if positive_at is not None:
                confirmed.append((resident, positive_at))
        for resident, positive_at in confirmed:
            for other in household:
                if other is not resident:
                    events += _order(random, other, resident, positive_at, period)
    events.sort(key=lambda event: (event.known_at, event.subject, event.kind, event.occurred_at))
    return events


def _moment(random: Random, period: Period) -> datetime:
    minutes = int((period.ends_at - period.starts_at).total_seconds()) // 60
    return whole_minute(period.starts_at + timedelta(minutes=random.randrange(minutes)))


def _happens(random: Random, rate: float, period: Period) -> bool:
    return random.random() < min(0.9, rate * max(1, period.days))


def _later(random: Random, moment: datetime, shortest: float, longest: float) -> datetime:
    return moment + timedelta(minutes=int(60 * random.uniform(shortest, longest)))


def _inside(events: list[Event], period: Period) -> list[Event]:
    """Return the events that have happened and are known before the end."""
    return [event for event in events if max(event.occurred_at, event.known_at) < period.ends_at]


def _arrivals(random: Random, resident: Resident, period: Period) -> list[Event]:
    if not _happens(random, ARRIVALS_A_DAY, period):
        return []
    arrived = _moment(random, period)
    payload = {
        "from_area": random.choices(_ORIGINS, _ORIGIN_WEIGHTS)[0],
        "left_at": iso(_later(random, arrived, -30, -3)),
        "arrived_at": iso(arrived),
        "via": random.choice(("rail", "road", "air")),
    }
    event = Event(
        source="transport",
        kind="travel.arrived",
        subject=resident.key,
        occurred_at=arrived,
        known_at=_later(random, arrived, 0.5, 30),
        payload=payload,
    )
    return _inside([event], period)


def _case(
    random: Random, resident: Resident, period: Period
) -> tuple[datetime | None, list[Event]]:
    """Return when the person was confirmed, if ever, and the events of the case."""
    suspected = _happens(random, SUSPICIONS_A_DAY, period)
    if not suspected and not _happens(random, CONFIRMATIONS_A_DAY, period):
        return None, []
    payload = {"case_id": f"case-{resident.number}"}

    def event(kind: str, at: datetime) -> Event:
        return Event(
            source="cdc",
            kind=kind,
            subject=resident.key,
            occurred_at=at,
            known_at=_later(random, at, 0.2, 8),
            payload=payload,
        )

    start = _moment(random, period)
    events: list[Event] = []
    if suspected:
        events.append(event("case.suspected", start))
        start = _later(random, start, 6, 48)
        if random.random() < 0.6:
            events.append(event("case.ruled_out", start))
            return None, _inside(events, period)
    events.append(event("case.confirmed", start))
    events.append(event("case.discharged", _later(random, start, 120, 290)))
    kept = _inside(events, period)
    confirmed = any(found.kind == "case.confirmed" for found in kept)
    return (start if confirmed else None), kept


def _order(
    random: Random, person: Resident, case: Resident, positive_at: datetime, period: Period
) -> list[Event]:
    """Return the home isolation of somebody who lives with a confirmed case."""
    starts = _later(random, positive_at, 1, 10)
    payload = {"order_id": f"order-{person.number}-{case.number}", "type": "home-isolation"}
    events = [
        Event(
            source="street",
            kind=kind,
            subject=person.key,
            occurred_at=at,
            known_at=_later(random, at, 0.1, 3),
            payload=payload,
        )
        for kind, at in (
            ("order.started", starts),
            ("order.lifted", starts + timedelta(days=7)),
        )
    ]
    return _inside(events, period)


def _tests(
    random: Random, resident: Resident, period: Period, positive_at: datetime | None
) -> list[Event]:
    every = random.choices(TEST_EVERY_DAYS, TEST_WEIGHTS)[0]
    if every is None:
        return []
    events = []
    day = period.starts_at.astimezone(ZONE).date() + timedelta(days=random.randrange(every))
    while (at := _sampled(random, day)) < period.ends_at:
        if at >= period.starts_at:
            events.append(_test(random, resident, at, positive_at))
        day += timedelta(days=every)
    return _inside(events, period)


def _sampled(random: Random, day: date) -> datetime:
    return datetime.combine(day, time(7), ZONE) + timedelta(minutes=random.randrange(13 * 60))


def _test(
    random: Random, resident: Resident, sampled: datetime, positive_at: datetime | None
) -> Event:
    reported = _later(random, sampled, 3, 14)
    ill = positive_at is not None and abs(sampled - positive_at) < timedelta(days=3)
    value = "pos" if ill else "invalid" if random.random() < 0.004 else "neg"
    return Event(
        source="laboratory",
        kind="lab.result",
        subject=resident.key,
        occurred_at=reported,
        known_at=_later(random, reported, 0, 2),
        payload={
            "sample_id": f"s-{resident.number}-{sampled:%y%m%d}",
            "sampled_at": iso(sampled),
            "reported_at": iso(reported),
            "value": value,
        },
    )
