"""Pages of halls, plans and rosters by role, in both languages, on a real database."""

from datetime import time, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from passlight.core.kernel.documents import Document, DocumentType
from passlight.core.places.hall import DutyRole, HallLevel, HallState
from passlight.office.accounts.models import Role
from passlight.office.halls.actions import make_hall, set_state, set_zone_cap, sweep
from passlight.office.halls.models import Correction, Duty, Hall, Lease, StoredPlan
from passlight.office.halls.planning import withdraw_plan
from passlight.office.halls.rosters import (
    NewDuty,
    Shift,
    add_duty,
    add_staff,
    end_staff,
    withdraw_duty,
)
from passlight.office.halls.views import usual_zones
from passlight.office.people.actions import register_person
from passlight.office.people.identity import NewPerson
from passlight.office.people.models import Access
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.database import Role as DatabaseRole
from tests.halls.conftest import Cast, SetClock, make_cast, make_venue


@pytest.fixture
def cast(db: None) -> Cast:
    """The pages ask the machine's clock, so this cast lives now."""
    return make_cast(SetClock(at=timezone.now()))


def login(cast: Cast, role: Role, unit) -> Client:
    client = Client()
    client.force_login(cast.user(role, unit))
    return client


def page_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content.decode()[:2000]
    return answer.content.decode()


def at(cast: Cast, rest: str = "") -> str:
    return f"/halls/places/{cast.hall.pk}/{rest}"


def inside(cast: Cast, number: int) -> None:
    zone = cast.hall.zones.get(code="hall")
    Lease.objects.bulk_create(
        Lease(id=uuid4(), zone=zone, opened_at=timezone.now() - timedelta(minutes=5))
        for _ in range(number)
    )


def test_the_list_is_of_the_own_units_and_shows_how_full(cast: Cast) -> None:
    inside(cast, 8)
    page = page_of(login(cast, Role.STREET_OFFICE, cast.town), "/halls/places/")
    assert "青汀政务服务大厅" in page
    assert "东塘村服务站" in page
    assert "8 / 8" in page
    assert "已满" in page
    other = page_of(login(cast, Role.STREET_OFFICE, cast.other), "/halls/places/")
    assert "青汀政务服务大厅" not in other
    narrowed = login(cast, Role.DISTRICT_OFFICE, cast.district)
    assert "青汀政务" not in page_of(narrowed, "/halls/places/?level=village")
    assert login(cast, Role.CHECKER, cast.town).get("/halls/places/").status_code == 403


def test_one_hall_in_both_languages(cast: Cast) -> None:
    inside(cast, 3)
    client = login(cast, Role.HALL_MANAGER, cast.town)
    page = page_of(client, at(cast))
    for words in ("办事大厅", "临时隔离区", "北门", "清点人数", "室外导服区有座位"):
        assert words in page
    client.cookies["language"] = "en"
    english = page_of(client, at(cast))
    assert "Head count" in english
    assert login(cast, Role.HALL_MANAGER, cast.other).get(at(cast)).status_code == 404


def test_a_head_count_with_its_reason_goes_on_record(cast: Cast) -> None:
    inside(cast, 3)
    client = login(cast, Role.HALL_MANAGER, cast.town)
    zone = cast.hall.zones.get(code="hall").pk
    missing = client.post(at(cast, "head-count/"), {"count-zone": zone, "count-counted": "2"})
    assert missing.status_code == 422
    assert Correction.objects.count() == 0
    sent = {"count-zone": zone, "count-counted": "2", "count-reason": "离场未扫码"}
    assert client.post(at(cast, "head-count/"), sent).status_code == 302
    page = page_of(client, at(cast))
    assert "3 → 2" in page
    assert "离场未扫码" in page
    clerk = login(cast, Role.COUNTER_CLERK, cast.town)
    assert clerk.post(at(cast, "head-count/"), sent).status_code == 403


def test_closing_a_hall_empties_it(cast: Cast) -> None:
    inside(cast, 3)
    client = login(cast, Role.DUTY_LEADER, cast.town)
    sent = {"state-state": "closed", "state-reason": "午间消毒"}
    assert client.post(at(cast, "state/"), sent).status_code == 302
    assert Hall.objects.get(pk=cast.hall.pk).state == HallState.CLOSED
    assert not Lease.objects.filter(closed_at=None).exists()
    assert "午间消毒" in page_of(client, at(cast))


