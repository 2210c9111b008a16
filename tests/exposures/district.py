"""A district with venues and people, whose records and facts a test writes, and its follower."""

import itertools
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Max

from passlight.core.facts.fact import Op
from passlight.core.places.venue import VenueClass
from passlight.office.accounts.models import Role, User
from passlight.office.exposures.following import Follower
from passlight.office.facts.actions import land_facts, retract_facts
from passlight.office.facts.intake import NewFact
from passlight.office.facts.models import FactVersion
from passlight.office.people.models import Person
from passlight.office.records.models import Record
from passlight.office.venues.models import Entrance, Venue
from tests.incidents.hall import HallWorld, HandClock, add_staff, make_world

_COUNTER = itertools.count(1)


def people(count: int) -> list[Person]:
    """Make people under pseudonyms alone: tracing reads nothing else of them."""
    first = (Person.objects.aggregate(last=Max("ordinal"))["last"] or 0) + 1
    return Person.objects.bulk_create(
        Person(
            id=uuid.uuid4(),
            ordinal=first + number,
            facts_key=f"p-{first + number:06d}",
            visits_key=f"v-{first + number:06d}",
            registered_at=datetime.fromisoformat("2022-01-01T00:00:00+00:00"),
        )
        for number in range(count)
    )


@dataclass
class Tracing:
    """What a test of tracing has in hand."""

    hall: HallWorld
    clock: HandClock
    follower: Follower = field(default_factory=Follower)
    officers: list[User] = field(default_factory=list)

    def venue(self, name: str, kind: VenueClass = VenueClass.MALL, zones: tuple[str, ...] = ("",)):
        made = Venue.objects.create(
            id=uuid.uuid4(),
            name=name,
            name_en=f"{name} Hall",
            address="青屿区青汀路1号",
            kind=kind.value,
            unit=self.hall.town,
            freshness_seconds=3600,
            active=True,
            registered_at=self.clock.now(),
        )
        for number, zone in enumerate(zones):
            Entrance.objects.create(
                venue=made, code=f"d{number}", zone=zone, name="门", name_en="Door"
            )
        return made

    def record(self, person: Person, venue: Venue, at: datetime, kind: str = "admit", **given):
        number = next(_COUNTER)
        payload = given.pop("payload", {})
        if kind == "checkin":
            payload = {"presence": given.pop("presence", "strong"), "zone": "", **payload}
        return Record.objects.create(
            key=given.pop("key", f"r-{number:07d}"),
            kind=kind,
            gateway="g",
            spool_seq=number,
            actor="c",
            venue_id=venue.pk,
            entrance=given.pop("entrance", "d0"),
            visits_key=person.visits_key,
            occurred_at=at,
            acknowledged_at=at,
            digest=b"",
            payload=payload,
        )

    def stay(self, person: Person, venue: Venue, since: datetime, until: datetime, **given):
        """Somebody whom a door let in and out."""
        self.record(person, venue, since, "admit", **given)
        self.record(person, venue, until, "exit", **given)

    def fact(self, fact_id: str, kind: str, person: Person, at: datetime, **payload) -> None:
        until = payload.pop("until", None)
        new = NewFact(
            fact_id=fact_id,
            kind=kind,
            subject=person.facts_key,
            occurred_at=at,
            occurred_until=until,
            source="cdc",
            payload=payload,
        )
        land_facts([new], batch_id="test", clock=self.clock).require_all()

    def case(self, person: Person, at: datetime, *, name: str = "c1", isolated=None) -> None:
        """A case sampled at ``at`` and confirmed twelve hours later."""
        self.fact(f"lab:{name}", "lab.result", person, at, value="pos", sample_id=name)
        self.fact(f"cdc:{name}", "case.confirmed", person, at + timedelta(hours=12), case_id=name)
        if isolated is not None:
            self.fact(f"order:{name}", "order.started", person, isolated, order_id=name)

    def retract(self, fact_id: str) -> None:
        retract_facts(
            [fact_id], reason="data_error", source="cdc", batch_id="test", clock=self.clock
        ).require_all()

    def follow(self) -> None:
        """Follow until nothing waits."""
        for _ in range(200):
            if not self.follower.turn(self.clock):
                return
        raise AssertionError("the follower does not come to an end")

    def landed(self) -> dict[str, list[FactVersion]]:
        """Return the exposures in force in the log, by the person's subject."""
        found: dict[str, list[FactVersion]] = {}
        for row in latest():
            if row.op == Op.ASSERT.value:
                found.setdefault(row.subject, []).append(row)
        return found


def latest() -> list[FactVersion]:
    rows = FactVersion.objects.filter(source="tracing").order_by("fact_id", "-ver")
    return list(rows.distinct("fact_id"))


def make_tracing() -> Tracing:
    hall = make_world()
    officers = [hall.officer, add_staff(Role.DISTRICT_OFFICE, hall.district, "梁思")]
    return Tracing(hall=hall, clock=hall.clock, officers=officers)
