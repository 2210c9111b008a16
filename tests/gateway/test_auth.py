"""Who asks: DPoP (RFC 9449) and grants, each check refused for its own reason."""

import time

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.gateway.conftest import Running
from tests.gateway.device import Device
from tests.gateway.office import Office

PATH = "/v1/me"


@pytest.fixture
def phone(office: Office, gateway: Running) -> Device:
    office.publish(7, (None, "green", None))
    gateway.knows(office)
    return office.resident(7)


def ask(
    gateway: Running, phone: Device, *, grant: str | None = None, proof: str | None = None
) -> tuple[int, str]:
    answer = gateway.client.get(
        PATH,
        headers={
            "Authorization": f"DPoP {grant or phone.grant}",
            "DPoP": proof if proof is not None else phone.proof("GET", PATH, grant=grant),
        },
    )
    if answer.status_code == 200:
        return 200, answer.json()["colour"]
    return answer.status_code, answer.json()["error"]


def test_a_good_proof_is_taken_once(gateway: Running, phone: Device) -> None:
    proof = phone.proof("GET", PATH)
    assert ask(gateway, phone, proof=proof) == (200, "green")
    assert ask(gateway, phone, proof=proof) == (401, "proof-repeated")
    # Still remembered near the last moment at which its time would be accepted.
    gateway.clock.advance(seconds=55)
    assert ask(gateway, phone, proof=proof) == (401, "proof-repeated")


@pytest.mark.parametrize("seconds", [-61, 62])
def test_a_proof_lives_a_minute_either_way(gateway: Running, phone: Device, seconds: int) -> None:
    now = int(gateway.clock.now().timestamp())
    assert ask(gateway, phone, proof=phone.proof("GET", PATH, iat=now + seconds)) == (
        401,
        "proof-time",
    )
    near = seconds + (3 if seconds < 0 else -3)
    assert ask(gateway, phone, proof=phone.proof("GET", PATH, iat=now + near))[0] == 200


PROOF_FLAWS = [
    ({"htm": "POST"}, "proof-bad"),
    ({"htu": "https://elsewhere.example/v1/me"}, "proof-bad"),
    ({"htu": "https://code.example.cn/v1/codes"}, "proof-bad"),
    ({"htu": None}, "proof-bad"),
    ({"ath": None}, "proof-bad"),
    ({"ath": "x"}, "proof-bad"),
    ({"iat": None}, "proof-bad"),
    ({"iat": True}, "proof-bad"),
    ({"iat": "now"}, "proof-bad"),
    ({"iat": 1e308}, "proof-time"),
    ({"iat": 10**400}, "proof-time"),
    ({"iat": -(10**400)}, "proof-time"),
    ({"jti": None}, "proof-bad"),
    ({"jti": ""}, "proof-bad"),
    ({"jti": "x" * 200}, "proof-bad"),
    ({"header": {"typ": "JWT"}}, "proof-bad"),
    ({"header": {"jwk": {}}}, "proof-bad"),
    ({"header": {"jwk": None}}, "proof-bad"),
    ({"header": {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}}, "proof-bad"),
    ({"header": {"jwk": {"kty": "oct", "k": "AAAA"}}}, "proof-bad"),
    ({"key": ec.generate_private_key(ec.SECP256R1())}, "proof-bad"),
]


def test_each_flaw_of_a_proof_is_refused(gateway: Running, phone: Device) -> None:
    for changes, error in PROOF_FLAWS:
        answer = ask(gateway, phone, proof=phone.proof("GET", PATH, **changes))
        assert answer == (401, error), changes


def test_another_devices_proof_is_refused(office: Office, gateway: Running, phone: Device) -> None:
    other = office.resident(7)
    proof = other.proof("GET", PATH, grant=phone.grant)
    assert ask(gateway, phone, proof=proof) == (401, "proof-bad")


GRANT_FLAWS = [
    {"iss": "cn-310101"},
    {"exp": int(time.time()) + 90_000_000},
    {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 7200},
    {"ord": None},
    {"ord": -1},
    {"ord": "7"},
    {"role": "owner"},
    {"cnf": {}},
    {"cnf": None},
    {"sub": None},
    {"venues": "all"},
]


def test_each_flaw_of_a_grant_is_refused(gateway: Running, phone: Device) -> None:
    for changes in GRANT_FLAWS:
        answer = ask(gateway, phone, grant=phone.make_grant(**changes))
        assert answer == (401, "grant-bad"), changes


def test_a_grant_of_another_key_or_algorithm_is_refused(gateway: Running, phone: Device) -> None:
    claims = jwt.decode(phone.grant, options={"verify_signature": False})
    foreign = jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA")
    assert ask(gateway, phone, grant=foreign) == (401, "grant-bad")
    assert ask(gateway, phone, grant=jwt.encode(claims, "", algorithm="none")) == (401, "grant-bad")
    own = jwt.encode(claims, phone.key, algorithm="ES256")
    assert ask(gateway, phone, grant=own) == (401, "grant-bad")


def test_a_grant_ends(gateway: Running, phone: Device) -> None:
    gateway.clock.advance(hours=8, seconds=-2)
    assert ask(gateway, phone)[0] == 200
    gateway.clock.advance(seconds=3)
    assert ask(gateway, phone) == (401, "grant-expired")


@pytest.mark.parametrize("what", ["jti", "handle"])
def test_a_revoked_grant_is_refused_within_two_seconds(
    office: Office, gateway: Running, phone: Device, what: str
) -> None:
    assert ask(gateway, phone)[0] == 200
    office.revoke(**{what: getattr(phone, what)})
    gateway.until(lambda: ask(gateway, phone) == (401, "grant-revoked"), seconds=2.5)
    assert ask(gateway, office.resident(7))[0] == 200


def test_rates_are_bounded(gateway: Running, phone: Device) -> None:
    answers = [ask(gateway, phone)[0] for _ in range(40)]
    assert 200 in answers
    assert 429 in answers
    assert set(answers) <= {200, 429}


def test_two_proofs_are_none(gateway: Running, phone: Device) -> None:
    answer = gateway.client.get(
        PATH,
        headers=httpx.Headers(
            [
                ("Authorization", f"DPoP {phone.grant}"),
                ("DPoP", phone.proof("GET", PATH)),
                ("DPoP", phone.proof("GET", PATH)),
            ]
        ),
    )
    assert answer.status_code == 401
