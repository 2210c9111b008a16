"""The pages: by role, in both languages, every form without script, and no name on any of them."""

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from passlight.core.exposure.parameters import Cap
from passlight.core.places.venue import VenueClass
from passlight.office.accounts.actions import add_unit
from passlight.office.accounts.models import Role, UnitKind
from passlight.office.exposures.models import (
    ForeignList,
    ParametersVersion,
    PublishedLocation,
    TracedCase,
    VenueBatch,
)
from tests.exposures.district import make_tracing, people
from tests.exposures.test_caps import set_parameters
from tests.exposures.test_tracing import at
from tests.incidents.hall import add_staff


def page(user, path, language="zh", status=200):
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    if user is not None:
        client.force_login(user)
    client.cookies["lang"] = language
    response = client.get(f"/exposures/{path}")
    assert response.status_code == status, (path, response.status_code)
    return response.content.decode()


def post(user, path, **data):
    client = Client()
    client.force_login(user)
    return client.post(f"/exposures/{path}", data)


@pytest.fixture
def world(db):
    made = make_tracing()
    made.clock.at = at(0, day=7)
    set_parameters(made, cap=Cap(people_max=3, share_people_min=100))
    case, *others = people(6)
    made.hall_venue = made.venue("青汀大厅", VenueClass.HALL)
    made.shop = made.venue("小商店")
    made.stay(case, made.hall_venue, at(10), at(11))
    made.stay(case, made.shop, at(12), at(13))
    for person in others:
        made.stay(person, made.hall_venue, at(10), at(11))
    made.stay(others[0], made.shop, at(12), at(12, 40))
    made.case(case, at(20))
    made.follow()
    return made


@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_stand_in_both_languages_for_everybody_who_may(world, language):
    auditor = add_staff(Role.AUDITOR, world.hall.district, "审计")
    case = TracedCase.objects.get()
    batch = VenueBatch.objects.get(state="held")
    for user in (world.officers[0], world.hall.street, auditor):
        text = page(user, "", language)
        assert "c1" in text
        page(user, f"cases/{case.pk}/", language)
        shown = page(user, f"batches/{batch.pk}/", language)
        assert ('name="seen"' in shown) is (user == world.officers[0])
        for one in (text, shown):
            assert len(re.findall("btn-primary", one)) <= 1
    page(world.officers[0], "parameters/", language)
    page(world.officers[0], "places/", language)
    page(None, "locations/", language)
    assert page(world.hall.clerk, "", language, status=403)


def test_english_pages_call_venues_and_officers_by_their_english_names(world):
    """The district calls its hall 青汀大厅 Hall in English; He Yuan's name in English is On Duty."""
    first, second = world.officers
    batch = VenueBatch.objects.get(state="held")
    assert post(first, f"batches/{batch.pk}/ask/", seen=5, reason="ok").status_code == 302
    form = page(first, "parameters/")
    fields = dict(re.findall(r'name="([a-z_]+)" value="(\d+)"', form))
    assert post(first, "parameters/", **fields | {"reason": "ok", "minutes_min": "45"})
    for path in ("", f"cases/{batch.case_id}/", f"batches/{batch.pk}/", "parameters/"):
        shown = page(second, path, "en")
        assert re.findall("(?:青汀大厅|小商店)(?! Hall)", shown) == []
        assert first.display_name not in shown
    assert first.display_name_en
    assert f"{first.display_name_en} asked for it" in page(second, f"batches/{batch.pk}/", "en")


def test_a_street_sees_its_own_venues_alone(world):
    town = add_unit(kind=UnitKind.TOWN, name="赤溪镇", name_en="Chixi", parent=world.hall.district)
    far = add_staff(Role.STREET_OFFICE, town, "远")
    assert "c1" not in page(far, "")
    batch = VenueBatch.objects.get(state="held")
    page(far, f"batches/{batch.pk}/", status=404)
    page(far, f"cases/{TracedCase.objects.get().pk}/", status=404)


def test_releasing_by_forms_alone(world):
    first, second = world.officers
    batch = VenueBatch.objects.get(state="held")
    path = f"batches/{batch.pk}"
    assert post(first, f"{path}/ask/", seen=5).status_code == 422, "a reason is asked for"
    assert post(first, f"{path}/ask/", seen=4, reason="核实").status_code == 409
    assert post(first, f"{path}/ask/", seen=5, reason="核实").status_code == 302
    assert "须由另一人答复" in page(first, f"{path}/")
    assert post(first, f"{path}/release/", seen=5).status_code == 409
    assert "放行5人" in page(second, f"{path}/")
    assert post(second, f"{path}/release/", seen=5).status_code == 302
    assert len(world.landed()) == 5
    assert post(world.hall.street, f"{path}/refuse/", reason="x").status_code == 403
    assert post(first, f"{path}/refuse/", reason="扫错码").status_code == 302
    landed = [fact for facts in world.landed().values() for fact in facts]
    assert {fact.payload["venue"] for fact in landed} == {str(world.shop.pk)}
    assert post(second, f"{path}/reopen/", reason="没扫错").status_code == 302
    assert "扫错码" in page(second, f"{path}/")
    assert post(second, f"{path}/else/", reason="x").status_code == 404


