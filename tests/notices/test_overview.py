"""The isolation area and the overview: what stands first, whose it is, and what is never shown.

Times are worked by hand from 10:21, when the person was found, and the limits of the settings:
5 minutes to lead them there, then 10 to tell the duty leader, then 10 to tell the street office.
"""

import re
import uuid
from collections.abc import Iterator

import pytest
from django.test import Client

from passlight.core.incidents.steps import Channel, FindingKind, Step
from passlight.core.places.hall import HallLevel, HallState, ZoneKind
from passlight.office.accounts.actions import add_unit
from passlight.office.accounts.models import Role, UnitKind, User
from passlight.office.halls.actions import ZoneDetails, make_hall, set_state
from passlight.office.incidents import actions, district_views, isolation_views
from passlight.office.incidents.models import StoredIncident
from passlight.office.incidents.templatetags import incidents as incident_tags
from passlight.office.people.models import Access
from passlight.office.records.models import Record
from passlight.office.venues.models import Venue
from tests.incidents.hall import (
    ENTROPY,
    HallWorld,
    add_person,
    add_record,
    add_staff,
    add_venue,
    make_world,
)

ZONES = [
    ZoneDetails(code="hall", kind=ZoneKind.HALL, name="办事大厅", name_en="Hall", cap=150),
    ZoneDetails(code="iso", kind=ZoneKind.ISOLATION, name="隔离区", name_en="Isolation", cap=4),
]


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[HallWorld]:
    made = make_world()
    for module in (isolation_views, district_views):
        monkeypatch.setattr(module, "SystemClock", lambda: made.clock)
    monkeypatch.setattr(incident_tags, "CLOCK", made.clock)
    yield made


def found(world: HallWorld, kind: FindingKind = FindingKind.RED, **given: object) -> StoredIncident:
    person = given.pop("person", None)
    return actions.open_by_hand(
        given.pop("venue", world.venue),  # type: ignore[arg-type]
        kind,
        actor=given.pop("actor", world.clerk),  # type: ignore[arg-type]
        clock=world.clock,
        entropy=ENTROPY,
        person=person,  # type: ignore[arg-type]
        entrance="north",
    )


def do(world: HallWorld, incident: StoredIncident, step: Step, **given: object) -> None:
    actions.record_step(incident.pk, step, actor=world.leader, clock=world.clock, **given)  # type: ignore[arg-type]


def page_of(user: User, path: str, language: str = "zh") -> str:
    client = Client()
    client.force_login(user)
    client.cookies["lang"] = language
    answer = client.get(f"/incidents/{path}")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_who_must_be_led_there_stands_first_with_running_clocks(world: HallWorld) -> None:
    incident = found(world, person=add_person(name="赵立国"))
    world.clock.move(minutes=12)
    page = page_of(world.leader, "isolation/")
    before, after = page.split("在区内的人", 1)
    assert "带至临时隔离区" in before
    assert f'data-found="{int(incident.found_at.timestamp() * 1000)}">12:00<' in before
    assert before.count('class="step ') == 3
    assert "“" not in before.split("<q>")[1].split("</q>")[0], "the style sheet sets the quotes"
    # At 10:33: due 10:26, so 7 minutes late; the duty leader by 10:36, the street by 10:46.
    assert re.search(r'class="step late".*?带至隔离区.*?逾期.*?7分', before)
    assert re.search(r'class="step now".*?报告值班领导.*?剩3分', before)
    assert re.search(r'class="step now".*?报街镇防控办.*?剩13分', before)
    assert "赵*国" in before
    assert "赵立国" not in page
    assert "310118199001010011" not in page
    assert "隔离区内没有人" in after


def test_who_is_there_is_listed_with_room_and_next_step(world: HallWorld) -> None:
    incident = found(world, FindingKind.FEVER)
    world.clock.move(minutes=2)
    do(world, incident, Step.ISOLATED, note="一号隔离间")
    world.clock.move(minutes=65)
    page = page_of(world.leader, "isolation/")
    assert "自10:21发现起" not in page
    row = page.split("在区内的人", 1)[1]
    for said in ("0608-01", "体温异常", "未能识别", "一号隔离间", "1:05:00", "10:23起"):
        assert said in row, said
    assert re.search(r"报告值班领导.*?逾期", row)
    actions.receive(incident.pk, actor=world.leader, clock=world.clock)
    do(world, incident, Step.STREET_TOLD, channel=Channel.PHONE, who="沈*")
    for step in (Step.ACKNOWLEDGED, Step.VERIFYING):
        actions.record_step(incident.pk, step, actor=world.street, clock=world.clock)
    actions.dispose(incident.pk, measures="送发热门诊", actor=world.street, clock=world.clock)
    assert "隔离区内没有人" in page_of(world.leader, "isolation/"), "they have left"


def test_who_went_away_before_is_not_there(world: HallWorld) -> None:
    incident = found(world)
    actions.excuse_step(
        incident.pk, Step.ISOLATED, actor=world.leader, clock=world.clock, note="已离开"
    )
    page = page_of(world.leader, "isolation/")
    assert "0608-01" not in page


def test_a_name_is_read_once_a_page_and_not_while_it_stays_open(world: HallWorld) -> None:
    person = add_person()
    incident = found(world, person=person)
    page = page_of(world.leader, "isolation/")
    assert Access.objects.filter(person=person, case="0608-01", masked=True).count() == 1
    (asked,) = re.findall(r'hx-get="([^"]*changes[^"]*)"', page)
    client = Client()
    client.force_login(world.leader)
    for _ in range(3):
        assert client.get(asked.replace("&amp;", "&")).status_code == 204
    assert Access.objects.filter(person=person).count() == 1
    do(world, incident, Step.ISOLATED, note="一号隔离间")
    changed = client.get(asked.replace("&amp;", "&"))
    assert (changed.status_code, changed.headers["HX-Refresh"]) == (200, "true")
    assert changed.content == b""


