"""Pages of venues by role, in both languages, on a real database."""

import io
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import zxingcpp
from django.db import connection
from django.test import Client
from PIL import Image
from pypdf import PdfReader

from passlight.core.places.venue import Entrance as Door
from passlight.core.places.venue import VenueClass
from passlight.core.places.venue_code import Presence, token_of_url
from passlight.core.verification.venue_codes import verify_venue_code
from passlight.office.accounts.actions import NewUser, add_unit, add_user
from passlight.office.accounts.models import Role, Unit, UnitKind
from passlight.office.keyring.actions import ensure_keys
from passlight.office.keyring.queries import latest_trust_list
from passlight.office.records.models import Record
from passlight.office.venues import poster
from passlight.office.venues.actions import (
    VenueDetails,
    register_venue,
    set_activity,
)
from passlight.office.venues.models import Venue
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.database import Role as DatabaseRole
from passlight.runtime.keys import KeyFolder

CLOCK, ENTROPY = SystemClock(), SystemEntropy()
DOOR = Door(code="main", name="正门", name_en="Main entrance")


@pytest.fixture
def units(db):
    district = add_unit(kind=UnitKind.DISTRICT, name="青屿区", name_en="Qingyu District")
    town = add_unit(
        kind=UnitKind.TOWN, name="青汀街道", name_en="Qingting Subdistrict", parent=district
    )
    village = add_unit(
        kind=UnitKind.VILLAGE, name="东塘村", name_en="Dongtang Village", parent=town
    )
    other = add_unit(kind=UnitKind.TOWN, name="云桥镇", name_en="Yunqiao Town", parent=district)
    return {"district": district, "town": town, "village": village, "other": other}


def login(role, unit):
    user = add_user(
        NewUser(
            username=f"{role.value}-{uuid.uuid4().hex[:6]}",
            password="a long enough password",
            role=role,
            unit=unit,
            display_name="值班人员",
            display_name_en="On duty",
        ),
        clock=CLOCK,
        entropy=ENTROPY,
    )
    client = Client()
    client.force_login(user)
    return client


def make_venue(unit, name="青汀政务服务大厅", *, active=True, doors=(DOOR,)):
    venue = register_venue(
        VenueDetails(
            name=name,
            name_en="Qingting Service Hall",
            address="青屿区青汀路12号",
            kind=VenueClass.HALL,
            unit=unit,
        ),
        doors,
        actor=None,
        clock=CLOCK,
        entropy=ENTROPY,
    )
    if active:
        set_activity(venue, active=True, actor=None, clock=CLOCK)
    return venue


def form_of(unit, **changes):
    return {
        "name": "云桥集市",
        "name_en": "Yunqiao Market",
        "address": "云桥镇桥头1号",
        "kind": "mall",
        "unit": unit.pk,
        "freshness_seconds": "",
        "entrance-name": "北门",
        "entrance-name_en": "North entrance",
        "entrance-code": "north",
        "entrance-zone": "f1",
        **changes,
    }


def test_the_list_is_of_the_own_units_in_both_languages(units):
    make_venue(units["village"], "东塘居民点")
    make_venue(units["other"], "云桥集市")
    client = login(Role.STREET_OFFICE, units["town"])
    page = client.get("/venues/").content.decode()
    assert "东塘居民点" in page
    assert "云桥集市" not in page
    assert "登记场所" in page
    english = client.get("/venues/?lang=en").content.decode()
    assert "Qingting Service Hall" in english
    assert "Register a venue" in english
    assert "登记场所" not in english
    everything = login(Role.DISTRICT_OFFICE, units["district"]).get("/venues/").content.decode()
    assert "东塘居民点" in everything
    assert "云桥集市" in everything


def test_filters_are_in_the_address(units):
    make_venue(units["town"], "青汀大厅")
    make_venue(units["town"], "青汀旧厅", active=False)
    client = login(Role.STREET_OFFICE, units["town"])

    def names(query):
        page = client.get(f"/venues/?{query}").content.decode()
        return {name for name in ("青汀大厅", "青汀旧厅") if name in page}

    assert names("") == {"青汀大厅", "青汀旧厅"}
    assert names("state=active") == {"青汀大厅"}
    assert names("state=inactive") == {"青汀旧厅"}
    assert names("query=旧") == {"青汀旧厅"}
    assert names("kind=hospital") == set()
    assert "没有这样的场所" in client.get("/venues/?kind=hospital").content.decode()


