"""What tracing promises whatever happens: yellow at most, nothing lost or twice after a death."""

import os
import re
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.template.loader import render_to_string

from passlight.core.exposure.parameters import Cap
from passlight.core.facts.fact import Op
from passlight.core.kernel.colour import Colour
from passlight.core.places.venue import VenueClass
from passlight.core.rules.load import load_pack
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import evaluate
from passlight.office.exposures.following import Follower
from passlight.office.exposures.models import ExposureEvent, PendingPresence, StoredExposure
from passlight.office.facts.rows import to_fact
from passlight.office.records.models import Record
from passlight.runtime.database import Role
from passlight.runtime.packs import read_pack_folder, shipped_packs
from tests.exposures.district import latest, make_tracing, people
from tests.exposures.test_caps import set_parameters
from tests.exposures.test_tracing import at

PACKS = sorted(path.parent.name for path in shipped_packs().glob("*/pack.yaml"))


@pytest.fixture
def world(db):
    made = make_tracing()
    made.clock.at = at(0, day=7)
    return made


def meet(world, count=5):
    case, *others = people(count)
    hall = world.venue("大厅", VenueClass.HALL)
    world.stay(case, hall, at(10), at(11))
    for number, person in enumerate(others):
        world.stay(person, hall, at(10, number), at(11))
    return case, others, hall


@pytest.mark.parametrize("name", PACKS)
def test_what_tracing_lands_is_yellow_at_most(world, name):
    """design.md 3: automatic exposure gives at most yellow; all day together, ten times over."""
    case, other = people(2)
    hall = world.venue("大厅", VenueClass.HALL)
    for hour in range(1, 21, 2):
        world.stay(case, hall, at(hour), at(hour, 50))
        world.stay(other, hall, at(hour), at(hour, 50))
    world.case(case, at(21))
    world.follow()
    facts = [to_fact(row) for row in world.landed()[other.facts_key]]
    assert len(facts) >= 10
    pack = load_pack(read_pack_folder(shipped_packs() / name))
    timeline = evaluate(PackSchedule.only(pack), facts)
    colours = {segment.colour for segment in timeline.segments()}
    assert colours <= {Colour.GREEN, Colour.YELLOW}
    if name == "jiangsu-2021":
        assert Colour.YELLOW in colours, "control: this pack reads exposures"


def test_it_runs_with_the_rights_of_the_office_alone(world, as_role):
    case, others, hall = meet(world)
    world.case(case, at(20))
    with as_role(Role.OFFICE):
        world.follow()
        late = others[0]
        world.follower.turn(world.clock)
    assert len(world.landed()) == len(others)
    world.record(late, hall, at(10, 20), "exit")
    with as_role(Role.OFFICE):
        world.follow()
    assert world.landed()[late.facts_key][0].payload["minutes"] == 20


def test_records_are_queued_whatever_stores_them_and_only_where_somebody_was(world):
    person = people(1)[0]
    hall = world.venue("大厅")
    for kind in ("checkin", "admit", "verification", "exit"):
        world.record(person, hall, at(10), kind)
    for kind in ("refuse", "isolate", "report", "ask"):
        world.record(person, hall, at(10), kind)
    Record.objects.bulk_create(
        Record(
            key=f"bulk-{number}",
            kind="admit",
            gateway="g",
            spool_seq=number,
            actor="c",
            venue_id=hall.pk,
            entrance="d0",
            visits_key=person.visits_key if number else None,
            occurred_at=at(11),
            acknowledged_at=at(11),
            digest=b"",
            payload={},
        )
        for number in range(3)
    )
    assert PendingPresence.objects.count() == 4 + 2, "nobody's record is nobody's presence"
    world.follow()
    assert PendingPresence.objects.count() == 0


class DiedError(Exception):
    """Stands for the end of the process: nothing after it is run or committed."""


def dying_after(statements):
    """Return a wrapper of the database that dies at its n-th statement."""
    left = [statements]

    def execute(run, sql, params, many, context):
        left[0] -= 1
        if left[0] < 0 and not sql.startswith("ROLLBACK"):  # the server's own end of a death
            raise DiedError
        return run(sql, params, many, context)

    return execute


def said():
    return sorted(
        (row.fact_id, row.ver, row.payload["minutes"]) for row in latest() if row.op == Op.ASSERT
    )


