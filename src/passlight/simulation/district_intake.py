"""Fills an installation with the district of the demonstration. Needs Django."""

import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.contrib.auth.hashers import make_password

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.office.accounts.actions import NewUser, add_user
from passlight.office.accounts.models import Role, Unit, User
from passlight.office.halls.models import Hall
from passlight.office.packs.actions import publish_pack, store_pack
from passlight.office.packs.models import PackPublication
from passlight.office.people.models import Person
from passlight.office.venues.models import Entrance, Venue
from passlight.office.venues.poster_views import current_sheets
from passlight.runtime.packs import read_pack_folder, shipped_packs
from passlight.runtime.settings import Settings
from passlight.simulation.demo_gate import state_folder
from passlight.simulation.district import (
    GREEN,
    PACK,
    PASSWORD,
    RED,
    YELLOW,
    Cast,
    DemoDoor,
    DemoLogin,
    demo_door,
    demo_world,
    door_file,
    last_tests_file,
    later_tests,
    logins_file,
    read_door,
    tests_are_old,
    walkers_of,
    write_demo_feeds,
    write_private,
)
from passlight.simulation.files import write_feed
from passlight.simulation.gate_enrolment import enrol_gate
from passlight.simulation.halls import enter_duties, enter_halls, enter_plans, enter_staff
from passlight.simulation.intake import enter_feeds, enter_people, enter_units, enter_venues
from passlight.simulation.population import age_on
from passlight.simulation.world import World

WORKING_AGE = (20, 55)

# user name → role, key of the unit, what the person is called
_STAFF: dict[str, tuple[Role, str, str, str]] = {
    "checker": (Role.CHECKER, "town-1", "大厅门岗", "Hall door"),
    "operator": (Role.VENUE_OPERATOR, "town-1", "场所负责人", "Venue operator"),
    "clerk": (Role.COUNTER_CLERK, "town-1", "3号窗口", "Counter 3"),
    "guide": (Role.GUIDE, "town-1", "导服台", "Guide desk"),
    "manager": (Role.HALL_MANAGER, "town-1", "大厅负责人", "Hall manager"),
    "leader": (Role.DUTY_LEADER, "town-1", "值班领导", "Duty leader"),
    "street": (Role.STREET_OFFICE, "town-1", "街道防控办", "Street office"),
    "district": (Role.DISTRICT_OFFICE, "district", "区防控办", "District office"),
    "steward": (Role.STEWARD, "district", "数据管理员", "Data steward"),
    "auditor": (Role.AUDITOR, "district", "审计员", "Auditor"),
}
_SHOWN = (GREEN, YELLOW, RED, *_STAFF)
# user name → the page to look at first; {hall}: the hall at whose door the gate stands
_PAGES = {
    "checker": "/checker/",
    "operator": "/venues/",
    "clerk": "/people/find/",
    "guide": "/halls/places/{hall}/display/",
    "manager": "/gates/",
    "leader": "/incidents/isolation/",
    "street": "/incidents/street/",
    "district": "/incidents/overview/",
    "steward": "/feeds/",
    "auditor": "/people/access/",
}


def seed_demo(
    clock: Clock, entropy: Entropy, *, settings: Settings, folder: Path
) -> list[DemoLogin]:
    """Fill the database unless it is filled, and return one login a role.

    The door's file comes last, so a run that was killed is taken up again: every step
    leaves alone what is there.

    Raises:
        ProblemError: the district here is of an earlier version.
    """
    world, cast = demo_world(_first_moment(clock, settings))
    filled = User.objects.filter(username=_SHOWN[-1]).exists() and door_file(settings).exists()
    if not filled:
        _fill(world, cast, clock=clock, entropy=entropy, settings=settings, folder=folder)
        last_tests_file(settings).write_text(world.period.ends_at.isoformat(), encoding="utf-8")
    if tests_are_old(settings, now=clock.now()):
        _test_again(cast, folder, clock=clock)
        last_tests_file(settings).write_text(clock.now().isoformat(), encoding="utf-8")
    _let_gate_in(settings, clock=clock, entropy=entropy)
    hall = Hall.objects.get(venue_id=demo_door(world).venue.id)
    users = {user.username: user for user in User.objects.filter(username__in=_SHOWN)}
    documents = {name: resident.document.number for name, resident in cast.named.items()}
    logins = [
        DemoLogin(
            username=name,
            role=users[name].role,
            document=documents.get(name, ""),
            page=_PAGES.get(name, "").format(hall=hall.pk),
        )
        for name in _SHOWN
        if name in users
    ]
    write_private(logins_file(settings), [asdict(login) for login in logins])
    return logins


