"""People, packs and areas for the tests of this folder; everything is fictional."""

import uuid
from datetime import timedelta
from functools import cache
from pathlib import Path

from passlight.office.facts.actions import land_facts
from passlight.office.packs.actions import publish_pack, store_pack
from passlight.office.people.models import Person
from passlight.office.statuses.models import Publication
from passlight.office.statuses.publishing import Publisher
from passlight.runtime.packs import read_pack_folder
from tests.statuses.moments import HandClock, at, fact

ROOT = Path(__file__).parents[2]
EVER = at("2026-01-01 00:00")
#: A key area of the tests' list: everything below 990000 (no such province).
KEY_AREA = "990100"
ONE_RULE = """
pack: {id: one-rule, version: VERSION, timezone: Asia/Shanghai, effective: [2026-01-01T00:00, null],
       published_at: 2026-01-01T00:00, existing_measures: convert, cap: {chained_yellow: 60d}}
rules:
  - id: confirmed
    on: {kind: case.confirmed}
    basis: {text: "Confirmed cases stay in hospital.", ref: "fictional notice 1"}
    phases:
      - colour: COLOUR
        from: trigger.occurred
        until: {next: {kind: case.discharged, same: case_id}}
        reason: {zh: 确诊未出院, en: Confirmed and not discharged}
        advice: {zh: 请住院治疗, en: Stay in hospital}
"""


@cache
def shanghai() -> dict[str, str]:
    """The shipped pack without its own scenarios, which run elsewhere."""
    files = read_pack_folder(ROOT / "policies" / "shanghai-2020-02")
    return {path: text for path, text in files.items() if not path.startswith("tests/")}


def one_rule(version: str = "1", colour: str = "red") -> dict[str, str]:
    return {"pack.yaml": ONE_RULE.replace("VERSION", version).replace("COLOUR", colour)}


def put_in_force(files, clock, *, effective_from=EVER):
    stored = store_pack(files, user=None, clock=clock)
    return publish_pack(stored, effective_from=effective_from, user=None, clock=clock)


def people(count: int, *, first: int = 0) -> list[Person]:
    made = [
        Person(
            id=uuid.UUID(int=n + 1),
            ordinal=n,
            facts_key=f"p-{n:032x}",
            visits_key=f"v-{n:032x}",
            registered_at=EVER,
        )
        for n in range(first, first + count)
    ]
    return Person.objects.bulk_create(made)


def registered(persons, clock: HandClock) -> None:
    land(
        *[
            fact(
                f"reg:{one.ordinal}",
                "person.registered",
                one.facts_key,
                clock.moment,
                source="registration",
            )
            for one in persons
        ],
        clock=clock,
    )


def land(*facts, clock: HandClock, batch: str = "b"):
    return land_facts(facts, batch_id=batch, clock=clock).require_all()


def list_key_area(clock: HandClock, area: str = KEY_AREA) -> None:
    land(
        fact(
            f"list:{area}",
            "area.listed",
            f"area:{area}",
            EVER,
            source="national",
            area=area,
            level="key",
            list_id="l1",
        ),
        clock=clock,
    )


def arrival(person: Person, occurred_at, *, area: str = KEY_AREA, fact_id: str | None = None):
    return fact(
        fact_id or f"rail:{person.ordinal}",
        "travel.arrived",
        person.facts_key,
        occurred_at,
        source="rail",
        from_area=area,
        left_at=(occurred_at - timedelta(hours=6)).isoformat(),
        arrived_at=occurred_at.isoformat(),
    )


def confirmed(person: Person, occurred_at):
    return fact(
        f"cdc:case-{person.ordinal}",
        "case.confirmed",
        person.facts_key,
        occurred_at,
        case_id=str(person.ordinal),
    )


def discharged(person: Person, occurred_at):
    return fact(
        f"cdc:out-{person.ordinal}",
        "case.discharged",
        person.facts_key,
        occurred_at,
        case_id=str(person.ordinal),
    )


def run_worker(clock: HandClock, publisher: Publisher | None = None) -> Publisher:
    publisher = publisher or Publisher(clock)
    for _ in range(1000):
        if not publisher.step():
            return publisher
    raise AssertionError("the worker found no end")


def published(person: Person) -> Publication:
    return Publication.objects.filter(ordinal=person.ordinal).order_by("-seq").first()


def shown(person: Person) -> list[tuple[int | None, str]]:
    return [(part["from"], part["colour"]) for part in published(person).segments]


def log() -> list[tuple]:
    """What was published, without when: what an interrupted run must equal."""
    rows = Publication.objects.order_by("seq")
    return [(row.seq, row.ordinal, row.segments, row.sampled_at, row.state) for row in rows]
