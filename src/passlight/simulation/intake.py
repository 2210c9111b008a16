"""The simulated district entered into an installation, by the ways that everybody uses.

Needs Django (``office_access``). Entering the same district again changes nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.office.accounts.actions import add_unit
from passlight.office.accounts.models import Unit, UnitKind
from passlight.office.feeds.actions import Delivery, land, receive_file
from passlight.office.people.actions import register_people
from passlight.office.people.identity import NewPerson
from passlight.office.people.models import Person
from passlight.office.venues.actions import VenueDetails, register_venue, set_activity
from passlight.office.venues.models import Venue
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.simulation.population import Resident, UnitPlan
from passlight.simulation.venues import VenuePlan
from passlight.simulation.world import World

PEOPLE_A_STEP = 2000
OUTCOMES = ("declared", "landed", "unchanged", "quarantined", "held")
Advance = Callable[[int], object]


def enter_world(world: World, folder: Path) -> dict[str, int]:
    """Register units, people and venues of ``world``, feed the files below ``folder``.

    Returns how many rows of the feeds landed, changed nothing and were put aside.

    Raises:
        ProblemError: when a file cannot be landed.
    """
    clock, entropy = SystemClock(), SystemEntropy()
    residents = world.population.residents
    with tqdm(total=len(residents), unit=" people", disable=None, leave=False) as bar:
        enter_people(residents, clock=clock, entropy=entropy, advance=bar.update)
    units = enter_units(world.population.units)
    enter_venues(world.venues, units, clock=clock, entropy=entropy)
    files = sorted((folder / "feeds").glob("*.jsonl"))
    with tqdm(total=len(files), unit=" files", disable=None, leave=False) as bar:
        return enter_feeds(files, clock=clock, advance=bar.update)


def enter_units(plans: Iterable[UnitPlan]) -> dict[str, Unit]:
    """Return the unit of each plan, adding those that are not there."""
    found: dict[str, Unit] = {}
    for plan in plans:
        parent = found.get(plan.parent)
        known = Unit.objects.filter(parent=parent, name=plan.name).first()
        found[plan.key] = known or add_unit(
            kind=UnitKind(plan.kind), name=plan.name, name_en=plan.name_en, parent=parent
        )
    return found


def enter_people(
    residents: Sequence[Resident],
    *,
    clock: Clock,
    entropy: Entropy,
    advance: Advance = lambda _done: None,
) -> dict[str, Person]:
    """Return the person of each resident, registering those who are not known."""
    people: dict[str, Person] = {}
    for first in range(0, len(residents), PEOPLE_A_STEP):
        step = residents[first : first + PEOPLE_A_STEP]
        new = [
            NewPerson(
                documents=(resident.document,),
                name=resident.name,
                phone=resident.phone,
                born_on=resident.born,
            )
            for resident in step
        ]
        registered = register_people(new, clock=clock, entropy=entropy)
        people |= {resident.key: person for resident, person in zip(step, registered, strict=True)}
        advance(len(step))
    return people


def enter_venues(
    plans: Iterable[VenuePlan], units: Mapping[str, Unit], *, clock: Clock, entropy: Entropy
) -> None:
    """Register and activate the venues that are not there."""
    known = set(Venue.objects.values_list("pk", flat=True))
    for plan in plans:
        venue = plan.venue
        if venue.id in known:
            continue
        details = VenueDetails(
            name=venue.name,
            name_en=venue.name_en,
            address=venue.address,
            kind=venue.kind,
            unit=units[plan.unit],
            freshness_seconds=venue.freshness_seconds,
        )
        row = register_venue(
            details, venue.entrances, actor=None, clock=clock, entropy=entropy, venue_id=venue.id
        )
        set_activity(row, active=venue.active, actor=None, clock=clock)


def enter_feeds(
    files: Iterable[Path], *, clock: Clock, advance: Advance = lambda _done: None
) -> dict[str, int]:
    """Feed the files in turn and return what became of all their rows.

    Raises:
        ProblemError: when a file cannot be landed.
    """
    total: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
    for path in files:
        delivery = Delivery(agency="jsonl", path=path, file_name=path.name)
        batch = land(receive_file(delivery, clock=clock), path, clock=clock)
        found = batch.reconciliation
        total.update({name: getattr(found, name) for name in OUTCOMES})
        advance(1)
    return dict(total)
