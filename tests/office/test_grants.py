"""Grants: bound to a device's key, two devices a person, ended by logout, lock and loss."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.test import Client

from passlight.core.kernel.documents import read_document
from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts import actions, grants
from passlight.office.accounts.middleware import SEEN
from passlight.office.accounts.models import Registration, Revocation, Role, Unit, UnitKind, User
from passlight.office.accounts.sessions import SESSION_GRANTS_MAX
from passlight.office.people.actions import register_person
from passlight.office.people.identity import NewPerson
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.database import Role as DatabaseRole
from passlight.runtime.keys import KeyFolder


def key(number: int) -> dict[str, str]:
    coordinate = base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")
    return {"kty": "EC", "crv": "P-256", "x": coordinate, "y": coordinate}


def ask(client: Client, number: int, path: str = "/me/grant/") -> dict[str, Any]:
    done = client.post(path, json.dumps({"jwk": key(number)}), content_type="application/json")
    assert done.status_code == 200, done.content
    return dict(done.json())


def claims(token: str) -> dict[str, Any]:
    secret = KeyFolder(settings.PASSLIGHT.keys).read("grant")
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key()
    return dict(jwt.decode(token, public, algorithms=["EdDSA"], options={"verify_aud": False}))


@pytest.fixture
def unit(db: None) -> Unit:
    return actions.add_unit(kind=UnitKind.DISTRICT, name="测试区", name_en="Test District")


@pytest.fixture
def resident(unit: Unit) -> User:
    document = read_document("passport", "SIM000001")
    person = register_person(NewPerson(documents=(document,), name="王晓明"))
    return add(Role.RESIDENT, unit=None, person=person)


def add(role: Role, **more: Any) -> User:
    new = actions.NewUser(
        username=role.value,
        password="correct horse staple",
        role=role,
        display_name="岗",
        display_name_en="Post",
        **more,
    )
    return actions.add_user(new, clock=SystemClock(), entropy=SystemEntropy())


def test_rfc_7638_thumbprint() -> None:
    """The members of an EC key in RFC 7638 3.2's order; hashed by hand with openssl:

    printf '{"crv":"P-256","kty":"EC","x":"AAAA…AE","y":"AAAA…AE"}' | openssl sha256 -binary | base64
    """
    expected = "WBwz_eydGaUUNqZ9g8aU_R0f3gjSe6XiRpfwTtZPk44"
    assert grants.thumbprint({**key(1), "kid": "ignored", "alg": "ES256"}) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"crv": "P-384"},
        {"kty": "OKP"},
        {"x": "short"},
        {"x": 5},
        {"y": None},
        {"d": "private"},
        {"x": "A" * 42 + "="},
    ],
)
def test_anything_but_a_public_es256_key_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ProblemError):
        grants.thumbprint({**key(1), **change})


def test_a_residents_grant(resident: User, client: Client) -> None:
    client.force_login(resident)
    answer = ask(client, 1)
    said = claims(answer["grant"])
    registration = Registration.objects.get()
    assert said["iss"] == settings.PASSLIGHT.realm
    assert said["sub"] == registration.handle
    assert (said["role"], said["ord"]) == ("resident", resident.person.ordinal)
    assert said["cnf"] == {"jkt": grants.thumbprint(key(1))}
    assert said["exp"] - said["iat"] <= 24 * 3600
    assert datetime.fromisoformat(answer["expires_at"]).timestamp() == said["exp"]
    assert "venues" not in said
    assert str(resident.pk) not in (said["sub"], said["jti"])


def test_a_checkers_grant_ends_with_the_shift_and_names_venues(unit: Unit, client: Client) -> None:
    client.force_login(add(Role.CHECKER, unit=unit))
    said = claims(ask(client, 1, "/checker/grant/")["grant"])
    assert said["role"] == "checker"
    assert said["venues"] == []
    assert said["unit"] == unit.pk
    assert "ord" not in said
    assert said["exp"] - said["iat"] <= 12 * 3600


def test_a_grant_is_for_its_role(resident: User, client: Client) -> None:
    body = json.dumps({"jwk": key(1)})
    assert client.post("/me/grant/", body, content_type="application/json").status_code == 401
    client.force_login(resident)
    done = client.post("/checker/grant/", body, content_type="application/json")
    assert done.status_code == 403
    assert client.get("/me/grant/").status_code == 405
    outsider = Client(enforce_csrf_checks=True)
    outsider.force_login(resident)
    assert outsider.post("/me/grant/", body, content_type="application/json").status_code == 403


@pytest.mark.parametrize("body", ["", "[]", "{", '{"jwk": 5}', "[" * 4000, '{"jwk": ""}' * 900])
def test_a_bad_body_is_a_bad_request(resident: User, client: Client, body: str) -> None:
    client.force_login(resident)
    done = client.post("/me/grant/", body, content_type="application/json")
    assert done.status_code == 400
    assert done.json()["error"] == "accounts.device-key"
    assert Registration.objects.count() == 0


def test_a_third_device_takes_the_place_of_the_oldest(resident: User, client: Client) -> None:
    client.force_login(resident)
    handles = [claims(ask(client, number)["grant"])["sub"] for number in (1, 2)]
    assert claims(ask(client, 1)["grant"])["sub"] == handles[0], "control: the same device"
    assert Revocation.objects.count() == 0
    third = claims(ask(client, 3)["grant"])["sub"]
    live = set(Registration.objects.filter(revoked_at=None).values_list("handle", flat=True))
    assert live == {handles[0], third}, "device 2 was used least lately"
    assert list(Revocation.objects.values_list("handle", flat=True)) == [handles[1]]


def test_an_older_device_is_told_of_a_newer_one_once(resident: User, client: Client) -> None:
    client.force_login(resident)
    assert ask(client, 1)["new_devices"] == []
    assert ask(client, 2)["new_devices"] == []
    newer = Registration.objects.get(thumbprint=grants.thumbprint(key(2)))
    assert ask(client, 1)["new_devices"] == [newer.created_at.isoformat()]
    assert ask(client, 1)["new_devices"] == []


def test_logout_ends_the_grants_of_that_session(resident: User, client: Client) -> None:
    client.force_login(resident)
    jti = claims(ask(client, 1)["grant"])["jti"]
    client.post("/logout/")
    row = Revocation.objects.get()
    assert (row.jti, row.handle) == (jti, "")
    assert Registration.objects.filter(revoked_at=None).count() == 1, "the phone stays known"


def revoked() -> set[str]:
    return set(Revocation.objects.values_list("jti", flat=True))


def test_logout_ends_early_grants_of_a_long_session_too(resident: User, client: Client) -> None:
    client.force_login(resident)
    given = {claims(ask(client, 1)["grant"])["jti"] for _ in range(12)}
    assert len(revoked()) == 12 - SESSION_GRANTS_MAX, "control: the last ones still hold"
    client.post("/logout/")
    assert revoked() == given


def test_the_next_person_in_a_browser_ends_the_first_ones_grants(
    resident: User, unit: Unit, client: Client
) -> None:
    add(Role.CHECKER, unit=unit)
    client.force_login(resident)
    given = claims(ask(client, 1)["grant"])["jti"]
    form = {"username": "checker", "password": "correct horse staple"}
    assert client.post("/login/", form).status_code == 302
    assert revoked() == {given}


def test_a_session_that_was_left_alone_ends_with_its_grants(unit: Unit, client: Client) -> None:
    client.force_login(add(Role.CHECKER, unit=unit))
    given = claims(ask(client, 1, "/checker/grant/")["grant"])["jti"]
    session = client.session
    session[SEEN] = (datetime.now(UTC) - timedelta(hours=5)).isoformat()
    session.save()
    client.get("/login/")
    assert revoked() == {given}


def test_new_devices_come_to_an_end(resident: User, client: Client) -> None:
    """A fresh device has fresh limits at the gateway, so there is one on fresh devices."""
    client.force_login(resident)
    for number in range(actions.REGISTRATIONS_A_DAY_MAX):
        ask(client, number + 1)
    body = json.dumps({"jwk": key(99)})
    done = client.post("/me/grant/", body, content_type="application/json")
    assert (done.status_code, done.json()["error"]) == (429, "accounts.devices-too-many")
    ask(client, actions.REGISTRATIONS_A_DAY_MAX)  # control: one that is registered goes on
    Registration.objects.update(created_at=datetime.now(UTC) - timedelta(days=1))
    ask(client, 99)


def test_a_lock_ends_every_device(resident: User, client: Client) -> None:
    client.force_login(resident)
    handle = claims(ask(client, 1)["grant"])["sub"]
    actions.lock_user(resident, reason="suspicious", clock=SystemClock())
    assert Revocation.objects.get().handle == handle
    actions.unlock_user(resident)
    client.force_login(resident)
    assert claims(ask(client, 1)["grant"])["sub"] != handle, "an ended handle never comes back"


def test_a_lost_phone_is_ended_once(resident: User, client: Client) -> None:
    client.force_login(resident)
    ask(client, 1)
    registration = Registration.objects.get()
    for _ in range(2):
        actions.revoke_registration(registration, reason="lost", clock=SystemClock())
    assert Revocation.objects.count() == 1


def test_no_grant_outlives_its_session(resident: User) -> None:
    class Noon:
        def now(self) -> datetime:
            return datetime(2026, 3, 1, 12, tzinfo=UTC)

        def monotonic(self) -> float:
            return 0.0

    device = actions.register_device(
        resident, thumbprint="t", device_name="", clock=Noon(), entropy=SystemEntropy()
    )
    for left, lasts in ((timedelta(hours=1), 1), (timedelta(hours=30), 24)):
        until = Noon().now() + left
        grant = grants.sign_grant(device, until=until, clock=Noon(), entropy=SystemEntropy())
        assert grant.expires_at - Noon().now() == timedelta(hours=lasts)


@pytest.mark.django_db(transaction=True)
def test_gateways_hear_of_a_revocation(
    role_urls: dict[DatabaseRole, str], resident: User, client: Client
) -> None:
    client.force_login(resident)
    ask(client, 1)
    with psycopg.connect(role_urls[DatabaseRole.GATEWAY], autocommit=True) as gateway:
        gateway.execute("LISTEN passlight_revocations")
        actions.lock_user(resident, reason="left", clock=SystemClock())
        heard = next(gateway.notifies(timeout=5, stop_after=1))
        row = gateway.execute("SELECT seq, handle FROM accounts_revocation").fetchone()
    assert row is not None
    assert heard.payload == str(row[0])