ALLOWED = {Role.VENUE_OPERATOR, Role.STREET_OFFICE, Role.DISTRICT_OFFICE}


@pytest.mark.parametrize("role", list(Role))
def test_who_sees_venues(units, role):
    venue = make_venue(units["town"])
    client = login(role, units["district"])
    wanted = 200 if role in ALLOWED else 403
    assert client.get("/venues/").status_code == wanted
    assert client.get(f"/venues/{venue.pk}/").status_code == wanted


@pytest.mark.parametrize("role", sorted(ALLOWED))
def test_who_changes_and_who_activates(units, role):
    venue = make_venue(units["town"], active=False)
    client = login(role, units["town"])
    changes = 302 if role is not Role.DISTRICT_OFFICE else 403
    assert client.post(f"/venues/{venue.pk}/edit/", form_of(units["town"])).status_code == changes
    opens = 302 if role is Role.STREET_OFFICE else 403
    assert client.post(f"/venues/{venue.pk}/activity/", {"active": "1"}).status_code == opens
    venue.refresh_from_db()
    assert venue.active is (role is Role.STREET_OFFICE)


def test_another_towns_venue_is_not_there(units):
    venue = make_venue(units["other"])
    client = login(Role.STREET_OFFICE, units["town"])
    for path in ("", "edit/", "poster.pdf", "poster.png"):
        assert client.get(f"/venues/{venue.pk}/{path}").status_code == 404
    assert client.post(f"/venues/{venue.pk}/activity/", {"active": "1"}).status_code == 404
    assert client.get("/venues/").status_code == 200


def test_a_registered_venue_waits_for_the_street_office(units):
    operator = login(Role.VENUE_OPERATOR, units["town"])
    answer = operator.post("/venues/new/", form_of(units["village"]))
    venue = Venue.objects.get(name="云桥集市")
    assert answer.headers["Location"] == f"/venues/{venue.pk}/"
    assert (venue.active, venue.unit, venue.freshness_seconds) == (False, units["village"], 3600)
    assert [(d.code, d.zone) for d in venue.entrances.all()] == [("north", "f1")]
    page = operator.get(f"/venues/{venue.pk}/").content.decode()
    assert "等待街镇启用" in page
    assert "启用场所" not in page
    assert operator.get(f"/venues/{venue.pk}/poster.pdf").status_code == 404
    street = login(Role.STREET_OFFICE, units["town"])
    assert "启用场所" in street.get(f"/venues/{venue.pk}/").content.decode()
    street.post(f"/venues/{venue.pk}/activity/", {"active": "1"})
    venue.refresh_from_db()
    assert venue.active


