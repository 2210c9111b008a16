"""Login in one and two steps, throttling, sessions that end, users, locks."""

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import hashers
from django.test import Client

from passlight.core.kernel.documents import read_document
from passlight.core.kernel.problem import ProblemError
from passlight.office import settings as office_settings
from passlight.office.accounts import actions, second_factor, throttle
from passlight.office.accounts.middleware import OPENED, SEEN
from passlight.office.accounts.models import LoginFailure, Revocation, Role, Unit, UnitKind, User
from passlight.office.people.actions import people_for_documents
from passlight.runtime.clock import SystemClock, SystemEntropy

PASSWORD = "correct horse staple"


class FakeClock:
    """A clock that a test moves."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


@pytest.fixture
def unit(db: None) -> Unit:
    return actions.add_unit(kind=UnitKind.DISTRICT, name="测试区", name_en="Test District")


def add(unit: Unit, role: Role, name: str, **more: object) -> User:
    new = actions.NewUser(
        username=name,
        password=PASSWORD,
        role=role,
        unit=unit,
        display_name="岗位",
        display_name_en="Post",
        **more,  # type: ignore[arg-type]
    )
    return actions.add_user(new, clock=SystemClock(), entropy=SystemEntropy())


def test_passwords_are_kept_as_argon2() -> None:
    assert office_settings.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    assert hashers.Argon2PasswordHasher().encode(PASSWORD, "a" * 16).startswith("argon2$argon2id$")


def test_login_and_logout(unit: Unit, client: Client) -> None:
    add(unit, Role.DISTRICT_OFFICE, "leader")
    page = client.get("/users/")
    assert page.status_code == 302 and page["Location"] == "/login/?next=/users/"
    done = client.post("/login/", {"username": " Leader ", "password": PASSWORD, "next": "/users/"})
    assert done.status_code == 302 and done["Location"] == "/users/"
    assert client.get("/users/").status_code == 200
    assert client.post("/logout/").status_code == 302
    assert client.get("/users/").status_code == 302


def test_login_goes_nowhere_but_here(unit: Unit, client: Client) -> None:
    add(unit, Role.DISTRICT_OFFICE, "leader")
    for elsewhere in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        done = client.post(
            "/login/", {"username": "leader", "password": PASSWORD, "next": elsewhere}
        )
        assert done["Location"] == "/"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_unknown_name_a_wrong_password_and_a_locked_account_look_alike(
    unit: Unit, client: Client, language: str
) -> None:
    locked = add(unit, Role.STEWARD, "locked")
    add(unit, Role.STEWARD, "steward")
    actions.lock_user(locked, reason="left", clock=SystemClock())
    pages = set()
    for name, password in (("nobody", "x"), ("steward", "x"), ("locked", PASSWORD)):
        page = client.post(f"/login/?lang={language}", {"username": name, "password": password})
        assert page.status_code == 422
        text = page.content.decode()
        pages.add(text[text.index('role="alert"') : text.index("</ul>")])
    assert len(pages) == 1


def test_five_failures_cost_a_quarter_of_an_hour(unit: Unit, client: Client) -> None:
    add(unit, Role.STEWARD, "steward")
    for _ in range(throttle.FAILURES_A_USER_MAX):
        client.post("/login/", {"username": "steward", "password": "wrong"})
    right = {"username": "steward", "password": PASSWORD}
    waiting = client.post("/login/", right)
    assert waiting.status_code == 422
    assert "15分钟后再试" in waiting.content.decode()
    LoginFailure.objects.update(at=datetime.now(UTC) - throttle.WINDOW)
    assert client.post("/login/", right).status_code == 302, "control: it ends by itself"
    assert LoginFailure.objects.count() == 0


def fail(client: Client, name: str, address: str) -> int:
    form = {"username": name, "password": "wrong"}
    return client.post("/login/", form, headers={"X-Forwarded-For": address}).status_code


def test_failures_elsewhere_do_not_keep_the_owner_out(unit: Unit, client: Client) -> None:
    """Control: from where they were made the next try waits, and so does the right password."""
    add(unit, Role.STEWARD, "steward")
    right = {"username": "steward", "password": PASSWORD}
    for _ in range(throttle.FAILURES_A_USER_MAX):
        fail(client, "steward", "192.0.2.66")
    bad, good = ({"X-Forwarded-For": address} for address in ("192.0.2.66", "192.0.2.1"))
    assert client.post("/login/", right, headers=bad).status_code == 422
    assert client.post("/login/", right, headers=good).status_code == 302


def test_many_addresses_get_no_further_than_the_names_own_limit(unit: Unit) -> None:
    add(unit, Role.STEWARD, "steward")
    clock = SystemClock()
    for number in range(throttle.FAILURES_A_NAME_MAX):
        address = f"192.0.2.{number}"
        assert throttle.wait(throttle.Guess.PASSWORD, "steward", clock, address=address) is None
        throttle.failed(throttle.Guess.PASSWORD, "steward", clock, address=address)
    assert throttle.wait(throttle.Guess.PASSWORD, "steward", clock, address="192.0.2.99")


def test_a_login_name_spends_nothing_else(unit: Unit, client: Client) -> None:
    """Anybody may type ``document:7`` as a name; clerk 7 goes on searching."""
    clerk = add(unit, Role.COUNTER_CLERK, "clerk")
    for kind in throttle.Guess:
        for number in range(30):
            fail(client, f"{kind}:{clerk.pk}", f"192.0.2.{number}")
    miss = Client()
    miss.force_login(clerk)
    found = miss.post("/people/find/", {"type": "passport", "number": "SIM999999"})
    assert found.status_code == 404


def test_rfc_6238_codes() -> None:
    """Appendix B of RFC 6238, SHA-1: the last six of its eight digits."""
    secret = b"12345678901234567890"
    at = {59: "287082", 1111111109: "081804", 1234567890: "005924", 2000000000: "279037"}
    for seconds, code in at.items():
        assert second_factor.code_at(secret, seconds // 30) == code


def test_the_second_step(unit: Unit, client: Client) -> None:
    user = add(unit, Role.AUDITOR, "auditor")
    secret = second_factor.new_secret(SystemEntropy())
    second_factor.enrol(user, secret)
    assert secret.hex().encode() not in bytes(user.second_factor_sealed or b"")
    first = client.post("/login/?next=/users/", {"username": "auditor", "password": PASSWORD})
    assert first["Location"] == "/login/code/?next=/users/"
    assert client.get("/users/").status_code == 302, "a password alone opens nothing"
    assert client.post("/login/code/", {"code": "000000x"}).status_code == 422
    step = int(datetime.now(UTC).timestamp()) // 30
    right = second_factor.code_at(secret, step)
    done = client.post("/login/code/", {"code": right, "next": "/users/"})
    assert done.status_code == 302 and done["Location"] == "/users/"
    assert client.get("/users/").status_code == 200
    other = Client()
    other.post("/login/", {"username": "auditor", "password": PASSWORD})
    assert other.post("/login/code/", {"code": right}).status_code == 422, "a code is good once"


def test_setting_up_an_authenticator(unit: Unit, client: Client) -> None:
    user = add(unit, Role.AUDITOR, "auditor")
    client.force_login(user)
    page = client.get("/account/code/").content.decode()
    secret = re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", page)
    assert secret is not None
    assert "<svg" in page
    assert client.post("/account/code/", {"code": "000000"}).status_code == 422
    user.refresh_from_db()
    assert user.second_factor == "", "a wrong code sets nothing up"
    step = int(datetime.now(UTC).timestamp()) // 30
    code = second_factor.code_at(base64.b32decode(secret[1].replace(" ", "")), step)
    assert client.post("/account/code/", {"code": code}).status_code == 302
    user.refresh_from_db()
    assert user.second_factor == "totp"
    other = Client()
    first = other.post("/login/", {"username": "auditor", "password": PASSWORD})
    assert first["Location"].startswith("/login/code/")


def test_a_code_is_good_one_step_around(unit: Unit) -> None:
    user = add(unit, Role.AUDITOR, "auditor")
    secret = second_factor.new_secret(SystemEntropy())
    second_factor.enrol(user, secret)
    clock = FakeClock(datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC))
    now = int(clock.now().timestamp()) // 30
    totp = second_factor.Totp()
    for step, good in ((now - 2, False), (now + 2, False), (now - 1, True), (now + 1, True)):
        assert totp.check(user, second_factor.code_at(secret, step), clock) is good


@pytest.mark.parametrize(
    ("role", "idle", "still"),
    [
        (Role.STEWARD, timedelta(minutes=14), True),
        (Role.STEWARD, timedelta(minutes=16), False),
        (Role.CHECKER, timedelta(minutes=16), True),
        (Role.CHECKER, timedelta(hours=5), False),
    ],
)
def test_sessions_end_when_idle(
    unit: Unit, client: Client, role: Role, idle: timedelta, still: bool
) -> None:
    client.force_login(add(unit, role, "somebody"))
    session = client.session
    session[OPENED] = session[SEEN] = (datetime.now(UTC) - idle).isoformat()
    session.save()
    client.get("/login/")
    assert ("_auth_user_id" in client.session) is still


def test_sessions_end_after_twelve_hours_of_work(unit: Unit, client: Client) -> None:
    client.force_login(add(unit, Role.STEWARD, "steward"))
    session = client.session
    session[OPENED] = (datetime.now(UTC) - timedelta(hours=12, minutes=1)).isoformat()
    session[SEEN] = datetime.now(UTC).isoformat()
    session.save()
    page = client.get("/login/")
    assert "本次登录已到时限" in page.content.decode()


def test_a_lock_ends_the_session(unit: Unit, client: Client) -> None:
    user = add(unit, Role.DISTRICT_OFFICE, "leader")
    client.force_login(user)
    assert client.get("/users/").status_code == 200
    actions.lock_user(user, reason="left", clock=SystemClock())
    assert client.get("/users/").status_code == 302


def test_a_person_may_not_keep_and_audit(unit: Unit) -> None:
    document = read_document("passport", "SIM000001")
    person = people_for_documents([document])[document]
    steward = add(unit, Role.STEWARD, "steward", person=person)
    with pytest.raises(ProblemError) as caught:
        add(unit, Role.AUDITOR, "auditor", person=person)
    assert caught.value.problems[0].code == "accounts.roles-incompatible"
    checker = add(unit, Role.CHECKER, "checker", person=person)  # control
    with pytest.raises(ProblemError):
        actions.change_user(checker, role=Role.AUDITOR, unit=unit, clock=SystemClock())
    actions.lock_user(steward, reason="left", clock=SystemClock())
    actions.change_user(checker, role=Role.AUDITOR, unit=unit, clock=SystemClock())


def test_the_users_page_ends_at_the_own_subtree(unit: Unit, client: Client) -> None:
    town = actions.add_unit(kind=UnitKind.TOWN, name="甲镇", name_en="Town A", parent=unit)
    boss = add(unit, Role.DISTRICT_OFFICE, "boss")
    clerk = add(town, Role.STREET_OFFICE, "clerk")
    client.force_login(clerk)
    listed = client.get("/users/").content.decode()
    assert "clerk" in listed and "boss" not in listed
    assert client.get(f"/users/{boss.pk}/").status_code == 404
    assert client.post(f"/users/{boss.pk}/lock/", {"reason": "left"}).status_code == 404
    form = {"role": "checker", "unit": unit.pk, "username": "new-one", "password": PASSWORD}
    form |= {"display_name": "岗", "display_name_en": "Post"}
    assert client.post("/users/add/", form).status_code == 422, "a unit above one's own"
    assert client.post("/users/add/", {**form, "unit": town.pk}).status_code == 302
    assert User.objects.latest("pk").added_by is not None, "who gave the first password is known"
    made = User.objects.get(username="new-one")
    assert client.post(f"/users/{made.pk}/lock/", {"reason": "left"}).status_code == 302
    made.refresh_from_db()
    assert not made.is_active
    assert client.post(f"/users/{made.pk}/unlock/").status_code == 302
    assert client.post(f"/users/{clerk.pk}/lock/", {"reason": "left"}).status_code == 302
    clerk.refresh_from_db()
    assert clerk.is_active, "nobody locks themselves"


def test_nobody_gives_away_more_than_they_hold(unit: Unit, client: Client) -> None:
    """A street office that could make a steward would feed facts and publish rules."""
    town = actions.add_unit(kind=UnitKind.TOWN, name="甲镇", name_en="Town A", parent=unit)
    street = add(town, Role.STREET_OFFICE, "street")
    auditor = add(town, Role.AUDITOR, "town-auditor")
    guide = add(town, Role.GUIDE, "guide")
    client.force_login(street)
    form = {"unit": town.pk, "password": PASSWORD, "display_name": "岗", "display_name_en": "Post"}
    above = (Role.STEWARD, Role.AUDITOR, Role.DISTRICT_OFFICE, Role.STREET_OFFICE, Role.PARTNER)
    for role in above:
        made = client.post("/users/add/", {**form, "role": role, "username": f"made-{role}"})
        assert made.status_code == 422, role
        change = {"role": role, "unit": town.pk}
        assert client.post(f"/users/{guide.pk}/", change).status_code == 422, role
        client.post(f"/users/{auditor.pk}/", {"role": Role.GUIDE, "unit": town.pk})
        client.post(f"/users/{auditor.pk}/lock/", {"reason": "left"})
    for kept, role in ((guide, Role.GUIDE), (auditor, Role.AUDITOR)):
        kept.refresh_from_db()
        assert (kept.role, kept.is_active) == (role, True)
    actions.lock_user(auditor, reason="left", clock=SystemClock())
    client.post(f"/users/{auditor.pk}/unlock/")
    auditor.refresh_from_db()
    assert not auditor.is_active
    control = client.post(f"/users/{guide.pk}/", {"role": Role.CHECKER, "unit": town.pk})
    assert control.status_code == 302
    client.force_login(add(unit, Role.DISTRICT_OFFICE, "boss"))
    control = client.post("/users/add/", {**form, "role": Role.STEWARD, "username": "made-one"})
    assert control.status_code == 302


def test_unlocking_gives_no_second_role_that_checks_the_first(unit: Unit) -> None:
    document = read_document("passport", "SIM000001")
    person = people_for_documents([document])[document]
    steward = add(unit, Role.STEWARD, "steward", person=person)
    actions.lock_user(steward, reason="left", clock=SystemClock())
    auditor = add(unit, Role.AUDITOR, "auditor", person=person)
    with pytest.raises(ProblemError):
        actions.unlock_user(steward)
    actions.lock_user(auditor, reason="left", clock=SystemClock())
    actions.unlock_user(steward)  # control


def test_a_residents_name_is_in_the_vault_alone(unit: Unit) -> None:
    document = read_document("passport", "SIM000001")
    person = people_for_documents([document])[document]
    new = actions.NewUser(
        username="resident",
        password=PASSWORD,
        role=Role.RESIDENT,
        unit=unit,
        display_name="王晓明",
        display_name_en="Xiaoming Wang",
        person=person,
    )
    made = actions.add_user(new, clock=SystemClock(), entropy=SystemEntropy())
    made.refresh_from_db()
    # ui.md 7: 王*明; of other scripts the first letter of each part.
    assert (made.display_name, made.display_name_en) == ("王*明", "X** W**")
    assert add(unit, Role.GUIDE, "guide").display_name == "岗位", "control: a post is no name"


def test_a_resident_is_not_made_on_the_users_page(unit: Unit, client: Client) -> None:
    client.force_login(add(unit, Role.DISTRICT_OFFICE, "boss"))
    form = {"role": "resident", "unit": unit.pk, "username": "new-one", "password": PASSWORD}
    page = client.post("/users/add/", {**form, "display_name": "岗", "display_name_en": "P"})
    assert page.status_code == 422


@pytest.mark.parametrize("language", ["zh", "en"])
def test_faults_are_words_in_both_languages(unit: Unit, client: Client, language: str) -> None:
    client.force_login(add(unit, Role.DISTRICT_OFFICE, "boss"))
    form = {"username": "boss", "role": "checker", "unit": unit.pk, "password": "short"}
    page = client.post(f"/users/add/?lang={language}", form)
    text = page.content.decode()
    assert page.status_code == 422
    assert ("密码要有至少12个字符" if language == "zh" else "at least 12 characters") in text
    assert 'aria-invalid="true"' in text
    assert 'value="boss"' in text, "what was typed is kept"


def test_a_revocation_names_something(db: None) -> None:
    with pytest.raises(Exception, match="accounts_revocation_names_something"):
        Revocation.objects.create(revoked_at=datetime.now(UTC))