def _fill(
    world: World,
    cast: Cast,
    *,
    clock: Clock,
    entropy: Entropy,
    settings: Settings,
    folder: Path,
) -> None:
    units = enter_units(world.population.units)
    _publish(clock)
    people = enter_people(world.population.residents, clock=clock, entropy=entropy)
    _say(f"{len(people)} people")
    _add_users(cast, units, people, clock=clock, entropy=entropy)
    enter_plans(units, clock=clock, entropy=entropy)
    enter_venues(world.venues, units, clock=clock, entropy=entropy)
    _open_halls(world, cast, units, clock=clock, entropy=entropy)
    files = write_demo_feeds(world, folder)
    rows = enter_feeds(files, clock=clock)
    _say(f"{len(world.venues)} venues, {len(files)} files, {rows['landed']} facts")
    _write_door(world, cast, settings)


def _open_halls(
    world: World, cast: Cast, units: dict[str, Unit], *, clock: Clock, entropy: Entropy
) -> None:
    """Give the halls zones, a duty roster, and staff to the one at whose door we stand."""
    enter_halls(world.venues, units, clock=clock, entropy=entropy)
    users = {user.username: user for user in User.objects.filter(username__in=_STAFF)}
    enter_duties(users, units, clock=clock)
    named = {resident.key for resident in (*cast.named.values(), *cast.walkers.values())}
    adults = (
        resident
        for resident in world.population.residents
        if resident.key not in named
        and WORKING_AGE[0] <= age_on(resident, world.period.starts_at.date()) <= WORKING_AGE[1]
    )
    enter_staff(demo_door(world), adults, actor=users["manager"], clock=clock)


def _first_moment(clock: Clock, settings: Settings) -> datetime:
    """Return the moment of the first run: a killed one is continued with the same district."""
    path = settings.home / "demo-at.txt"
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.write_text(clock.now().isoformat(), encoding="utf-8")
        draft.replace(path)
    return datetime.fromisoformat(path.read_text(encoding="utf-8"))


def _publish(clock: Clock) -> None:
    if PackPublication.objects.exists():
        return
    stored = store_pack(read_pack_folder(shipped_packs() / PACK), user=None, clock=clock)
    publish_pack(stored, effective_from=stored.effective_from, user=None, clock=clock)


def _add_users(
    cast: Cast,
    units: dict[str, Unit],
    people: dict[str, Person],
    *,
    clock: Clock,
    entropy: Entropy,
) -> None:
    known = set(User.objects.values_list("username", flat=True))
    hashed = make_password(PASSWORD)  # one for all: a slow hash for each would fill the wait
    new = [
        NewUser(
            username=name,
            password=PASSWORD,
            password_hash=hashed,
            role=role,
            unit=units[unit],
            display_name=shown,
            display_name_en=shown_en,
        )
        for name, (role, unit, shown, shown_en) in _STAFF.items()
    ]
    new += [
        NewUser(
            username=name,
            password=PASSWORD,
            password_hash=hashed,
            role=Role.RESIDENT,
            unit=units[resident.village],
            display_name=resident.name,
            display_name_en=resident.name_en,
            person=people[resident.key],
        )
        for name, resident in {**cast.named, **cast.walkers}.items()
    ]
    for user in new:
        if user.username not in known:
            add_user(user, clock=clock, entropy=entropy)


def _test_again(cast: Cast, folder: Path, *, clock: Clock) -> None:
    file = later_tests(cast, now=clock.now())
    rows = enter_feeds([write_feed(file, folder)], clock=clock)
    _say(f"{rows['landed']} new tests")


def _write_door(world: World, cast: Cast, settings: Settings) -> None:
    plan = demo_door(world)
    guarded, other = plan.venue.entrances
    venue = Venue.objects.select_related("unit").get(pk=plan.venue.id)
    (sheet,) = current_sheets(venue, entrance=other.code)
    door = DemoDoor(
        venue=str(venue.pk),
        entrance=guarded.code,
        venue_token=sheet.url.rpartition("/")[2],
        walkers=walkers_of(cast),
    )
    write_private(door_file(settings), asdict(door))


def _let_gate_in(settings: Settings, *, clock: Clock, entropy: Entropy) -> None:
    """Let the hall's gate in: the hall manager makes its token, the street office confirms it."""
    door = read_door(door_file(settings))
    enrol_gate(
        Entrance.objects.select_related("venue__unit").get(
            venue_id=UUID(door.venue), code=door.entrance
        ),
        state_folder(settings),
        first=User.objects.get(username="manager"),
        second=User.objects.get(username="street"),
        clock=clock,
        entropy=entropy,
    )


def _say(words: str) -> None:
    print(f"  {words}", file=sys.stderr, flush=True)  # noqa: T201  # a command's progress
