"""The closed loop: facts known so far give colours, colours gate movement, movement infects.

One day at a time. What arrives on a day is known before anybody moves on it; a door asks for
the colour at the minute somebody stands before it, as known to that door. People whose code is
not green mostly stay away; the others are refused where there is a door.
"""

import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from passlight.core.exposure.parameters import TracingParameters
from passlight.core.facts.fact import Fact
from passlight.core.kernel.colour import Colour
from passlight.core.rules.pack import Pack
from passlight.simulation.outbreak.city_pack import city_pack
from passlight.simulation.outbreak.colours import Answer, Colours, PersonColours
from passlight.simulation.outbreak.doors import Doors, admits, phone_knows
from passlight.simulation.outbreak.draws import Ints
from passlight.simulation.outbreak.happenings import Events
from passlight.simulation.outbreak.hours import DAY, HOUR, MINUTE, second_of
from passlight.simulation.outbreak.infection import NEVER, Disease, infections_of_day
from passlight.simulation.outbreak.intake import Intake
from passlight.simulation.outbreak.lists import PublishedList, RiskArea, lists_of_day, make_areas
from passlight.simulation.outbreak.movement import (
    DAY_MINUTES,
    DayVisits,
    home_from,
    visits_of_day,
)
from passlight.simulation.outbreak.senders import Senders
from passlight.simulation.outbreak.setting import Setting
from passlight.simulation.outbreak.town import Place, Town, make_town, person_of
from passlight.simulation.outbreak.tracing import Tracing
from passlight.simulation.outbreak.visit_store import VisitStore

NOON = 12 * HOUR
PLAIN_RECEIPT_SHARE = 0.01
Areas = tuple[tuple[RiskArea, ...], ...]
IN_MEMORY_PEOPLE = 20_000


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one door answered, and from what knowledge: enough to reproduce it bit by bit."""

    person: int
    venue: int
    at: int
    known: int
    admitted: bool
    answer: Answer


@dataclass(slots=True, kw_only=True)
class Outbreak:
    """One finished world: the truth, what was sent, what the product made of it."""

    setting: Setting
    pack: Pack
    town: Town
    disease: Disease
    events: Events
    senders: Senders
    intake: Intake
    colours: Colours
    tracing: Tracing
    store: VisitStore
    doors: Doors
    folder: Path
    facts: list[Fact] = field(default_factory=list)
    lists: list[PublishedList] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    #: Verdicts about people of whom nothing is known, by colour; and one in a hundred of them.
    plain: Counter[Colour] = field(default_factory=Counter)
    verdicts: Counter[Colour] = field(default_factory=Counter)
    #: (person, day) → colour at noon, for the watched of whom something is known.
    noons: dict[tuple[int, int], Colour] = field(default_factory=dict)
    new_by_day: list[int] = field(default_factory=list)
    stayed_away: int = 0
    #: Of whom something is known, by person; and whom the register does not know.
    marked: NDArray[np.bool_]
    visitors: Ints
    #: Whose verdicts and noons are kept and checked: everybody's in a small world.
    watched: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of the product that a world runs on; a test puts a broken one in their place."""

    colours: Callable[[Pack, Town], Colours] = PersonColours
    intake: Callable[..., Intake] = Intake
    tracing: Callable[..., Tracing] = Tracing
    door: Callable[[Colours, int, int, int], Answer] | None = None
    parameters: TracingParameters = field(default_factory=TracingParameters)


Progress = Callable[[int], object]


def run_outbreak(
    setting: Setting,
    folder: Path,
    *,
    parts: Parts | None = None,
    progress: Progress | None = None,
) -> Outbreak:
    """Return the world of ``setting`` after its last day; its facts file lies in ``folder``."""
    parts = parts or Parts()
    with ExitStack() as stack:
        world = _begin(setting, folder, parts, stack)
        areas = make_areas(world.town.draws, setting.days)
        for day in range(setting.days):
            _day(world, parts, areas, day)
            if progress is not None:
                progress(1)
    return world


def _begin(setting: Setting, folder: Path, parts: Parts, stack: ExitStack) -> Outbreak:
    town = make_town(people=setting.people, seed=setting.seed)
    disease = Disease(town.draws, town.people)
    pack = city_pack(setting.pack)
    large = setting.people > IN_MEMORY_PEOPLE
    aside = Path(tempfile.mkdtemp(prefix="world-", dir=folder)) if large else None
    senders = Senders(
        town.draws,
        people=town.people,
        days=setting.days,
        folder=aside,
        watched=setting.watches,
    )
    store = VisitStore(town.draws, aside)
    return Outbreak(
        setting=setting,
        pack=pack,
        town=town,
        disease=disease,
        events=Events(town, disease, senders, make_areas(town.draws, setting.days)),
        senders=senders,
        intake=stack.enter_context(parts.intake(folder, last_second=setting.last_second)),
        colours=parts.colours(pack, town),
        tracing=parts.tracing(
            town,
            store,
            senders,
            parameters=parts.parameters,
            is_true=lambda person: bool(disease.infected_at[person] != NEVER),
        ),
        store=store,
        doors=Doors(town.draws),
        folder=folder,
        marked=np.zeros(town.people, np.bool_),
        visitors=town.visitors(),
        watched=np.fromiter(map(setting.watches, range(town.people)), np.bool_, town.people),
    )