def test_a_street_office_makes_a_hall_of_a_venue(cast: Cast) -> None:
    venue = make_venue(cast.town, "青汀分厅", SystemClock())
    client = login(cast, Role.STREET_OFFICE, cast.town)
    assert "青汀分厅" in page_of(client, "/halls/places/new/")
    sent = {"venue": venue.pk, "level": "town", "cap_hall": "40", "cap_isolate": "2"}
    assert client.post("/halls/places/new/", sent).status_code == 302
    zones = {zone.code: zone.cap for zone in venue.hall.zones.all()}
    assert zones == {"out": None, "screen": None, "hall": 40, "counters": None, "isolate": 2}


def plan_form(cast: Cast, **given: str) -> dict[str, str]:
    start = timezone.localtime() + timedelta(days=1)
    return {
        "scope": f"unit-{cast.district.pk}",
        "effective_from": start.strftime("%Y-%m-%dT%H:%M"),
        "reason": "区专班第3号通知",
        **{name.replace("__", "."): value for name, value in given.items()},
    }


def test_a_plan_is_previewed_before_it_is_published(cast: Cast) -> None:
    """48 h → 72 h for the district, while the village keeps its own 24 h."""
    cast.plan(cast.district, test__visitor__hours=48)
    cast.plan(cast.village, test__visitor__hours=24)
    client = login(cast, Role.DISTRICT_OFFICE, cast.district)
    assert "现为48小时" in page_of(client, f"/halls/plans/new/?scope=unit-{cast.district.pk}")
    sent = plan_form(cast, test__visitor__hours="72", temperature__limit="37.0", mask="yes")
    unseen = client.post("/halls/plans/new/", {**sent, "act": "publish", "seen": "guess"})
    assert unseen.status_code == 200
    assert StoredPlan.objects.count() == 2, "nothing is published unseen"
    page = unseen.content.decode()
    for words in ("48小时", "72小时", "由东塘村就地设定，不变", "37.0"):
        assert words in page, words
    seen = unseen.context["seen"]
    changed = client.post(
        "/halls/plans/new/",
        {**sent, "test.visitor.hours": "96", "act": "publish", "seen": seen},
    )
    assert changed.status_code == 200
    assert StoredPlan.objects.count() == 2, "what was seen was something else"
    done = client.post("/halls/plans/new/", {**sent, "act": "publish", "seen": seen})
    assert done.status_code == 302
    published = StoredPlan.objects.order_by("published_at").last()
    assert published.changes == {
        "test.visitor.hours": 72,
        "temperature.limit": 370,
        "mask": True,
    }
    assert "待生效" in page_of(client, "/halls/plans/")
    assert client.post(f"/halls/plans/{published.pk}/withdraw/").status_code == 302
    assert "已撤回" in page_of(client, "/halls/plans/")


@pytest.mark.parametrize(
    "wrong",
    [
        {"effective_from": "2020-01-01T00:00"},
        {"test.visitor.hours": "-1"},
        {"temperature.limit": "98.6"},
        {"reason": ""},
        {},
    ],
)
def test_a_plan_with_a_fault_says_which_field(cast: Cast, wrong: dict[str, str]) -> None:
    client = login(cast, Role.DISTRICT_OFFICE, cast.district)
    answer = client.post("/halls/plans/new/", {**plan_form(cast), **wrong, "act": "preview"})
    assert answer.status_code == 422
    assert 'class="summary"' in answer.content.decode()
    assert not StoredPlan.objects.exists()


def test_a_hall_manager_changes_their_own_hall_alone_and_takes_it_back(cast: Cast) -> None:
    cast.plan(cast.district, lease__minutes=240)
    client = login(cast, Role.HALL_MANAGER, cast.town)
    assert client.get(f"/halls/plans/new/?scope=unit-{cast.town.pk}").status_code == 404
    assert client.get(f"/halls/plans/new/?scope=hall-{cast.village_hall.pk}").status_code == 404
    sent = {**plan_form(cast, lease__minutes="90"), "scope": f"hall-{cast.hall.pk}"}
    previewed = client.post("/halls/plans/new/", {**sent, "act": "preview"})
    sent["seen"] = previewed.context["seen"]
    assert client.post("/halls/plans/new/", {**sent, "act": "publish"}).status_code == 302
    assert StoredPlan.objects.get(hall=cast.hall).changes == {"lease.minutes": 90}
    cast.plan(cast.town, hall=cast.hall, places__reserved=2)
    page = page_of(client, at(cast, "plan/"))
    assert "240分" in page
    assert "青屿区" in page
    assert "本厅设置" in page
    back = {**plan_form(cast), "scope": f"hall-{cast.hall.pk}", "restore": "places.reserved"}
    previewed = client.post("/halls/plans/new/", {**back, "act": "preview"})
    back["seen"] = previewed.context["seen"]
    assert client.post("/halls/plans/new/", {**back, "act": "publish"}).status_code == 302
    newest = StoredPlan.objects.order_by("published_at").last()
    assert newest.changes == {"places.reserved": None}


