"""Who lives in the district: units, households, people. A pure function of size and seed."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from passlight.core.kernel.documents import Document
from passlight.simulation.documents import DocumentSerials, phone_number
from passlight.simulation.names import TOWNS, VILLAGES, draw_family, draw_name

CHILD_AGE_MAX = 17
RETIRED_AGE_MIN = 62
PEOPLE_A_TOWN = 2500
PEOPLE_A_VILLAGE = 300
PASSPORT_SHARE = 0.01
# Share of households of 1, 2, 3, 4, 5 people. Invented; near a Chinese town's in shape.
HOUSEHOLD_SIZES = (1, 2, 3, 4, 5)
HOUSEHOLD_WEIGHTS = (22, 30, 24, 14, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPlan:
    """A unit of the district; ``parent`` is another unit's key, empty for the district."""

    key: str
    parent: str
    kind: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """A fictional person."""

    number: int
    key: str
    name: str
    name_en: str
    document: Document
    phone: str
    born: date
    household: int
    village: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Units and residents, in a fixed order."""

    units: tuple[UnitPlan, ...]
    residents: tuple[Resident, ...]

    @property
    def towns(self) -> tuple[UnitPlan, ...]:
        """Return the towns and streets."""
        return tuple(unit for unit in self.units if unit.kind == "town")

    @property
    def villages(self) -> tuple[UnitPlan, ...]:
        """Return the villages."""
        return tuple(unit for unit in self.units if unit.kind == "village")

    def households(self) -> list[list[Resident]]:
        """Return the residents, household by household."""
        found: list[list[Resident]] = []
        for resident in self.residents:
            if resident.household == len(found):
                found.append([])
            found[resident.household].append(resident)
        return found


def subject_key(number: int) -> str:
    """Return the stable key under which agencies send facts of resident ``number``."""
    return f"sim:{number:07d}"


def plan_units(people: int) -> tuple[UnitPlan, ...]:
    """Return the tree: one district, two branches, towns and streets, villages."""
    towns = min(len(TOWNS), max(2, people // PEOPLE_A_TOWN))
    villages = min(len(VILLAGES), max(2, people // (towns * PEOPLE_A_VILLAGE)))
    units = [
        UnitPlan(
            key="district", parent="", kind="district", name="青屿区", name_en="Qingyu District"
        ),
        UnitPlan(
            key="branch-1", parent="district", kind="branch", name="东片", name_en="East Branch"
        ),
        UnitPlan(
            key="branch-2", parent="district", kind="branch", name="西片", name_en="West Branch"
        ),
    ]
    for t, (name, name_en) in enumerate(TOWNS[:towns], 1):
        branch = f"branch-{1 + (t - 1) % 2}"
        units.append(
            UnitPlan(key=f"town-{t}", parent=branch, kind="town", name=name, name_en=name_en)
        )
        for v in range(villages):
            village, english = VILLAGES[(v + t - 1) % len(VILLAGES)]
            units.append(
                UnitPlan(
                    key=f"village-{t}-{v + 1}",
                    parent=f"town-{t}",
                    kind="village",
                    name=village,
                    name_en=f"{english} Village",
                )
            )
    return tuple(units)


def make_population(*, people: int, seed: int, on: date) -> Population:
    """Return ``people`` residents in households, all born before ``on``."""
    random = Random(f"passlight population {seed}")
    units = plan_units(people)
    villages = [unit.key for unit in units if unit.kind == "village"]
    serials = DocumentSerials()
    residents: list[Resident] = []
    household = 0
    while len(residents) < people:
        size = random.choices(HOUSEHOLD_SIZES, HOUSEHOLD_WEIGHTS)[0]
        village = random.choice(villages)
        family = draw_family(random)
        for place, age in enumerate(_ages(random, size)[: people - len(residents)]):
            # The second adult keeps a family name of their own, as is the custom.
            own = draw_family(random) if place == 1 else family
            name, name_en = draw_name(random, own)
            born = on - timedelta(days=age * 365 + random.randrange(365) + 1)
            foreign = random.random() < PASSPORT_SHARE
            number = len(residents) + 1
            residents.append(
                Resident(
                    number=number,
                    key=subject_key(number),
                    name=name,
                    name_en=name_en,
                    document=serials.passport() if foreign else serials.resident_id(born),
                    phone=phone_number(number),
                    born=born,
                    household=household,
                    village=village,
                )
            )
        household += 1
    return Population(units=units, residents=tuple(residents))


def age_on(resident: Resident, day: date) -> int:
    """Return the age in whole years."""
    had_birthday = (day.month, day.day) >= (resident.born.month, resident.born.day)
    return day.year - resident.born.year - (0 if had_birthday else 1)


def _ages(random: Random, size: int) -> list[int]:
    """Return the ages of one household: an adult first, then a partner, children, elders."""
    if random.random() < 0.25:  # a household of old people
        return [random.randint(RETIRED_AGE_MIN, 92) for _ in range(min(size, 2))] + [
            random.randint(30, 60) for _ in range(max(0, size - 2))
        ]
    adult = random.randint(20, 60)
    ages = [adult]
    if size > 1:
        ages.append(max(20, adult + random.randint(-6, 6)))
    for _ in range(size - 2):
        elder = adult > 30 and random.random() < 0.3
        ages.append(
            min(95, adult + random.randint(24, 34)) if elder else random.randint(0, CHILD_AGE_MAX)
        )
    return ages
