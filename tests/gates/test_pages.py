"""The fleet, one device, and alarms: by role, inside one's units, in both languages."""

from datetime import timedelta

import pytest

from passlight.office.accounts.models import Role
from passlight.office.gates.models import GateAlarm, GateDevice, GateReport
from passlight.runtime.device_key import DeviceKey
from passlight.simulation.gate_client import let_in
from tests.gates.conftest import CLOCK, ENTROPY, Cast, make_user


@pytest.fixture
def device(cast: Cast, key: DeviceKey) -> GateDevice:
    found, _ = let_in(
        cast.entrance,
        key,
        first=cast.first,
        second=cast.second,
        clock=CLOCK,
        entropy=ENTROPY,
        name="东门1号",
    )
    return found


def page_of(cast: Cast, user, path: str, *, language: str = "zh") -> str:
    browser = cast.browser(user)
    browser.cookies["language"] = language
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_the_fleet_says_how_devices_are(cast: Cast, device: GateDevice) -> None:
    page = page_of(cast, cast.second, "/gates/")
    assert "东门1号" in page
    assert "失联" in page, "never heard is silent"
    now = CLOCK.now()
    GateReport.objects.create(
        device=device, at=now, waiting=12, feed_as_of=now - timedelta(hours=2)
    )
    page = page_of(cast, cast.second, "/gates/")
    assert ">12<" in page
    assert "偏旧" in page
    assert 'class="tag tag-wait">失联' not in page


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ("condition=silent", True),
        ("condition=fine", False),
        ("state=active", True),
        ("state=pending", False),
        ("condition=alarm", False),
        ("query=东门", True),
        ("query=西门", False),
    ],
)
def test_filters(cast: Cast, device: GateDevice, wanted: str, shown: bool) -> None:
    assert ("东门1号" in page_of(cast, cast.second, f"/gates/?{wanted}")) is shown


def test_a_steward_sees_machines_and_no_colleague(cast: Cast, device: GateDevice) -> None:
    path = f"/gates/{device.pk}/"
    assert cast.first.display_name in page_of(cast, cast.second, path)
    page = page_of(cast, cast.steward, path)
    main = page[page.index("<main") :]
    assert cast.first.display_name not in main
    assert cast.browser(cast.steward).get("/gates/new/").status_code == 403
    ended = cast.browser(cast.steward).post(f"/gates/{device.pk}/end/", {"reason": "x"})
    assert ended.status_code == 403


def test_another_unit_sees_nothing(cast: Cast, device: GateDevice) -> None:
    assert "东门1号" not in page_of(cast, cast.elsewhere, "/gates/")
    assert cast.browser(cast.elsewhere).get(f"/gates/{device.pk}/").status_code == 404
    resident = make_user(Role.CHECKER, cast.town)
    assert cast.browser(resident).get("/gates/").status_code == 403


def test_an_alarm_is_looked_after_once_and_by_name(cast: Cast, device: GateDevice) -> None:
    details = {"boot": 1, "from": 3, "to": 6, "faults": []}
    alarm = GateAlarm.objects.create(device=device, kind="fork", details=details, at=CLOCK.now())
    assert "1:3–6" in page_of(cast, cast.second, "/gates/alarms/")
    path = f"/gates/alarms/{alarm.pk}/seen/"
    assert cast.browser(cast.elsewhere).post(path).status_code == 404
    assert cast.browser(cast.second).post(path).status_code == 302
    assert cast.browser(cast.first).post(path).status_code == 302
    alarm.refresh_from_db()
    assert alarm.seen_by == cast.second, "the first one stays"


def test_pages_are_whole_in_english(cast: Cast, device: GateDevice) -> None:
    for path in ("/gates/", "/gates/alarms/", "/gates/new/", f"/gates/{device.pk}/"):
        assert page_of(cast, cast.second, path, language="en")