def test_the_roster_shows_masks_and_logs_each_look(cast: Cast, as_role) -> None:
    document = Document(type=DocumentType.PASSPORT, number="E12345678")
    register_person(
        NewPerson(documents=(document,), name="许静"), clock=SystemClock(), entropy=SystemEntropy()
    )
    client = login(cast, Role.HALL_MANAGER, cast.town)
    sent = {
        "type": "passport",
        "number": "E12345678",
        "post": "3号窗口",
        "starts_at": "08:30",
        "ends_at": "17:00",
    }
    unknown = client.post(at(cast, "staff/"), {**sent, "number": "E99999999"})
    assert unknown.status_code == 422
    assert client.post(at(cast, "staff/"), sent).status_code == 302
    before = Access.objects.count()
    page = page_of(client, at(cast, "staff/"))
    assert "许*" in page
    assert "E12345678" not in page
    assert Access.objects.count() == before + 1
    member = cast.hall.staff.get()
    assert client.post(at(cast, f"staff/{member.pk}/end/")).status_code == 302
    assert "许*" not in page_of(client, at(cast, "staff/"))


def test_numbers_are_not_tried_on_the_roster(cast: Cast) -> None:
    """T14: 20 misses in a quarter of an hour, and then the right number waits, too."""
    card = Document(type=DocumentType.PASSPORT, number="E12345678")
    register_person(
        NewPerson(documents=(card,), name="许静"), clock=SystemClock(), entropy=SystemEntropy()
    )
    client = login(cast, Role.HALL_MANAGER, cast.town)
    sent = {"type": "passport", "post": "3号窗口", "starts_at": "08:30", "ends_at": "17:00"}
    for number in range(20):
        miss = client.post(at(cast, "staff/"), {**sent, "number": f"E9{number:07}"})
        assert "没有登记过" in miss.content.decode()
    waits = client.post(at(cast, "staff/"), {**sent, "number": card.number})
    assert waits.status_code == 422
    assert "没有查到的次数太多" in waits.content.decode()
    assert not cast.hall.staff.exists()