def test_a_step_that_becomes_late_changes_the_page(world: HallWorld) -> None:
    found(world)
    (asked,) = re.findall(r'hx-get="([^"]*changes[^"]*)"', page_of(world.leader, "isolation/"))
    client = Client()
    client.force_login(world.leader)
    world.clock.move(minutes=4, seconds=59)
    assert client.get(asked.replace("&amp;", "&")).status_code == 204
    world.clock.move(seconds=2)
    assert client.get(asked.replace("&amp;", "&")).status_code == 200


def test_only_those_of_the_units_see_it_and_names_only_those_who_may(world: HallWorld) -> None:
    person = add_person()
    found(world, person=person)
    other = add_unit(kind=UnitKind.TOWN, name="别处", name_en="Other", parent=world.district)
    stranger = add_staff(Role.STREET_OFFICE, other, "别处")
    assert "0608-01" not in page_of(stranger, "isolation/")
    assert "0608-01" not in page_of(world.checker, "isolation/"), "not theirs"
    auditor = add_staff(Role.AUDITOR, world.district, "审计")
    seen = page_of(auditor, "isolation/")
    assert "0608-01" in seen
    assert "赵*国" not in seen
    assert not Access.objects.filter(person=person, actor=auditor).exists()
    steward = Client()
    steward.force_login(add_staff(Role.STEWARD, world.district, "数据"))
    assert steward.get("/incidents/isolation/").status_code == 403


@pytest.mark.parametrize("odd", ["x", "0" * 64, "../", "' or 1=1"])
def test_an_odd_venue_narrows_nothing(world: HallWorld, odd: str) -> None:
    found(world)
    client = Client()
    client.force_login(world.leader)
    assert "0608-01" in client.get("/incidents/isolation/", {"venue": odd}).content.decode()
    none = client.get("/incidents/isolation/", {"venue": str(uuid.uuid4())}).content.decode()
    assert "0608-01" not in none


@pytest.fixture
def halls(world: HallWorld) -> dict[str, Venue]:
    """Four halls: one with a late incident, one with a fresh one, one closed, one as usual."""
    venues = {
        "late": world.venue,
        "fresh": add_venue(world.town, "乙大厅"),
        "closed": add_venue(world.town, "丙大厅"),
        "usual": add_venue(world.town, "丁大厅"),
    }
    made = {
        name: make_hall(venue, HallLevel.TOWN, ZONES, clock=world.clock, entropy=ENTROPY)
        for name, venue in venues.items()
    }
    set_state(
        made["closed"], HallState.CLOSED, reason="消杀", actor=world.officer, clock=world.clock
    )
    return venues


def test_the_overview_counts_and_puts_late_first(world: HallWorld, halls: dict[str, Venue]) -> None:
    late = found(world)
    for key, kind in (("a", "admit"), ("b", "admit"), ("c", "refuse")):
        add_record(halls["usual"], key, clock=world.clock, kind=kind, answer="green")
    world.clock.move(minutes=2)
    do(world, late, Step.ISOLATED, note="一号隔离间")
    world.clock.move(minutes=6)
    do(world, late, Step.STREET_TOLD, channel=Channel.PHONE, who="沈*")
    world.clock.move(minutes=30)  # 10:59: acknowledgement was due 10:39
    found(world, FindingKind.FEVER, venue=halls["fresh"])
    world.clock.move(minutes=1)
    page = page_of(world.officer, "overview/")
    bigs = re.findall(r'class="big"><div class="n">\s*(.*?)</div>', page)
    assert [re.sub(r"<.*?>", "", big).strip() for big in bigs] == ["3 / 4", "2", "0", "2", "6分"]
    assert "限流0，停开1" in page
    assert "逾期1" in page
    assert "劝返1" in page
    names = [name for name in (v.name for v in halls.values()) if name in page]
    assert "丁大厅" not in names, "nothing needs attention there"
    table = page.split('aria-label="大厅"')[-1]
    order = [table.index(halls[name].name) for name in ("late", "closed", "fresh")]
    assert order == sorted(order)
    listed = page.split("未结异常，逾期在前")[-1].split('aria-label="大厅"')[0]
    assert listed.index(halls["late"].name) < listed.index("乙大厅"), "late first"
    assert "红码 1，黄码 0，体温异常 1，有症状 0，申报不实 0，其他异常 0" in page
    everything = page_of(world.officer, "overview/?show=all")
    assert "丁大厅" in everything
    assert "0/150" in everything


def test_zero_is_a_result(world: HallWorld, halls: dict[str, Venue]) -> None:
    page = page_of(world.street, "overview/", "en")
    assert "No open incident" in page
    assert "4 halls, zero incidents." in page
    assert "None yet today" in page


def test_the_overview_is_for_those_above_halls(world: HallWorld) -> None:
    client = Client()
    client.force_login(world.leader)
    assert client.get("/incidents/overview/").status_code == 403
    other = add_unit(kind=UnitKind.TOWN, name="别处", name_en="Other", parent=world.district)
    found(world)
    assert "0608-01" not in page_of(add_staff(Role.STREET_OFFICE, other, "别处"), "overview/")
    assert not Record.objects.exists()