def test_killed_at_any_statement_it_goes_on_and_nothing_is_lost_or_twice(world):
    case, others, hall = meet(world)
    world.follow()
    world.case(case, at(20))
    world.record(others[0], hall, at(10, 30), "exit")
    expected, deaths = None, 0
    for statements in (10_000, *range(1, 150, 13)):
        with transaction.atomic():
            follower = Follower()
            with connection.execute_wrapper(dying_after(statements)):
                try:
                    while follower.turn(world.clock):
                        pass
                except DiedError:
                    deaths += 1
            world.follower = Follower()
            world.follow()
            outcome = (said(), StoredExposure.objects.count(), ExposureEvent.objects.count())
            if expected is None:
                assert deaths == 0
                assert len(outcome[0]) == len(others)
                expected = outcome
            assert outcome == expected, statements
            transaction.set_rollback(True)
    assert deaths > 6, "control: it did die on the way"


def test_control_a_queue_emptied_before_the_work_loses_it(world):
    """The naive follower: it takes what has arrived, and then does the work."""
    case, others, hall = meet(world, 2)
    world.case(case, at(20))
    world.follow()
    assert said()[0][2] == 60
    world.record(others[0], hall, at(10, 30), "exit")
    PendingPresence.objects.all().delete()  # taken, committed; here it dies
    world.follower = Follower()
    world.follow()
    assert said()[0][2] == 60, "the exit at 10:30 was passed over"


def test_receipts_and_records_stay_what_they_were(world):
    """E36: exposures are withdrawn, what doors wrote is not."""
    case, _, _ = meet(world)
    world.case(case, at(20))
    world.follow()
    before = list(Record.objects.order_by("key").values())
    world.retract("cdc:c1")
    world.follow()
    assert list(Record.objects.order_by("key").values()) == before
    assert world.landed() == {}
    withdrawn = ExposureEvent.objects.filter(what="withdrawn")
    assert set(withdrawn.values_list("reason", flat=True)) == {"retracted"}


def test_a_person_reads_the_kind_of_place_and_the_day_and_nothing_of_the_case(world):
    case, _, _ = meet(world, 2)
    world.case(case, at(20))
    world.follow()
    (row,) = StoredExposure.objects.all()
    assert re.fullmatch("tracing:[0-9a-f]{32}", row.fact_id), "a digest says nothing"
    text = render_to_string("exposures/_reason.html", {"fact_id": row.fact_id})
    assert "政务大厅" in text
    assert "6月1日" in text
    assert "大厅Hall" not in text
    assert "c1" not in text
    assert render_to_string("exposures/_reason.html", {"fact_id": "cdc:c1"}).strip() == ""


@pytest.mark.serial
def test_how_fast_contacts_are_found(world, capsys):
    """A case is confirmed; a venue had 2,000 visits that day. Printed, and bounded generously."""
    set_parameters(world, cap=Cap(people_max=10_000, share_percent_max=100))
    hall = world.venue("大厅", VenueClass.HALL)
    crowd = people(2_000)
    rows = []
    for number, person in enumerate(crowd):
        came = at(8) + timedelta(seconds=18 * number)
        for kind, moment in (("admit", came), ("exit", came + timedelta(minutes=40))):
            rows.append(
                Record(
                    key=f"{kind}-{number}",
                    kind=kind,
                    gateway="g",
                    spool_seq=number,
                    actor="c",
                    venue_id=hall.pk,
                    entrance="d0",
                    visits_key=person.visits_key,
                    occurred_at=moment,
                    acknowledged_at=moment,
                    digest=b"",
                    payload={},
                )
            )
    Record.objects.bulk_create(rows)
    world.follow()
    took, found = [], 0
    cases = 40 if os.environ.get("PASSLIGHT_FAULTS") == "long" else 3
    for number in range(cases):
        case = crowd[number * 45]
        world.case(case, at(20), name=f"n{number}")
        begun = time.perf_counter()
        world.follow()
        took.append(time.perf_counter() - begun)
        found = len(latest())
    took.sort()
    with capsys.disabled():
        print(
            f"\ncase confirmed → contacts' facts landed, 2,000 visits, {found} exposures of"
            f" {cases} cases: p50 {took[cases // 2] * 1000:.0f} ms, slowest {took[-1] * 1000:.0f} ms"
        )
    assert took[cases // 2] < 10