def test_parameters_are_asked_counted_and_put_in_force_by_another(world):
    first, second = world.officers
    form = page(first, "parameters/")
    fields = dict(re.findall(r'name="([a-z_]+)" value="(\d+)"', form))
    fields |= {"minutes_min": "45", "reason": "只看长时间"}
    assert fields["people_max"] == "3"
    assert post(first, "parameters/", **{**fields, "certain_hall": "999"}).status_code == 422
    assert post(first, "parameters/", **fields).status_code == 302
    asked = ParametersVersion.objects.get(decided_at=None)
    assert post(second, f"parameters/{asked.pk}/", accept="1").status_code == 409, "uncounted"
    world.follow()
    asked.refresh_from_db()
    # Five in the hall, one of them in the shop too: who falls away there is still in the hall.
    assert (asked.impact["before"], asked.impact["after"]) == (5, 5)
    assert asked.impact["held_before"] == asked.impact["held_after"] == 1
    assert post(first, f"parameters/{asked.pk}/", accept="1").status_code == 409, "four eyes"
    assert "由5人变为5人" in page(second, "parameters/")
    assert len(world.landed()) == 1
    assert post(second, f"parameters/{asked.pk}/", accept="1").status_code == 302
    world.clock.at = second.created_at.replace(year=2090)
    world.follow()
    assert world.landed() == {}
    assert asked.hash[7:19] in page(first, "parameters/")


def test_places_are_published_for_everybody_and_as_a_file(world):
    officer = world.officers[0]
    case = TracedCase.objects.get()
    window = case.windows.get(venue_id=world.hall_venue.pk)
    path = f"cases/{case.pk}/publish/"
    words = {"advice_zh": "请做核酸", "advice_en": "Take a test"}
    assert post(officer, path, **words).status_code == 422, "none chosen"
    assert post(officer, path, windows=[window.pk], **words).status_code == 302
    assert post(officer, path, windows=[window.pk], **words).status_code == 302
    assert PublishedLocation.objects.count() == 1, "twice is once"
    shown = page(None, "locations/")
    assert "青汀大厅" in shown
    assert "请做核酸" in shown
    assert "c1" not in shown
    # 10:00 to 11:30 UTC are 18:00 to 19:30 in Shanghai; the half hour is what lingers.
    rows = page(None, "locations.csv").splitlines()
    assert rows[0] == "id,Event,Location,City,Start,End,Advice,LAT,LNG,Added,Updated"
    assert '"1/06/2022, 6:00 pm","1/06/2022, 7:30 pm",请做核酸' in rows[1]
    assert page(None, "locations.csv?layout=1").splitlines()[0].endswith(",Added")
    assert (
        post(officer, f"places/{PublishedLocation.objects.get().pk}/withdraw/").status_code == 302
    )
    assert "青汀大厅" not in page(None, "locations/")


LIST = """id,Event,Location,City,Start,End,Advice,LAT,LNG,Added
a1,小商店,somewhere,Auckland,"1/06/2022, 8:00 pm","1/06/2022, 8:30 pm",Test,,,x
a2,Elsewhere,5A Wanstead Way,Auckland,"1/06/2022, 8:00 pm","1/06/2022, 8:30 pm",Test,,,x
a3,小商店,somewhere,Auckland,"1/06/2022, 8:00 xm","1/06/2022, 8:30 pm",Test,,,x
"""


def upload(user, text, **data):
    file = SimpleUploadedFile("list.csv", io.BytesIO(text.encode()).getvalue())
    return post(user, "places/", name="外地名单", zone="Asia/Shanghai", file=file, **data)


def test_a_list_from_elsewhere_is_matched_after_a_second_officer_has_looked(world):
    """8:00 pm in Shanghai is 12:00 UTC: one person was in the shop, from 12:00 to 12:40."""
    first, second = world.officers
    assert upload(first, "a,b\n1,2\n").status_code == 422
    assert upload(first, LIST).status_code == 302
    listed = ForeignList.objects.get()
    shown = page(first, f"lists/{listed.pk}/")
    assert "2行中1行对应本地场所" in shown
    assert TracedCase.objects.count() == 1
    post(first, f"lists/{listed.pk}/", accept="1", reason="核对过")
    assert TracedCase.objects.count() == 1, "not by the one who uploaded it"
    assert post(second, f"lists/{listed.pk}/", accept="1", reason="核对过").status_code == 302
    world.follow()
    landed = [fact for facts in world.landed().values() for fact in facts]
    found = [fact for fact in landed if fact.payload["case_id"] == "a1"]
    # Published windows name no person: the case, who was there too, is found as well.
    assert [fact.payload["minutes"] for fact in found] == [30, 30]
    assert TracedCase.objects.get(subject__startswith="p-").subject in {f.subject for f in found}
