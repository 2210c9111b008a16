"""Enrolment, grants, revocation and wiping, over the addresses that devices and people use.

Expected answers are the contract's: a token serves once and for 15 minutes, two people, six
digits, seven days, and nobody but the device's key speaks for it.
"""

import json
import re
import uuid
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.test import Client

from passlight.core.codes.envelope import WIPE, open_envelope
from passlight.core.codes.layout import Purpose
from passlight.office.accounts.models import Revocation, User
from passlight.office.gates.models import GateAlarm, GateDevice, GateReceipt, GateToken
from passlight.office.gates.service import GRANT_LIFE
from passlight.office.people.models import Access
from passlight.office.records.models import Record
from passlight.runtime.database import Role as DatabaseRole
from passlight.runtime.device_key import DeviceKey, fingerprint_of
from passlight.runtime.keys import KeyFolder
from passlight.runtime.sealed import Sealer, Use
from passlight.runtime.signing import public_key_for
from passlight.simulation.gate_client import let_in
from tests.gates.conftest import CLOCK, ENTROPY, Cast

URL = "https://code.example.cn"


@pytest.fixture(autouse=True)
def public_url(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    monkeypatch.setattr(settings, "PASSLIGHT", replace(settings.PASSLIGHT, public_url=URL))


def token_of(cast: Cast) -> str:
    """Make a token on the page, as the first colleague does, and read it off the page."""
    door = f"{cast.entrance.venue_id}/{cast.entrance.code}"
    page = cast.browser(cast.first).post("/gates/new/", {"door": door, "name": "东门1号"})
    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store"
    found = re.findall(r'<dd class="mono">([A-Za-z0-9_-]{43})</dd>', page.content.decode())
    assert len(found) == 1
    return found[0]


def post(path: str, body: dict[str, Any], **headers: str) -> Any:
    return Client(enforce_csrf_checks=True).post(
        path, json.dumps(body), content_type="application/json", headers=headers
    )


def initialize(token: str, key: DeviceKey) -> Any:
    return post("/gates/initialize", {"token": token, "jwk": key.jwk, "software": "1.0"})


def ask_grant(key: DeviceKey, *, path: str = "/gates/grant", **changes: Any) -> Any:
    proof = key.proof(
        method="POST",
        url=f"{URL}{path}",
        grant=None,
        now=CLOCK.now().timestamp() + changes.get("late", 0),
        jti=changes.get("jti", uuid.uuid4().hex),
    )
    return post(path, changes.get("body", {}), DPoP=proof)


def confirm(cast: Cast, user: User, device: str, digits: str) -> Any:
    return cast.browser(user).post(f"/gates/{device}/confirm/", {"fingerprint": digits})


def enrolled(cast: Cast, key: DeviceKey) -> GateDevice:
    device, _ = let_in(
        cast.entrance, key, first=cast.first, second=cast.second, clock=CLOCK, entropy=ENTROPY
    )
    return device


def test_a_device_is_let_in_by_two_people(cast: Cast, key: DeviceKey, keys: KeyFolder) -> None:
    begun = initialize(token_of(cast), key)
    assert begun.status_code == 200
    said = begun.json()
    root = public_key_for(keys, Purpose.LIST)
    assert said["roots"] == [root.hex()]
    digits = fingerprint_of(key.thumbprint, realm=said["realm"], roots=[root])
    assert said["fingerprint"] == digits
    assert re.fullmatch("[0-9]{6}", digits)

    waiting = ask_grant(key)
    assert (waiting.status_code, waiting.json()["error"]) == (403, "pending")
    assert confirm(cast, cast.second, said["device"], digits).status_code == 302

    given = ask_grant(key)
    assert given.status_code == 200
    claims = jwt.decode(given.json()["grant"], options={"verify_signature": False})
    assert claims["role"] == "gate"
    assert claims["venues"] == [str(cast.entrance.venue_id)]
    assert (claims["entrance"], claims["device"]) == ("east", said["device"])
    assert claims["exp"] - claims["iat"] == 7 * 86_400
    assert claims["cnf"] == {"jkt": key.thumbprint}
    assert timedelta(days=7) == GRANT_LIFE


def test_a_token_serves_once(cast: Cast, key: DeviceKey) -> None:
    token = token_of(cast)
    assert initialize(token, key).status_code == 200
    again = initialize(token, DeviceKey.make(ENTROPY))
    assert (again.status_code, again.json()["error"]) == (403, "token-bad")
    assert GateDevice.objects.count() == 1


def test_a_token_serves_for_fifteen_minutes(cast: Cast, key: DeviceKey) -> None:
    token = token_of(cast)
    row = GateToken.objects.get()
    assert row.expires_at - row.made_at == timedelta(minutes=15)
    GateToken.objects.update(expires_at=CLOCK.now())
    assert initialize(token, key).json()["error"] == "token-bad"
    GateToken.objects.update(expires_at=CLOCK.now() + timedelta(seconds=30))
    assert initialize(token, key).status_code == 200, "the control: in time it is taken"


def test_the_token_is_not_in_the_database(cast: Cast) -> None:
    token = token_of(cast)
    assert token.encode() not in bytes(GateToken.objects.get().digest)


def test_the_same_person_never_confirms(cast: Cast, key: DeviceKey) -> None:
    said = initialize(token_of(cast), key).json()
    page = confirm(cast, cast.first, said["device"], said["fingerprint"])
    assert page.status_code == 422
    assert "生成口令的人不能确认" in page.content.decode()
    assert GateDevice.objects.get().state == "pending"
    assert confirm(cast, cast.second, said["device"], said["fingerprint"]).status_code == 302


def test_two_accounts_of_one_human_being_are_one_person(cast: Cast, key: DeviceKey) -> None:
    from passlight.office.people.models import Person

    person = Person.objects.create(
        id=uuid.uuid4(), ordinal=1, facts_key="p-1", visits_key="v-1", registered_at=CLOCK.now()
    )
    User.objects.filter(pk__in=[cast.first.pk, cast.second.pk]).update(person=person)
    said = initialize(token_of(cast), key).json()
    assert confirm(cast, cast.second, said["device"], said["fingerprint"]).status_code == 422


def test_whoever_made_an_account_does_not_confirm_beside_it(cast: Cast, key: DeviceKey) -> None:
    """Either way round: they gave its first password, and could be both."""
    said = initialize(token_of(cast), key).json()
    for one, other in ((cast.first, cast.second), (cast.second, cast.first)):
        User.objects.filter(pk=one.pk).update(added_by=other)
        assert confirm(cast, cast.second, said["device"], said["fingerprint"]).status_code == 422
        User.objects.filter(pk=one.pk).update(added_by=None)
    User.objects.filter(pk__in=[cast.first.pk, cast.second.pk]).update(added_by=cast.elsewhere)
    assert confirm(cast, cast.second, said["device"], said["fingerprint"]).status_code == 302


def test_the_office_s_own_database_role_does_all_of_it(
    cast: Cast, key: DeviceKey, as_role: Any
) -> None:
    with as_role(DatabaseRole.OFFICE):
        said = initialize(token_of(cast), key).json()
        wrong = f"{(int(said['fingerprint']) + 1) % 1_000_000:06d}"
        assert confirm(cast, cast.second, said["device"], wrong).status_code == 422
        assert confirm(cast, cast.second, said["device"], said["fingerprint"]).status_code == 302
        assert ask_grant(key).status_code == 200
        device = GateDevice.objects.get()
        alarm = GateAlarm.objects.create(device=device, kind="receipt", at=CLOCK.now())
        second = cast.browser(cast.second)
        assert second.post(f"/gates/alarms/{alarm.pk}/seen/").status_code == 302
        end = {"reason": "丢失", "erase": "on"}
        assert second.post(f"/gates/{device.pk}/end/", end).status_code == 302
        assert second.post(f"/gates/{device.pk}/end/", {"reason": "丢失"}).status_code == 302
    device.refresh_from_db()
    assert (device.state, device.misread) == ("revoked", 1)


def test_the_database_itself_refuses_one_person_twice(cast: Cast, key: DeviceKey) -> None:
    from django.db import IntegrityError, transaction

    device = enrolled(cast, key)
    with pytest.raises(IntegrityError), transaction.atomic():
        GateDevice.objects.filter(pk=device.pk).update(confirmed_by=device.invited_by_id)


def test_three_wrong_readings_end_it_with_an_alarm(cast: Cast, key: DeviceKey) -> None:
    said = initialize(token_of(cast), key).json()
    wrong = f"{(int(said['fingerprint']) + 1) % 1_000_000:06d}"
    for _ in range(2):
        assert confirm(cast, cast.second, said["device"], wrong).status_code == 422
        assert GateDevice.objects.get().state == "pending"
    assert not GateAlarm.objects.exists()
    confirm(cast, cast.second, said["device"], wrong)
    assert GateDevice.objects.get().state == "revoked"
    assert GateAlarm.objects.get().kind == "fingerprint"
    assert confirm(cast, cast.second, said["device"], said["fingerprint"]).status_code == 422


def test_another_towns_office_sees_no_device(cast: Cast, key: DeviceKey) -> None:
    said = initialize(token_of(cast), key).json()
    assert confirm(cast, cast.elsewhere, said["device"], said["fingerprint"]).status_code == 404


def test_a_grant_needs_the_devices_own_key_once(cast: Cast, key: DeviceKey) -> None:
    enrolled(cast, key)
    assert ask_grant(DeviceKey.make(ENTROPY)).json()["error"] == "unknown"
    assert ask_grant(key, late=-120).json()["error"] == "proof-bad"
    assert post("/gates/grant", {}).status_code == 401
    name = uuid.uuid4().hex
    assert ask_grant(key, jti=name).status_code == 200
    assert ask_grant(key, jti=name).status_code == 401, "a proof is taken once"


def test_guessing_tokens_makes_one_wait(cast: Cast, key: DeviceKey) -> None:
    token = token_of(cast)
    for _ in range(10):
        assert initialize("x" * 43, key).status_code == 403
    assert initialize(token, key).status_code == 429


@pytest.mark.parametrize(
    "body",
    [{}, {"token": 1}, {"token": "x" * 10_000}, {"token": "x", "jwk": {"kty": "RSA"}}, {"jwk": []}],
)
def test_malformed_requests_are_refused(cast: Cast, body: dict[str, Any]) -> None:
    answer = post("/gates/initialize", body)
    assert answer.status_code in {400, 403}
    assert set(answer.json()["message"]) == {"zh", "en"}


def test_revocation_reaches_gateways_and_ends_the_grant(cast: Cast, key: DeviceKey) -> None:
    device = enrolled(cast, key)
    page = cast.browser(cast.second).post(f"/gates/{device.pk}/end/", {"reason": "丢失"})
    assert page.status_code == 302
    assert Revocation.objects.get().handle == str(device.pk)
    assert ask_grant(key).json()["error"] == "revoked"


def test_a_wipe_is_ordered_signed_and_receipted(
    cast: Cast, key: DeviceKey, keys: KeyFolder
) -> None:
    device = enrolled(cast, key)
    cast.browser(cast.second).post(f"/gates/{device.pk}/end/", {"reason": "退役", "erase": "on"})
    answer = ask_grant(key)
    assert (answer.status_code, answer.json()["error"]) == (403, "wipe")
    assert answer.json()["grant"], "what it has recorded must still come up"
    assert not Revocation.objects.exists()
    payload = open_envelope(
        json.dumps(answer.json()["order"]).encode(),
        kind=WIPE,
        realm=settings.PASSLIGHT.realm,
        keys=[public_key_for(keys, Purpose.LIST)],
        bytes_max=4096,
    )
    order = json.loads(payload)
    assert order["device"] == str(device.pk)

    said = {"device": str(device.pk), "order": order["order"], "left": 3, "wiped_at": 1}
    stranger = DeviceKey.make(ENTROPY).statement("wipe-receipt", said)
    assert post("/gates/receipt", {"receipt": stranger}).status_code == 403
    false = key.statement("wipe-receipt", {**said, "order": "another"})
    assert post("/gates/receipt", {"receipt": false}).status_code == 403
    assert GateAlarm.objects.get().kind == "receipt"
    assert GateDevice.objects.get().state == "wiping"

    good = key.statement("wipe-receipt", said)
    for _ in range(2):
        assert post("/gates/receipt", {"receipt": good}).status_code == 200
    assert GateDevice.objects.get().state == "wiped"
    assert GateReceipt.objects.get().left == 3
    assert Revocation.objects.get().handle == str(device.pk)
    assert ask_grant(key).json()["error"] == "wiped"


def test_a_document_is_found_beside_an_access_row(
    cast: Cast, key: DeviceKey, keys: KeyFolder
) -> None:
    from passlight.core.kernel.documents import read_document
    from passlight.office.people.actions import register_person
    from passlight.office.people.identity import NewPerson

    found = read_document("resident-id", "11010519491231002X")
    register_person(NewPerson(documents=(found,), name="张三"), clock=CLOCK)
    device = enrolled(cast, key)
    path = "/gates/document"
    body = {"type": "resident-id", "number": "11010519491231002X"}
    answer = ask_grant(key, path=path, body=body)
    assert answer.status_code == 200, answer.content
    handle = Sealer(keys.read("lookup")).open(
        Use.SUBJECT, answer.json()["subject_token"], checker=str(device.pk), now=CLOCK.now()
    )
    assert handle.venue == str(cast.entrance.venue_id)
    row = Access.objects.get()
    assert (row.actor, row.fields, row.purpose) == (device.account, ["document"], "door")
    assert "示例大厅 东门" in row.place

    other = {"type": "resident-id", "number": "110105194912310038"}
    assert ask_grant(key, path=path, body=other).status_code in {404, 422}
    assert Access.objects.count() == 1
    cast.browser(cast.second).post(f"/gates/{device.pk}/end/", {"reason": "丢失"})
    assert ask_grant(key, path=path, body=body).status_code == 403


def test_who_checked_in_here_is_found_by_four_signs(
    cast: Cast, key: DeviceKey, keys: KeyFolder
) -> None:
    """Field/01 1.2: venue code or sentinel. Half an hour, this entrance, and one person alone."""
    from passlight.core.kernel.documents import read_document
    from passlight.office.people.actions import register_person
    from passlight.office.people.identity import NewPerson

    found = read_document("resident-id", "11010519491231002X")
    person = register_person(NewPerson(documents=(found,), name="张三"), clock=CLOCK)
    device = enrolled(cast, key)
    check_in(cast, "a3f2", person.visits_key)
    check_in(cast, "0b0b", person.visits_key, minutes=31)
    check_in(cast, "0c0c", person.visits_key, entrance="west")
    check_in(cast, "0d0d", person.visits_key)
    check_in(cast, "0d0d", b"k" * 16)  # two with the same signs: nobody
    path = "/gates/arrival"
    for signs in ("0B0B", "0C0C", "0D0D", "FFFF", "", "a"):
        assert ask_grant(key, path=path, body={"check": signs}).status_code == 404, signs
    assert Access.objects.count() == 0
    answer = ask_grant(key, path=path, body={"check": "A3F2"})
    assert answer.status_code == 200, answer.content
    handle = Sealer(keys.read("lookup")).open(
        Use.SUBJECT, answer.json()["subject_token"], checker=str(device.pk), now=CLOCK.now()
    )
    assert (handle.ordinal, handle.venue) == (person.ordinal, str(cast.entrance.venue_id))
    row = Access.objects.get()
    assert (row.actor, row.purpose) == (device.account, "door")
    cast.browser(cast.second).post(f"/gates/{device.pk}/end/", {"reason": "丢失"})
    assert ask_grant(key, path=path, body={"check": "A3F2"}).status_code == 403


def check_in(
    cast: Cast, signs: str, visits_key: bytes | None, *, minutes: int = 0, entrance: str = "east"
) -> None:
    """Store a check-in as the gateway's reader does."""
    at = CLOCK.now() - timedelta(minutes=minutes)
    Record.objects.create(
        key=f"{signs}{uuid.uuid4()}",
        kind="checkin",
        gateway="g1",
        spool_seq=uuid.uuid4().int % 10**9,
        actor="",
        venue_id=cast.entrance.venue_id,
        entrance=entrance,
        visits_key=visits_key,
        answer="green",
        occurred_at=at,
        acknowledged_at=at,
        digest=b"d",
        payload={},
    )


def test_nobody_logs_in_with_a_gates_account(cast: Cast, key: DeviceKey) -> None:
    device = enrolled(cast, key)
    assert device.account is not None
    assert not device.account.is_active
    assert not device.account.check_password("")


@pytest.mark.parametrize("limit", ["LOOKUPS_A_MINUTE", "LOOKUPS_AN_HOUR"])
def test_look_ups_are_counted_by_device(
    cast: Cast, key: DeviceKey, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    from passlight.office.gates import machine_views

    monkeypatch.setattr(machine_views, limit, 2)
    enrolled(cast, key)
    body = {"type": "resident-id", "number": "11010519491231002X"}
    for status in (404, 404, 429):  # made-up signs of a check-in stop no card of another
        assert ask_grant(key, path="/gates/arrival", body={"check": "F"}).status_code == status
    for _ in range(2):
        assert ask_grant(key, path="/gates/document", body=body).status_code == 404
    assert ask_grant(key, path="/gates/document", body=body).status_code == 429
    other = DeviceKey.make(ENTROPY)
    enrolled(cast, other)
    assert ask_grant(other, path="/gates/document", body=body).status_code == 404


def test_the_digits_are_of_key_realm_and_signers() -> None:
    """Oracle: SHA-256 of the parts with NUL between, its first 64 bits modulo a million."""
    import hashlib

    content = b"passlight gate fingerprint 1\0thumb\0cn-310118\0" + bytes(32).hex().encode()
    number = int(hashlib.sha256(content).hexdigest()[:16], 16) % 1_000_000
    assert fingerprint_of("thumb", realm="cn-310118", roots=[bytes(32)]) == f"{number:06d}"
    assert fingerprint_of("thumb", realm="cn-310101", roots=[bytes(32)]) != f"{number:06d}"
