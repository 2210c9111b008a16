"""A small town for browser tests: users of each role, four people, one venue. Prints JSON.

Run inside an installation as the owner: ``python tests/browser/district.py``. All invented;
region 999999 is nobody's, the check digits are right (GB 11643).
"""

import json
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import django

django.setup()

from passlight.core.kernel.documents import read_document  # noqa: E402
from passlight.core.places.venue import Entrance as Door  # noqa: E402
from passlight.core.places.venue import VenueClass  # noqa: E402
from passlight.office.accounts import actions as accounts  # noqa: E402
from passlight.office.accounts.models import Role, Unit, UnitKind  # noqa: E402
from passlight.office.facts.actions import land_facts  # noqa: E402
from passlight.office.facts.intake import NewFact  # noqa: E402
from passlight.office.gates.publishing import publish_doors  # noqa: E402
from passlight.office.packs.actions import publish_pack, store_pack  # noqa: E402
from passlight.office.people.actions import register_person  # noqa: E402
from passlight.office.people.identity import NewPerson  # noqa: E402
from passlight.office.people.models import Person  # noqa: E402
from passlight.office.venues import actions as venues  # noqa: E402
from passlight.runtime.clock import SystemClock, SystemEntropy  # noqa: E402
from passlight.runtime.packs import read_pack_folder  # noqa: E402

CLOCK, ENTROPY = SystemClock(), SystemEntropy()
PASSWORD = "browser-tests-only"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def card(serial: int) -> str:
    """Return a resident's number of a region that does not exist."""
    head = f"99999919900307{serial:03d}"
    rest = sum(int(d) * w for d, w in zip(head, WEIGHTS, strict=True)) % 11
    return head + "10X98765432"[rest]


def user(name: str, role: Role, unit: Unit, zh: str, en: str, person: Person | None = None) -> None:
    """Add a user whose password the tests know."""
    new = accounts.NewUser(
        username=name,
        password=PASSWORD,
        role=role,
        unit=unit,
        display_name=zh,
        display_name_en=en,
        person=person,
    )
    accounts.add_user(new, clock=CLOCK, entropy=ENTROPY)


def resident(name: str, serial: int, chinese: str, english: str, unit: Unit) -> dict[str, str]:
    """Register a person with an account."""
    number = card(serial)
    person = register_person(
        NewPerson(
            documents=(read_document("resident-id", number),),
            name=chinese,
            phone=f"1200000{serial:04d}",
            born_on=date(1990, 3, 7),
        )
    )
    user(name, Role.RESIDENT, unit, chinese, english, person)
    return {"username": name, "number": number, "facts_key": person.facts_key}


def main() -> None:
    """Make the town."""
    district = accounts.add_unit(kind=UnitKind.DISTRICT, name="云杉区", name_en="Yunshan District")
    town = accounts.add_unit(kind=UnitKind.TOWN, name="清河街道", name_en="Qinghe", parent=district)
    people = {
        "wang": resident("wang", 1, "王晓明", "Wang Xiaoming", town),
        "li": resident("li", 2, "李宁", "Li Ning", town),
        "zhao": resident("zhao", 3, "赵国", "Zhao Guo", town),
    }
    user("lin", Role.CHECKER, town, "林岗", "Lin, north gate")
    user("leader", Role.DUTY_LEADER, town, "郑强", "Zheng Qiang, duty leader")
    user("district", Role.DISTRICT_OFFICE, district, "沈文", "Shen Wen, district office")
    user("street", Role.STREET_OFFICE, town, "郑强", "Zheng Qiang")
    user("steward", Role.STEWARD, district, "何宁", "He Ning")
    user("auditor", Role.AUDITOR, district, "沈文", "Shen Wen")
    user("operator", Role.VENUE_OPERATOR, town, "周平", "Zhou Ping")
    user("clerk", Role.COUNTER_CLERK, town, "潘文", "Pan Wen")
    venue = venues.register_venue(
        venues.VenueDetails(
            name="清河街道社区事务受理服务中心",
            name_en="Qinghe Community Service Centre",
            address="云杉区清河路218号",
            kind=VenueClass.HALL,
            unit=town,
        ),
        (
            Door(code="n", zone="h1", name="北门", name_en="North gate"),
            Door(code="s", zone="h1", name="南门", name_en="South gate"),
        ),
        actor=None,
        clock=CLOCK,
        entropy=ENTROPY,
    )
    venues.set_activity(venue, active=True, actor=None, clock=CLOCK)
    files = read_pack_folder(Path("policies") / "qingpu-2022-05")
    stored = store_pack(files, user=None, clock=CLOCK)
    publish_pack(stored, effective_from=None, user=None, clock=CLOCK)
    tested = CLOCK.now() - timedelta(hours=31, minutes=30)
    land_facts(
        [
            NewFact(
                fact_id=f"lab:browser-{name}",
                kind="lab.result",
                subject=person["facts_key"],
                occurred_at=tested + timedelta(hours=6),
                source="lab",
                payload={"sampled_at": tested.isoformat(), "value": "neg"},
            )
            for name, person in people.items()
        ],
        batch_id="browser-tests",
        clock=CLOCK,
    )
    time.sleep(1)  # a door document is made at a whole second: the pack must be in force by then
    publish_doors(clock=CLOCK)
    json.dump(
        {"password": PASSWORD, "people": people, "venue": str(venue.pk), "entrance": "n"},
        sys.stdout,
    )


main()