def test_nobody_puts_the_office_above_them_on_a_roster(cast: Cast) -> None:
    """A hall whose own manager stood in for the leading group would report to itself alone."""
    now = timezone.localtime()
    sent = {
        "unit": cast.town.pk,
        "starts_at": (now - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"),
        "ends_at": (now + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M"),
    }
    manager = cast.user(Role.HALL_MANAGER, cast.town)
    given = {
        Role.HALL_MANAGER: {"duty-leader"},
        Role.STREET_OFFICE: {"duty-leader", "street-office"},
        Role.DISTRICT_OFFICE: {"duty-leader", "street-office", "leading-group"},
    }
    for role, may in given.items():
        client = login(cast, role, cast.district if "district" in role else cast.town)
        for duty in DutyRole:
            answer = client.post("/halls/duty/", {**sent, "role": duty, "user": manager.pk})
            assert answer.status_code == (302 if duty in may else 422), (role, duty)
    leading = Duty.objects.get(role="leading-group")
    client = login(cast, Role.HALL_MANAGER, cast.town)
    path = f"/halls/duty/{leading.pk}/withdraw/"
    assert path not in page_of(client, "/halls/duty/")
    assert client.post(path).status_code == 404
    leader = Duty.objects.filter(role="duty-leader").first()
    assert leader is not None
    assert client.post(f"/halls/duty/{leader.pk}/withdraw/").status_code == 302


def test_the_duty_roster_says_whom_to_call_now(cast: Cast) -> None:
    client = login(cast, Role.DISTRICT_OFFICE, cast.district)
    assert "无人值班" in page_of(client, "/halls/duty/")
    leader = cast.user(Role.DUTY_LEADER, cast.district)
    now = timezone.localtime()
    sent = {
        "unit": cast.district.pk,
        "role": "duty-leader",
        "user": leader.pk,
        "starts_at": (now - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"),
        "ends_at": (now + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M"),
    }
    wrong = client.post("/halls/duty/", {**sent, "ends_at": sent["starts_at"]})
    assert wrong.status_code == 422
    assert client.post("/halls/duty/", sent).status_code == 302
    assert "当班" in page_of(client, "/halls/duty/")
    assert client.post(f"/halls/duty/{Duty.objects.get().pk}/withdraw/").status_code == 302
    assert Duty.objects.get().withdrawn_at is not None


def test_the_display_says_inside_cap_state_and_as_of_when(cast: Cast) -> None:
    inside(cast, 8)
    client = login(cast, Role.GUIDE, cast.town)
    page = page_of(client, at(cast, "display/"))
    for words in ("在场人数", ">8<", "/ 8", "人数已满，请在外等候", "数据 ", "数据停在"):
        assert words in page, words
    Lease.objects.filter(pk=Lease.objects.first().pk).update(closed_at=timezone.now())
    part = page_of(client, at(cast, "display/now/"))
    assert "还可进入1人" in part
    assert "<html" not in part
    cast.hall.state = "closed"
    cast.hall.save()
    assert "暂停服务，请勿进入" in page_of(client, at(cast, "display/now/"))


def test_the_count_for_widgets(cast: Cast) -> None:
    inside(cast, 3)
    told = login(cast, Role.HALL_MANAGER, cast.town).get(at(cast, "count/")).json()
    hall = next(zone for zone in told["zones"] if zone["code"] == "hall")
    assert (told["state"], hall["inside"], hall["cap"]) == ("open", 3, 8)
    assert Client().get(at(cast, "count/")).status_code == 401


@pytest.mark.parametrize(
    "address",
    ["/halls/places/", "/halls/plans/", "/halls/plans/new/", "/halls/duty/", "/halls/places/new/"],
)
def test_every_page_works_under_the_offices_database_role(
    cast: Cast, as_role, address: str
) -> None:
    client = login(cast, Role.DISTRICT_OFFICE, cast.district)
    with as_role(DatabaseRole.OFFICE):
        assert client.get(address).status_code == 200


@pytest.mark.parametrize("rest", ["", "plan/", "staff/", "display/", "display/now/", "count/"])
def test_every_page_of_a_hall_works_under_it_too(cast: Cast, as_role, rest: str) -> None:
    client = login(cast, Role.STREET_OFFICE, cast.town)
    with as_role(DatabaseRole.OFFICE):
        assert client.get(at(cast, rest)).status_code == 200


def test_every_act_works_under_it_too(cast: Cast, as_role) -> None:
    user, clock = cast.user(Role.DUTY_LEADER, cast.town), cast.clock
    venue = make_venue(cast.town, "青汀分厅", clock)
    document = Document(type=DocumentType.PASSPORT, number="E12345678")
    register_person(
        NewPerson(documents=(document,), name="许静"), clock=clock, entropy=SystemEntropy()
    )
    with as_role(DatabaseRole.OFFICE):
        made = make_hall(
            venue, HallLevel.TOWN, usual_zones({}), clock=clock, entropy=SystemEntropy()
        )
        set_zone_cap(made.zones.get(code="hall"), 5, clock=clock)
        set_state(made, HallState.CLOSED, reason="测试", actor=user, clock=clock)
        plan = cast.plan(cast.town, after=1, cap__hall=4)
        withdraw_plan(plan, actor=user, clock=clock)
        duty = add_duty(
            NewDuty(
                unit=cast.town,
                role=DutyRole.DUTY_LEADER,
                user=user,
                deputy=None,
                starts_at=clock.now(),
                ends_at=clock.now() + timedelta(hours=1),
            ),
            actor=user,
            clock=clock,
        )
        withdraw_duty(duty, clock=clock)
        shift = Shift(post="导服台", starts_at=time(8, 30), ends_at=time(17, 0))
        end_staff(
            add_staff(made, document, shift, actor=user, clock=clock), actor=user, clock=clock
        )
        inside(cast, 2)
        clock.advance(hours=5)
        assert sweep(clock) is False
    assert not Lease.objects.filter(closed_at=None).exists()


def test_a_door_of_a_hall_leads_to_one_of_its_zones(cast: Cast) -> None:
    client = login(cast, Role.STREET_OFFICE, cast.town)
    address = f"/venues/{cast.hall.venue_id}/"
    assert at(cast) in page_of(client, address), "the venue's page leads to its hall"
    sent = {
        "entrance-name": "西门",
        "entrance-name_en": "West door",
        "entrance-code": "west",
        "entrance-zone": "attic",
    }
    wrong = client.post(f"{address}entrances/", sent)
    assert wrong.status_code == 422
    assert "这个大厅没有这个区域" in wrong.content.decode()
    assert (
        client.post(f"{address}entrances/", {**sent, "entrance-zone": "screen"}).status_code == 302
    )