def _day(world: Outbreak, parts: Parts, areas: Areas, day: int) -> None:
    world.events.plan(day)
    _learn(world, areas, day)
    world.tracing.run(day)
    # What tracing found today, and what it takes back today.
    _take_in(world, world.intake.land(world.senders.arriving(day)))
    _look_at_noon(world, day)
    going = visits_of_day(world.town, day, chunk=world.setting.chunk)
    going = _at_large(world, going, day)
    at_doors = world.town.zones.kind[going.zone] != Place.PARK
    allowed = _through_doors(world, parts, going, at_doors, day)
    going, at_doors = going.take(allowed), at_doors[allowed]
    world.store.record(day, going, at_doors=at_doors)
    inside = _in_town(world, np.arange(world.town.people), day * DAY + 18 * HOUR)
    home = np.where(inside, home_from(world.town, going), DAY_MINUTES).astype(np.int32)
    found = infections_of_day(world.town, world.disease, day, going, home_from=home)
    for one in found:
        world.events.infected(one)
    world.new_by_day.append(len(found))


def _learn(world: Outbreak, areas: Areas, day: int) -> None:
    lists = lists_of_day(world.town.draws, areas, day, world.setting.days)
    for published in sorted(lists, key=lambda one: (one.arrives, one.publisher)):
        world.lists.append(published)
        _take_in(world, world.intake.land_list(published))
    _take_in(world, world.intake.land(world.senders.arriving(day)))


def _take_in(world: Outbreak, facts: list[Fact]) -> None:
    world.facts += facts
    world.colours.learn(facts)
    world.tracing.follow(facts)
    for fact in facts:
        if not fact.about_person:
            continue
        person = person_of(fact.subject)
        world.marked[person] = True
        if fact.kind == "exposure.derived" and fact.ver == 1:
            world.events.contact_found(person, second_of(fact.recorded_at) // DAY)


def _look_at_noon(world: Outbreak, day: int) -> None:
    """Note the colours at noon, as a door with a line would have them."""
    noon = day * DAY + NOON
    for person in np.flatnonzero(world.marked & world.watched).tolist():
        world.noons[person, day] = world.colours.colour(person, noon, phone_knows(noon))


def _in_town(world: Outbreak, people: Ints, seconds: Ints | int) -> NDArray[np.bool_]:
    """Return whether each is in the town then, neither in hospital nor isolated as a case."""
    events = world.events
    away = (events.away_from[people] <= seconds) & (seconds < events.away_until[people])
    return ~away


def _at_large(world: Outbreak, going: DayVisits, day: int) -> DayVisits:
    """Return the visits of those who can and want to go out."""
    seconds = day * DAY + going.start.astype(np.int64) * MINUTE
    free = _in_town(world, going.person.astype(np.int64), seconds)
    return going.take(free & ~world.events.stays_home(day)[going.person])


def _through_doors(
    world: Outbreak, parts: Parts, going: DayVisits, at_doors: NDArray[np.bool_], day: int
) -> NDArray[np.bool_]:
    """Return which of the visits happen: nobody stayed away, and no door refused."""
    seconds = day * DAY + going.start.astype(np.int64) * MINUTE
    venues = world.town.zones.venue[going.zone].astype(np.int64)
    known = world.doors.known_at(venues, seconds)
    marked = world.marked[going.person]
    allowed = np.ones(len(going), np.bool_)
    _plain_verdicts(
        world, going.person[~marked & at_doors], venues, seconds, known, ~marked & at_doors
    )
    rows = np.flatnonzero(marked)
    for row in rows[np.lexsort((going.person[rows], seconds[rows]))].tolist():
        person, at = int(going.person[row]), int(seconds[row])
        if _keeps_away(world, person, at, day):
            allowed[row] = False
            world.stayed_away += 1
        elif at_doors[row]:
            colour = _verdict(world, parts, person, int(venues[row]), at, int(known[row]))
            allowed[row] = admits(colour) or not world.setting.gates
    return allowed


def _keeps_away(world: Outbreak, person: int, at: int, day: int) -> bool:
    """Return whether somebody whose phone shows no green stays at home, as most do."""
    if not world.setting.gates or admits(world.colours.colour(person, at, phone_knows(at))):
        return False
    return world.town.draws.chance(world.setting.obeys, "obeys", person, day)


def _verdict(world: Outbreak, parts: Parts, person: int, venue: int, at: int, known: int) -> Colour:
    if not world.watched[person]:
        colour = world.colours.colour(person, at, known)
    else:
        ask = parts.door or _ask
        answer = ask(world.colours, person, at, known)
        colour = answer.colour
        world.receipts.append(Receipt(person, venue, at, known, admits(colour), answer))
    world.verdicts[colour] += 1
    return colour


def _ask(colours: Colours, person: int, at: int, known: int) -> Answer:
    return colours.answer(person, at, known)


def _plain_verdicts(
    world: Outbreak,
    people: NDArray[np.int32],
    venues: Ints,
    seconds: Ints,
    known: Ints,
    which: NDArray[np.bool_],
) -> None:
    """Count the verdicts about people of whom nothing is known, and keep one in a hundred."""
    venues, seconds, known = venues[which], seconds[which], known[which]
    visitors = np.isin(people, world.visitors)
    for identified in (True, False):
        own = visitors != identified
        for colour, count in world.colours.plain(
            seconds[own], known[own], identified=identified
        ).items():
            world.plain[colour] += count
            world.verdicts[colour] += count
    kept = world.town.draws.each("plain receipt", people, seconds) < PLAIN_RECEIPT_SHARE
    kept &= world.watched[people]
    for person, venue, at, knows in zip(
        people[kept].tolist(),
        venues[kept].tolist(),
        seconds[kept].tolist(),
        known[kept].tolist(),
        strict=True,
    ):
        answer = world.colours.answer(person, at, knows)
        world.receipts.append(Receipt(person, venue, at, knows, admits(answer.colour), answer))
