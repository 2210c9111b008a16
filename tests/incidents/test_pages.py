"""The pages: by role, in both languages, every form without script, masks by the server."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from passlight.core.incidents.steps import FindingKind, Step
from passlight.office.accounts.models import Role
from passlight.office.incidents import actions, co_present, evidence, views
from passlight.office.incidents.models import CorrectionRequest, EvidenceFile, StoredIncident
from passlight.office.incidents.recording import read
from passlight.office.notices.models import Notice
from passlight.office.people.models import Access
from tests.incidents.hall import ENTROPY, add_person, add_record, add_staff, make_world
from tests.incidents.test_actions import found, land_positive, told_street

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40


@pytest.fixture
def world(db):
    made = make_world()
    made.clock.at = views.CLOCK.now()  # the pages' own clock; what is done here is done now
    return made


def as_user(user, language="zh"):
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    client.force_login(user)
    client.cookies["lang"] = language
    return client


def page(user, path, language="zh", status=200):
    response = as_user(user, language).get(f"/incidents/{path}")
    assert response.status_code == status, (path, response.status_code)
    return response.content.decode()


def post(user, path, **data):
    return as_user(user).post(f"/incidents/{path}", data)


def test_the_duty_leader_s_first_page_is_the_list_with_age_step_and_whom_to_call(world):
    stored = found(world, add_person())
    home = as_user(world.leader).get("/")
    assert home.status_code == 302
    assert home["Location"] == "/incidents/"
    text = page(world.leader, "")
    assert stored.number in text
    assert "带至隔离区" in text
    assert "周*平" in text
    assert text.count("btn-primary") == 1
    assert "赵" not in text  # a list names nobody
    english = page(world.leader, "", "en")
    assert "Red code" in english or "红码" not in english


def test_the_page_of_one_masks_the_person_and_logs_the_reading(world):
    person = add_person()
    record = add_record(world.venue, "r-1", clock=world.clock, visits_key=person.visits_key)
    stored = actions.open_from_record(record, clock=world.clock, entropy=ENTROPY)
    text = page(world.leader, f"{stored.pk}/")
    assert "赵*国" in text
    assert "赵立国" not in text
    assert "310118199001010011" not in text
    (access,) = Access.objects.filter(person=person, purpose="incident")
    assert (access.actor, access.case, access.masked) == (world.leader, stored.number, True)


def test_who_looks_at_an_incident_has_read_what_was_told_about_it(world):
    stored = found(world, add_person())
    told = Notice.objects.filter(incident=stored.pk, user=world.leader, channel="in-app")
    assert set(told.values_list("state", flat=True)) == {"sent"}
    page(world.street, f"{stored.pk}/")
    assert set(told.values_list("state", flat=True)) == {"sent"}  # another's look reads nothing
    page(world.leader, f"{stored.pk}/")
    assert set(told.values_list("state", flat=True)) == {"read"}


def test_the_auditor_reads_the_course_and_not_the_person(world):
    auditor = add_staff(Role.AUDITOR, world.district, "审计")
    stored = found(world, add_person())
    text = page(auditor, f"{stored.pk}/")
    assert "赵*国" not in text
    assert not Access.objects.filter(actor=auditor).exists()
    assert 'method="post" action="/incidents/' not in text
    assert post(auditor, f"{stored.pk}/note/", note="x").status_code == 403


def test_the_whole_way_by_forms_alone(world):
    """S4 三(二)5 on the pages, without script, each form posted as a browser would."""
    person = add_person()
    stored = found(world, person)
    pk = stored.pk
    leading = {"channel": "phone", "who": "领导小组值班员", "body": "leading-group"}
    for user, path, data in (
        ("checker", "steps/isolated/", {"note": "一号隔离间"}),
        ("leader", "receive/", {}),
        ("leader", "steps/street-told/", {"channel": "phone", "who": "沈*，街镇防控办"}),
        ("leader", "steps/leading-group-told/", leading),
        ("street", "steps/acknowledged/", {}),
        ("street", "steps/verifying/", {}),
        ("street", "steps/disposed/", {"note": "由社区接回"}),
        ("leader", "steps/closed/", {}),
    ):
        form = page(world.users[user], f"{pk}/")
        assert f'action="/incidents/{pk}/{path}"' in form, path
        assert form.count("btn-primary") <= 1, path
        assert post(world.users[user], f"{pk}/{path}", **data).status_code == 302, path
    stored.refresh_from_db()
    assert stored.closed_at is not None
    assert "由社区接回" in page(world.leader, f"{pk}/")
    assert stored.number in page(world.leader, "")  # closed today


def test_what_is_missing_is_said_in_words_and_in_place(world):
    stored = found(world)
    response = post(world.street, f"{stored.pk}/steps/verifying/")
    assert response.status_code == 422
    assert "请先完成：街镇接报" in response.content.decode()
    response = as_user(world.street, "en").post(f"/incidents/{stored.pk}/steps/verifying/")
    assert "First: Acknowledged by the street office" in response.content.decode()
    assert post(world.leader, f"{stored.pk}/steps/coloured-green/").status_code == 404


def test_the_street_s_queue_has_new_reports_first_and_both_ends(world):
    stored = told_street(world, found(world))
    assert as_user(world.street).get("/")["Location"] == "/incidents/street/"
    assert "接报" in page(world.street, "street/")
    assert post(world.street, f"{stored.pk}/steps/acknowledged/").status_code == 302
    assert post(world.street, f"{stored.pk}/steps/verifying/").status_code == 302
    text = page(world.street, "street/")
    assert "核实处置" in text
    assert "数据错误报区" in text
    page(world.leader, "street/", status=403)


def test_a_data_error_goes_to_the_district_and_comes_back(world):
    person = add_person()
    land_positive(person, world.clock)
    stored = told_street(world, found(world, person))
    actions.acknowledge(stored.pk, actor=world.street, clock=world.clock)
    actions.record_step(stored.pk, Step.VERIFYING, actor=world.street, clock=world.clock)
    assert "选出有误的那条数据" in page(world.street, f"{stored.pk}/data-error/")
    assert post(world.street, f"{stored.pk}/data-error/", reason="").status_code == 422
    from passlight.office.incidents.corrections import declare_data_error

    declare_data_error(
        stored.pk, reason="采样错误", fact_id="lab:1", actor=world.street, clock=world.clock
    )
    asked = CorrectionRequest.objects.get()
    assert stored.number in page(world.officer, "corrections/")
    text = page(world.officer, f"corrections/{asked.pk}/")
    assert "采样错误" in text
    assert "赵*国" in text
    assert post(world.street, f"corrections/{asked.pk}/", corrected="1").status_code == 403
    answer = {"corrected": "1", "answer": "已核对"}
    assert post(world.officer, f"corrections/{asked.pk}/", **answer).status_code == 302
    assert Step.CORRECTED in read(stored).done
    assert "区已更正" in page(world.leader, f"{stored.pk}/")


def test_anybody_at_a_post_opens_by_the_form_also_without_a_name(world):
    for user in (world.checker, world.clerk):
        form = {"venue": str(world.venue.pk), "kind": "fever", "number": "", "type": ""}
        assert "上报并计时" in page(user, "new/")
        response = post(user, "new/", **form)
        assert response.status_code == 302
        assert "身份未知" in as_user(user).get(response["Location"]).content.decode()
    bad = {"venue": str(world.venue.pk), "kind": "red", "type": "resident-id", "number": "123"}
    assert post(world.clerk, "new/", **bad).status_code == 422
    page(world.street, "new/", status=403)
    page(world.officer, "new/", status=403)


def test_a_post_learns_no_name_by_reporting(world):
    """Or a typed number, and any index of the feed, would come back with a name."""
    person = add_person("31011819900101001X")
    form = {"venue": str(world.venue.pk), "kind": "red"}
    number = {"type": "resident-id", "number": "31011819900101001X"}
    response = post(world.checker, "new/", **form, **number)
    assert response.status_code == 302
    text = as_user(world.checker).get(response["Location"]).content.decode()
    assert "赵" not in text
    assert "3101" not in text
    (found_by,) = Access.objects.filter(person=person)
    assert (found_by.actor, found_by.fields) == (world.checker, ["document"])
    stored = StoredIncident.objects.get()
    assert "赵*国" in page(world.leader, f"{stored.pk}/"), "the control"


def test_numbers_are_not_tried_by_reporting(world):
    """T14: 20 misses in a quarter of an hour; what has no number is still reported."""
    add_person("31011819900101001X")
    form = {"venue": str(world.venue.pk), "kind": "red", "type": "passport"}
    for number in range(20):
        assert post(world.checker, "new/", **form, number=f"E9{number:07}").status_code == 302
    right = {**form, "type": "resident-id", "number": "31011819900101001X"}
    response = post(world.checker, "new/", **right)
    assert response.status_code == 422
    assert "没有查到的次数太多" in response.content.decode()
    assert post(world.checker, "new/", **form, number="").status_code == 302
    assert not StoredIncident.objects.exclude(visits_key=None).exists()


def test_who_reads_evidence_stands_in_the_person_s_log(world):
    person = add_person()
    stored = found(world, person)
    file = SimpleUploadedFile("shot.png", PNG, content_type="image/png")
    assert post(world.checker, f"{stored.pk}/evidence/", file=file, step="found").status_code == 302
    path = f"{stored.pk}/evidence/{EvidenceFile.objects.get().pk}/"
    auditor = add_staff(Role.AUDITOR, world.district, "审计")
    for user in (world.leader, auditor):
        assert as_user(user).get(f"/incidents/{path}").status_code == 200
    rows = Access.objects.filter(person=person, fields=["evidence"]).order_by("seq")
    assert [(row.actor, row.case, row.masked) for row in rows] == [
        (world.leader, stored.number, False),
        (auditor, stored.number, False),
    ]


def test_staff_open_on_themselves_by_one_box(world):
    world.clerk.person = add_person()
    world.clerk.save()
    assert 'name="myself"' in page(world.clerk, "new/")
    assert 'name="myself"' not in page(world.checker, "new/")
    form = {"venue": str(world.venue.pk), "kind": "yellow", "myself": "on"}
    assert post(world.clerk, "new/", **form).status_code == 302
    stored = StoredIncident.objects.get()
    assert (stored.visits_key, stored.role) == (world.clerk.person.visits_key, "staff")


def test_evidence_is_sealed_checked_and_given_back_as_it_came(world):
    stored = found(world)
    file = SimpleUploadedFile("shot.png", PNG, content_type="text/html")
    assert post(world.checker, f"{stored.pk}/evidence/", file=file, step="found").status_code == 302
    kept = EvidenceFile.objects.get()
    assert kept.media_type == "image/png"
    assert PNG not in bytes(kept.sealed)
    response = as_user(world.leader).get(f"/incidents/{stored.pk}/evidence/{kept.pk}/")
    assert response.content == PNG
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("attachment")
    assert read(stored).events[-1].evidence.digest == bytes(kept.digest).hex()
    outsider = add_staff(Role.CHECKER, world.town, "别人")
    path = f"/incidents/{stored.pk}/evidence/{kept.pk}/"
    assert as_user(outsider).get(path).status_code == 404


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<html><script>alert(1)</script>", "只能存图片或录音"),
        (b"MZ\x90\x00", "只能存图片或录音"),
        (PNG + b"\x00" * evidence.BYTES_MAX, "5 MB"),
    ],
)
def test_what_is_no_picture_or_recording_is_not_kept(world, data, words):
    stored = found(world)
    file = SimpleUploadedFile("x.png", data, content_type="image/png")
    response = post(world.checker, f"{stored.pk}/evidence/", file=file, step="found")
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not EvidenceFile.objects.exists()


def test_the_hand_over_s_forms(world):
    stored = told_street(world, found(world))
    other = add_staff(Role.STREET_OFFICE, world.town, "秦川")
    assert post(world.street, f"{stored.pk}/hand-over/", to=str(other.pk)).status_code == 302
    assert "转交给您" in page(other, f"{stored.pk}/")
    assert "转交待接收" in page(world.leader, f"{stored.pk}/")
    assert post(other, f"{stored.pk}/answer/", accept="0", note="").status_code == 422
    assert post(other, f"{stored.pk}/answer/", accept="1").status_code == 302
    stored.refresh_from_db()
    assert stored.owner == other


def test_who_was_there_is_for_the_street_alone_and_each_name_is_logged(world, monkeypatch):
    from passlight.core.places.hall import HallLevel
    from passlight.office.halls.models import Hall, Zone
    from passlight.office.halls.queries import Stay

    hall = Hall.objects.create(
        id=world.venue.pk, venue=world.venue, level=HallLevel.TOWN, state_at=world.clock.now()
    )
    Zone.objects.create(hall=hall, code="hall", kind="hall", name="大厅", name_en="Hall")
    person, inside = add_person(), add_person("310118199002020022", "王小兰")
    later = add_person("310118199003030033", "韩文涛")
    start = world.clock.now()
    monkeypatch.setattr(
        co_present,
        "people_in_zone",
        lambda zone, at: [Stay(visits_key=inside.visits_key, since=start, until=None)],
    )
    stored = found(world, person)
    world.clock.move(minutes=-2)
    StoredIncident.objects.filter(pk=stored.pk).update(
        found_at=world.clock.now(), isolated_at=start, entrance="north"
    )
    world.clock.move(minutes=1)
    add_record(
        world.venue,
        "late",
        clock=world.clock,
        kind="admit",
        answer="green",
        visits_key=later.visits_key,
    )
    text = page(world.street, f"{stored.pk}/present/")
    assert "王*兰" in text
    assert "韩*涛" in text
    assert "赵*国" not in text
    assert inside.visits_key[:10] in text
    assert inside.visits_key not in text
    logged = Access.objects.filter(purpose="incident", case=stored.number, actor=world.street)
    assert logged.count() == 2
    for user in (world.leader, world.checker, world.officer):
        page(user, f"{stored.pk}/present/", status=403)


def test_an_old_finding_names_no_month_of_people(world):
    """Found 20 days ago, never isolated: who came the same day, and not who came since."""
    from passlight.core.places.hall import HallLevel
    from passlight.office.halls.models import Hall, Zone

    hall = Hall.objects.create(
        id=world.venue.pk, venue=world.venue, level=HallLevel.TOWN, state_at=world.clock.now()
    )
    Zone.objects.create(hall=hall, code="hall", kind="hall", name="大厅", name_en="Hall")
    same_day = add_person("310118199002020022", "王小兰")
    later = add_person("310118199003030033", "韩文涛")
    stored = found(world, add_person())
    today = world.clock.now()
    world.clock.move(days=-20)
    StoredIncident.objects.filter(pk=stored.pk).update(found_at=world.clock.now(), entrance="north")
    for person, hours in ((same_day, 1), (later, 72)):
        world.clock.move(hours=hours)
        add_record(
            world.venue,
            f"in-{hours}",
            clock=world.clock,
            kind="admit",
            answer="green",
            visits_key=person.visits_key,
        )
    world.clock.at = today
    text = page(world.street, f"{stored.pk}/present/")
    assert "王*兰" in text
    assert "韩*涛" not in text


def test_a_neighbour_learns_nothing(world):
    from passlight.office.accounts.actions import add_unit
    from passlight.office.accounts.models import UnitKind

    stored = found(world)
    town = add_unit(kind=UnitKind.TOWN, name="云桥镇", name_en="Yunqiao", parent=world.district)
    for role in (Role.STREET_OFFICE, Role.DUTY_LEADER, Role.CHECKER):
        page(add_staff(role, town, "邻居"), f"{stored.pk}/", status=404)
    steward = add_staff(Role.STEWARD, world.district, "系统")
    page(steward, "", status=403)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_state_has_its_words(world, language):
    for kind in (FindingKind.RED, FindingKind.FALSE_DECLARATION):
        stored = told_street(world, found(world, kind=kind))
        text = page(world.leader, f"{stored.pk}/", language)
        assert not re.search(r"incidents\.[a-z_]+\.", text), kind
    page(world.leader, "", language)
    page(world.street, "street/", language)
    page(world.officer, "corrections/", language)
