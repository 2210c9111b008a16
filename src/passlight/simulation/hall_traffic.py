"""Who comes to a service hall on a number of days, and as what: made up from a seed, no more.

A plan of arrivals and nothing of what doors decide: colours by time, sampling times, fevers,
masks and answers are given here, so that whoever recounts can work out by the plan's own
clauses what should have happened (seed 004 三(二)1 and 4, seed 000 措施 4 and 5).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from random import Random
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
OPENS, CLOSES = time(8, 30), time(17, 30)
STAFF_FROM = time(7, 40)
LUNCH = time(12, 0)

_STAY_MINUTES_MEAN, _STAY_MINUTES_MAX = 24, 110
_FEVER, _NORMAL = (374, 391), (358, 372)


class Presents(StrEnum):
    """What somebody shows at the door."""

    CODE = "code"
    CARD = "card"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Somebody who comes; times are POSIX seconds.

    ``colours`` are (since, colour), the first since ever; ``sampled`` the samplings of
    negative tests, oldest first.
    """

    ordinal: int
    staff: bool
    colours: tuple[tuple[int, str], ...]
    sampled: tuple[int, ...]

    def colour_at(self, at: int) -> str:
        """Return the colour at a moment."""
        return next(colour for since, colour in reversed(self.colours) if since <= at)

    def sampled_before(self, at: int) -> int | None:
        """Return the newest sampling up to a moment."""
        return max((one for one in self.sampled if one <= at), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One coming to one door, POSIX seconds; ``stays`` is how long, in seconds."""

    at: int
    guest: int
    door: int
    presents: Presents
    tenths: int
    mask: bool
    symptoms: bool
    stays: int
    scans_out: bool
    """False: leaves without anybody noticing; the place comes back by time-out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Everybody who comes, and all arrivals in order of time."""

    days: tuple[date, ...]
    guests: tuple[Guest, ...]
    arrivals: tuple[Arrival, ...]


def make_traffic(
    *, first_day: date, days: int, visitors: int, staff: int, doors: int, seed: int
) -> Traffic:
    """Return the traffic of a hall.

    ``visitors`` come once each over all days, ``staff`` every day: in the morning and mostly
    again after lunch. About one visitor in fifty is yellow or red.
    """
    random = Random(f"passlight hall {seed}")
    open_days = tuple(first_day + timedelta(days=n) for n in range(days))
    guests: list[Guest] = []
    arrivals: list[Arrival] = []
    for n in range(staff):
        guest = _staff(n, open_days, random)
        guests.append(guest)
        arrivals += _working_days(guest, open_days, doors, random)
    for n in range(staff, staff + visitors):
        at = _visit_time(random.choice(open_days), random)
        guests.append(_visitor(n, at, random))
        arrivals.append(_arrival(guests[n], at, doors, random))
    arrivals.sort(key=lambda arrival: (arrival.at, arrival.guest))
    return Traffic(days=open_days, guests=tuple(guests), arrivals=tuple(arrivals))


def _moment(day: date, at: time) -> int:
    return int(datetime.combine(day, at, ZONE).timestamp())


def _staff(ordinal: int, days: tuple[date, ...], random: Random) -> Guest:
    """Return somebody of the staff: sampled on most evenings (seed 004 三(二)4: every day)."""
    sampled = [
        _moment(day - timedelta(days=1), time(17, 40)) + random.randrange(0, 3600)
        for day in days
        if random.random() > 0.04  # some forget
    ]
    older = _moment(days[0] - timedelta(days=2), time(18, 0))
    return Guest(ordinal=ordinal, staff=True, colours=((0, "green"),), sampled=(older, *sampled))


def _working_days(
    guest: Guest, days: tuple[date, ...], doors: int, random: Random
) -> Iterator[Arrival]:
    for day in days:
        starts = _moment(day, STAFF_FROM) + random.randrange(0, 2700)
        lunch = _moment(day, LUNCH) + random.randrange(0, 1200)
        goes_out = random.random() < 0.7
        ends = _moment(day, CLOSES) - random.randrange(0, 600)
        first_end = lunch if goes_out else ends
        yield _arrival(guest, starts, doors, random, stays=first_end - starts)
        if goes_out:
            back = lunch + random.randrange(1500, 3000)
            yield _arrival(guest, back, doors, random, stays=ends - back)


def _visitor(ordinal: int, at: int, random: Random) -> Guest:
    draw = random.random()
    colours: tuple[tuple[int, str], ...] = ((0, "green"),)
    if draw < 0.006:
        colours = ((0, "red"),)
    elif draw < 0.018:
        colours = ((0, "yellow"),)
    elif draw < 0.022:  # turns red in the two hours before coming
        colours = ((0, "green"), (at - random.randrange(600, 7200), "red"))
    age = random.choices(
        (random.randrange(3, 46), random.randrange(46, 51), random.randrange(51, 120)),
        weights=(88, 8, 4),
    )[0]
    sampled = () if random.random() < 0.01 else (at - age * 3600 - random.randrange(0, 3600),)
    return Guest(ordinal=ordinal, staff=False, colours=colours, sampled=sampled)


def _visit_time(day: date, random: Random) -> int:
    """Return when a visitor comes: most in the morning, few over lunch."""
    opens, closes = _moment(day, OPENS), _moment(day, CLOSES)
    morning, afternoon = opens + 5400, closes - 10_800
    middle = random.choices((morning, afternoon), weights=(3, 2))[0]
    at = int(random.gauss(middle, 4200))
    return at if opens <= at < closes - 1800 else random.randrange(opens, closes - 1800)


def _arrival(
    guest: Guest, at: int, doors: int, random: Random, *, stays: int | None = None
) -> Arrival:
    fever = random.random() < 0.004
    low, high = _FEVER if fever else _NORMAL
    usual = int(random.expovariate(1 / (_STAY_MINUTES_MEAN * 60))) + 180
    kinds = (Presents.CODE,) if guest.staff else tuple(Presents)
    weights = (1,) if guest.staff else (92, 6, 2)
    return Arrival(
        at=at,
        guest=guest.ordinal,
        door=random.randrange(doors),
        presents=random.choices(kinds, weights=weights)[0],
        tenths=random.randrange(low, high + 1),
        mask=random.random() > 0.01,
        symptoms=random.random() < 0.002,
        stays=min(usual, _STAY_MINUTES_MAX * 60) if stays is None else stays,
        scans_out=guest.staff or random.random() < 0.97,
    )
