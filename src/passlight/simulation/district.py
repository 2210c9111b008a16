"""The district of the demonstration: people, venues, feeds, a pack in force, one login a role.

``python -m passlight.simulation.district`` fills the installation's database by the ways that
everybody uses, lets its gate in, and prints the logins as JSON, last line. Run again, it only
prints them. What those who come to the gate need to know lies in ``$PASSLIGHT_HOME/demo.json``,
the logins in ``demo-logins.json`` beside it.
"""

import json
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from passlight.core.kernel.documents import DocumentType
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.places.venue import VenueClass
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.settings import Settings, read_settings
from passlight.simulation.calendar import iso, whole_minute
from passlight.simulation.feeds import FeedFile, Line, What, as_line, fact_of_event, make_feeds
from passlight.simulation.files import write_feed
from passlight.simulation.histories import LISTED, Event
from passlight.simulation.office_access import set_up_office
from passlight.simulation.population import Resident, age_on
from passlight.simulation.venues import VenuePlan
from passlight.simulation.world import World, make_world

PEOPLE, DAYS, SEED = 400, 20, 310118
PASSWORD = "passlight-demo"  # noqa: S105  # of the demonstration, shown to everybody
PACK = "qingpu-2022-05"  # the plan of the second seed: tests of 48 hours, isolation
WALKERS = 12
# Which of the walkers is not simply let in, by number.
FROM_A_LISTED_AREA, CONFIRMED, FEVERISH, TESTED_LONG_AGO, NEVER_TESTED, WITH_CARD = (
    3,
    5,
    6,
    8,
    10,
    12,
)
TESTS_LAST = timedelta(hours=12)  # then everybody but these two is tested again
LONG_AGO_HOURS = 60  # more than the 48 of the district's plan
FEVER_TENTHS = 384
GREEN, YELLOW, RED = "resident-green", "resident-yellow", "resident-red"
# A demonstration has few people: its agencies publish once a day or less.
PUBLISHES_EVERY = {
    "cdc": timedelta(days=2),
    "laboratory": timedelta(days=1),
    "street": timedelta(days=4),
    "transport": timedelta(days=2),
    "commission": timedelta(days=10),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoLogin:
    """A login of the demonstration: a resident's document, or the page to look at first."""

    username: str
    role: str
    password: str = PASSWORD
    document: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walker:
    """Somebody who comes to the gate; ``card``: without a phone, with an identity card.

    ``tenths``: so warm, in tenths of a degree; 0 is somebody of no fever.
    """

    name: str
    card: str = ""
    tenths: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDoor:
    """The door at which the gate stands, who comes to it, and the poster at the other one."""

    venue: str
    entrance: str
    venue_token: str
    walkers: tuple[Walker, ...]
    password: str = PASSWORD


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The residents who have a login, by user name."""

    named: dict[str, Resident]
    walkers: dict[str, Resident]


def demo_world(now: datetime) -> tuple[World, Cast]:
    """Return the district with its named residents, whose facts are certain whatever the day."""
    world = make_world(people=PEOPLE, days=DAYS, seed=SEED, at=now)
    started = world.period.starts_at.date()
    busy = {event.subject for event in world.events if event.kind != "lab.result"}
    adults = [
        resident
        for resident in world.population.residents
        if 20 <= age_on(resident, started) <= 55
        and resident.document.type is DocumentType.RESIDENT_ID
        and resident.key not in busy
    ]
    names = (GREEN, YELLOW, RED)
    named = dict(zip(names, adults, strict=False))
    walkers = {f"walker-{n:02d}": adults[n + 2] for n in range(1, WALKERS + 1)}
    extra = _certain_facts(named, walkers, now=world.period.ends_at)
    untested = {walkers[f"walker-{n:02d}"].key for n in (TESTED_LONG_AGO, NEVER_TESTED)}
    known = (e for e in world.events if e.kind != "lab.result" or e.subject not in untested)
    events = sorted([*known, *extra], key=lambda event: event.known_at)
    return replace(world, events=events), Cast(named=named, walkers=walkers)


def demo_door(world: World) -> VenuePlan:
    """Return the venue at whose door the gate stands: the first service hall."""
    return next(plan for plan in world.venues if plan.venue.kind is VenueClass.HALL)


def _certain_facts(
    named: dict[str, Resident], walkers: dict[str, Resident], *, now: datetime
) -> list[Event]:
    hour = timedelta(hours=1)
    events = [
        _tested(named[GREEN], sampled_at=now - 9 * hour),
        _arrived(named[YELLOW], arrived_at=now - 70 * hour),
        _tested(named[YELLOW], sampled_at=now - 30 * hour),
        _confirmed(named[RED], confirmed_at=now - 20 * hour),
    ]
    coming = [*walkers.values()]
    events += _walkers_tests(walkers, now=now)
    events.append(_tested(coming[TESTED_LONG_AGO - 1], sampled_at=now - LONG_AGO_HOURS * hour))
    events.append(_arrived(coming[FROM_A_LISTED_AREA - 1], arrived_at=now - 40 * hour))
    events.append(_confirmed(coming[CONFIRMED - 1], confirmed_at=now - 6 * hour))
    return events


def _walkers_tests(walkers: dict[str, Resident], *, now: datetime) -> list[Event]:
    return [
        _tested(person, sampled_at=now - timedelta(hours=6 + n))
        for n, person in enumerate(walkers.values(), start=1)
        if n not in {TESTED_LONG_AGO, NEVER_TESTED}
    ]


def later_tests(cast: Cast, *, now: datetime) -> FeedFile:
    """Return what the laboratory sends on a later day: else nobody would get in any more."""
    at = whole_minute(now)
    people = {person.key: person for person in (cast.named[GREEN], *cast.walkers.values())}
    events = _walkers_tests(cast.walkers, now=at)
    events.append(_tested(cast.named[GREEN], sampled_at=at - timedelta(hours=9)))
    lines = []
    for event in events:
        document = people[event.subject].document
        subject = {"type": document.type.value, "number": document.number}
        fact_id = f"laboratory:{event.payload['sample_id']}"
        fact = {**fact_of_event(event, fact_id), "subject": subject}
        lines.append(Line(text=as_line(fact), what=What.TRUE, fact_id=fact_id))
    return FeedFile(
        name=f"{at:%Y%m%dT%H%M}-laboratory-demo.jsonl",
        source="laboratory",
        published_at=at,
        lines=tuple(lines),
    )


def tests_are_old(settings: Settings, *, now: datetime) -> bool:
    """Return whether those who come to the gate need new tests before they are refused."""
    try:
        made = datetime.fromisoformat(last_tests_file(settings).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return True
    return now - made > TESTS_LAST


def _tested(person: Resident, *, sampled_at: datetime) -> Event:
    reported_at = sampled_at + timedelta(hours=5)
    return Event(
        source="laboratory",
        kind="lab.result",
        subject=person.key,
        occurred_at=reported_at,
        known_at=reported_at + timedelta(minutes=20),
        payload={
            "sample_id": f"demo-{person.number}-{sampled_at:%m%d%H%M}",
            "sampled_at": iso(sampled_at),
            "reported_at": iso(reported_at),
            "value": "neg",
        },
    )


def _arrived(person: Resident, *, arrived_at: datetime) -> Event:
    return Event(
        source="transport",
        kind="travel.arrived",
        subject=person.key,
        occurred_at=arrived_at,
        known_at=arrived_at + timedelta(hours=3),
        payload={
            "from_area": LISTED.code,
            "left_at": iso(arrived_at - timedelta(hours=5)),
            "arrived_at": iso(arrived_at),
            "via": "rail",
        },
    )


def _confirmed(person: Resident, *, confirmed_at: datetime) -> Event:
    return Event(
        source="cdc",
        kind="case.confirmed",
        subject=person.key,
        occurred_at=confirmed_at,
        known_at=confirmed_at + timedelta(hours=2),
        payload={"case_id": f"demo-{person.number}"},
    )


def walkers_of(cast: Cast) -> tuple[Walker, ...]:
    """Return who comes to the gate, and what is particular about them."""
    return tuple(
        Walker(
            name=name,
            card=person.document.number if number == WITH_CARD else "",
            tenths=FEVER_TENTHS if number == FEVERISH else 0,
        )
        for number, (name, person) in enumerate(cast.walkers.items(), start=1)
    )


def door_file(settings: Settings) -> Path:
    """Return where those who come to the gate find what they need."""
    return settings.home / "demo.json"


def read_door(path: Path) -> DemoDoor:
    """Return what the district left for its gate and those who come to it.

    Raises:
        FileNotFoundError: the district was never seeded.
        ProblemError: it was seeded by an earlier version.
    """
    said = json.loads(path.read_text(encoding="utf-8"))
    try:
        return DemoDoor(**{**said, "walkers": tuple(Walker(**one) for one in said["walkers"])})
    except (KeyError, TypeError) as error:
        raise ProblemError(
            Problem(
                code="simulation.old-district",
                message=f"The simulated district in {path.parent} is of an earlier version.",
                remedy=f"Begin anew: rm -r {path.parent}",
            )
        ) from error


def logins_file(settings: Settings) -> Path:
    """Return where the logins are kept, so that another start need not ask the database."""
    return settings.home / "demo-logins.json"


def last_tests_file(settings: Settings) -> Path:
    """Return where the moment of the last tests is kept."""
    return settings.home / "demo-tests.txt"


def write_private(path: Path, value: Any) -> None:
    """Write JSON that only this user may read; the file is whole or not there."""
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    draft.replace(path)


def write_demo_feeds(world: World, folder: Path) -> list[Path]:
    """Write the feed files of the demonstration and return them in order of publication."""
    documents = {person.key: person.document for person in world.population.residents}
    files = make_feeds(
        world.events,
        documents,
        period=world.period,
        seed=world.seed,
        publishes_every=PUBLISHES_EVERY,
    )
    return [write_feed(file, folder) for file in files]


def main() -> int:
    """Fill the database unless it is filled, print the logins."""
    settings = read_settings()
    clock, entropy = SystemClock(), SystemEntropy()
    try:
        set_up_office()
        from passlight.simulation.district_intake import seed_demo  # its models need Django

        with tempfile.TemporaryDirectory() as folder:
            logins = seed_demo(clock, entropy, settings=settings, folder=Path(folder))
    except ProblemError as error:
        print(error, file=sys.stderr)  # noqa: T201  # a command
        return 1
    print(json.dumps([asdict(login) for login in logins], ensure_ascii=False))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