def test_a_venue_cannot_be_put_into_anothers_unit(units):
    client = login(Role.STREET_OFFICE, units["town"])
    answer = client.post("/venues/new/", form_of(units["other"]))
    assert answer.status_code == 422
    assert not Venue.objects.exists()
    assert client.post("/venues/new/", form_of(units["town"])).status_code == 302


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("freshness_seconds", "29", "时限要在30到604800秒之间"),
        ("entrance-code", "North", "入口代码要用1到8个"),
        ("entrance-code", "-n", "入口代码要用1到8个"),
        ("entrance-zone", "二楼", "入口代码要用1到8个"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(units, field, value, words):
    client = login(Role.STREET_OFFICE, units["town"])
    answer = client.post("/venues/new/", form_of(units["town"], **{field: value}))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert words in page
    assert 'aria-invalid="true"' in page
    assert "云桥镇桥头1号" in page  # what was typed is kept


def test_entrances_are_added_once_and_closed(units):
    venue = make_venue(units["town"])
    client = login(Role.VENUE_OPERATOR, units["town"])
    door = {"entrance-name": "东门", "entrance-name_en": "East", "entrance-code": "east"}
    assert client.post(f"/venues/{venue.pk}/entrances/", door).status_code == 302
    again = client.post(f"/venues/{venue.pk}/entrances/", door)
    assert again.status_code == 422
    assert "已有同样代码的入口" in again.content.decode()
    path = f"/venues/{venue.pk}/entrances/east/activity/"
    assert client.post(path, {"active": "0"}).status_code == 302
    assert [(d.code, d.active) for d in venue.entrances.all()] == [("main", True), ("east", False)]


def test_todays_numbers_are_those_of_the_records(units):
    venue, other = make_venue(units["town"]), make_venue(units["town"], "青汀集市")
    now = datetime.now(UTC)
    rows = [
        *[("checkin", "main", now, venue)] * 3,
        *[("verification", "main", now, venue)] * 2,
        ("admit", "main", now, venue),
        ("ask", "main", now, venue),
        ("refuse", "main", now, venue),
        ("isolate", "main", now, venue),
        ("checkin", "main", now - timedelta(days=1), venue),
        ("checkin", "main", now, other),
    ]
    for n, (kind, entrance, at, where) in enumerate(rows):
        Record.objects.create(
            key=f"k{n}",
            kind=kind,
            gateway="g",
            spool_seq=n,
            actor="a",
            venue_id=where.pk,
            entrance=entrance,
            occurred_at=at,
            acknowledged_at=at,
            digest=b"",
            payload={},
        )
    client = login(Role.VENUE_OPERATOR, units["town"])
    context = client.get(f"/venues/{venue.pk}/").context
    today = context["today"]
    assert (today.checkins, today.scans, today.admitted, today.asked, today.stopped) == (
        *(3, 2, 1, 1, 2),
    )
    listed = {row["name"]: row["today"] for row in client.get("/venues/").context["rows"]}
    assert listed == {"青汀政务服务大厅": 3, "青汀集市": 1}


@pytest.fixture
def keys(db, settings):
    ensure_keys(CLOCK, ENTROPY, KeyFolder(settings.PASSLIGHT.keys))


needs_font = pytest.mark.skipif(
    not set(poster.FONTS) & set(poster.typst.Fonts().families()),
    reason="no Chinese font: apt-get install fonts-noto-cjk",
)


@needs_font
def test_the_downloaded_poster_holds_a_code_that_gateways_believe(units, keys, settings):
    doors = (DOOR, Door(code="east", zone="f2", name="东门", name_en="East"))
    venue = make_venue(units["town"], doors=doors)
    client = login(Role.VENUE_OPERATOR, units["town"])
    answer = client.get(f"/venues/{venue.pk}/poster.pdf")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert len(PdfReader(io.BytesIO(answer.content)).pages) == 2
    picture = client.get(f"/venues/{venue.pk}/poster.png?entrance=east").content
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    token = token_of_url(code.text, public_url=settings.PASSLIGHT.public_url)
    realm = settings.PASSLIGHT.realm
    trust = latest_trust_list(realm=realm, folder=KeyFolder(settings.PASSLIGHT.keys))
    said = verify_venue_code(token, trust=trust, realm=realm, now=int(CLOCK.now().timestamp()))
    assert (said.venue_id, said.entrance, said.zone) == (venue.pk, "east", "f2")
    assert said.presence is Presence.WEAK
    client.post(f"/venues/{venue.pk}/edit/", form_of(units["town"], name="新名字"))
    again = client.get(f"/venues/{venue.pk}/poster.png?entrance=east").content
    (after,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(again)))
    assert after.text == code.text  # a rename voids nothing


def test_without_a_key_the_page_says_what_to_do(units):
    venue = make_venue(units["town"])
    answer = login(Role.VENUE_OPERATOR, units["town"]).get(f"/venues/{venue.pk}/poster.pdf")
    assert answer.status_code == 503
    assert "passlight migrate" in answer.content.decode()


def test_the_office_role_may_do_all_of_it_and_delete_nothing(units, as_role):
    venue = make_venue(units["town"])
    with as_role(DatabaseRole.OFFICE):
        set_activity(venue, active=False, actor=None, clock=CLOCK)
        with connection.cursor() as cursor:
            cursor.execute("select has_table_privilege('venues_venue', 'delete')")
            assert cursor.fetchone() == (False,)
    assert Unit.objects.count() == 4
