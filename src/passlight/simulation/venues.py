"""The venues of the district and their entrances."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from uuid import UUID, uuid5

from passlight.core.places.venue import Entrance, Venue, VenueClass
from passlight.simulation.population import Population, UnitPlan

NAMESPACE = UUID("b8a5f6de-2d7c-5c41-9d0e-7f0a1c33e501")
_ONE_A_TOWN = (VenueClass.HALL, VenueClass.HOSPITAL, VenueClass.SCHOOL, VenueClass.TRANSPORT)
_BY_PEOPLE = {VenueClass.MALL: 400, VenueClass.OFFICE: 250}  # so many people make one more

_DOOR = Entrance(code="main", name="正门", name_en="Main entrance")
_DOORS: dict[VenueClass, tuple[Entrance, ...]] = {
    VenueClass.HALL: (
        Entrance(code="main", zone="hall", name="正门", name_en="Main entrance"),
        Entrance(code="east", zone="hall", name="东门", name_en="East entrance"),
    ),
    VenueClass.HOSPITAL: (
        Entrance(code="opd", zone="opd", name="门诊入口", name_en="Outpatients"),
        Entrance(code="fever", zone="fever", name="发热门诊", name_en="Fever clinic"),
        Entrance(code="ward", zone="ward", name="住院部", name_en="Wards"),
    ),
    VenueClass.MALL: (
        Entrance(code="north", zone="f1", name="北门", name_en="North entrance"),
        Entrance(code="south", zone="f1", name="南门", name_en="South entrance"),
    ),
    VenueClass.TRANSPORT: (
        Entrance(code="in", name="进站口", name_en="Way in"),
        Entrance(code="out", name="出站口", name_en="Way out"),
    ),
}
_NAMES = {
    VenueClass.HALL: ("政务服务大厅", "Government Service Hall"),
    VenueClass.HOSPITAL: ("社区卫生服务中心", "Community Health Centre"),
    VenueClass.SCHOOL: ("学校", "School"),
    VenueClass.MALL: ("集贸市场", "Market"),
    VenueClass.OFFICE: ("产业园", "Business Park"),
    VenueClass.TRANSPORT: ("客运站", "Coach Station"),
    VenueClass.HOUSING: ("居民点", "Housing Estate"),
    VenueClass.PARK: ("公园", "Park"),
    VenueClass.CHECKPOINT: ("道口检查站", "Road Checkpoint"),
}
_VILLAGE_HALL = ("便民服务站", "Service Station")


@dataclass(frozen=True, slots=True, kw_only=True)
class VenuePlan:
    """A venue and the unit that answers for it."""

    venue: Venue
    unit: str


def make_venues(population: Population, *, seed: int) -> tuple[VenuePlan, ...]:
    """Return the venues: of each class one a town, shops and offices by the number of people."""
    towns, people = population.towns, len(population.residents)
    random = Random(f"passlight venues {seed}")
    plans: list[VenuePlan] = []
    for town in towns:
        short, short_en = _short(town)
        names = [(kind, short, short_en) for kind in _ONE_A_TOWN]
        for kind, share in _BY_PEOPLE.items():
            number = max(1, people // (share * len(towns)))
            names += [(kind, f"{short}第{n}", f"{short_en} No. {n}") for n in range(1, number + 1)]
        plans += [_plan(random, seed, town.key, *name) for name in names]
    for village in population.villages:
        town = next(unit for unit in towns if unit.key == village.parent)
        short, short_en = _short(town)
        plans.append(
            _plan(
                *(random, seed, village.key, VenueClass.HOUSING),
                *(short + village.name, f"{short_en} {village.name_en}"),
            )
        )
    plans += _other_places(random, seed, population)
    return tuple(plans)


def _other_places(random: Random, seed: int, population: Population) -> Iterator[VenuePlan]:
    """Yield the halls of the other three levels, the parks and the checkpoints.

    Nobody's habits lead there, so they come last: the visits of a district stay as they were.
    """
    for unit in population.units:
        if unit.kind in {"district", "branch"}:
            yield _plan(random, seed, unit.key, VenueClass.HALL, unit.name, unit.name_en)
        if unit.kind == "branch":
            yield _plan(random, seed, unit.key, VenueClass.CHECKPOINT, unit.name, unit.name_en)
        if unit.kind == "town":
            yield _plan(random, seed, unit.key, VenueClass.PARK, *_short(unit))
    towns = {town.key: _short(town) for town in population.towns}
    for village in population.villages:
        short, short_en = towns[village.parent]
        yield _plan(
            *(random, seed, village.key, VenueClass.HALL),
            *(short + village.name, f"{short_en} {village.name_en}"),
            word=_VILLAGE_HALL,
        )


def _plan(
    random: Random,
    seed: int,
    unit: str,
    kind: VenueClass,
    prefix: str,
    prefix_en: str,
    *,
    word: tuple[str, str] | None = None,
) -> VenuePlan:
    ending, ending_en = word or _NAMES[kind]
    name = prefix + ending
    return VenuePlan(
        unit=unit,
        venue=Venue(
            id=uuid5(NAMESPACE, f"{seed}/{unit}/{name}"),
            name=name,
            name_en=f"{prefix_en} {ending_en}",
            address=f"青屿区{prefix}路{random.randint(1, 400)}号",
            kind=kind,
            freshness_seconds=kind.freshness_seconds,
            active=True,
            entrances=_DOORS.get(kind, (_DOOR,)),
        ),
    )


def _short(town: UnitPlan) -> tuple[str, str]:
    return town.name.removesuffix("街道").removesuffix("镇"), town.name_en.split()[0]
