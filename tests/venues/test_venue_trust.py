"""Venue codes with a trust list: the right purpose, realm and key, and nothing else."""

import dataclasses
from datetime import date
from uuid import UUID

import pytest

from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose
from passlight.core.codes.trust import Realm, TrustedKey, TrustList
from passlight.core.places.venue_code import Presence, VenueCodeError
from passlight.core.verification.venue_codes import sign_venue_code, verify_venue_code
from tests.venues import vector_builder

REALM = vector_builder.REALM
# 2026-11-22T12:00:00Z, by the calendar: 20,779 days after 1970-01-01, and half a day.
NOW = 20_779 * 86_400 + 43_200
SEED = vector_builder.SEED


def trusted(purpose=Purpose.VENUE, **changes):
    issuer = Issuer.of_seed(SEED, realm=REALM, purpose=purpose, slot_code=0)
    fields = {
        "realm": REALM,
        "purpose": purpose,
        "public_key": issuer.public_key,
        "starts_from": NOW - 5 * 86_400,
        "signs_until": NOW + 100 * 86_400,
        "starts_until": NOW + 100 * 86_400,
        "listed_until": NOW + 1000 * 86_400,
        **changes,
    }
    return TrustedKey(**fields)


def trust_list(*keys):
    return TrustList.of(
        keys, sequence=1, expires_at=NOW + 86_400, realms={REALM: Realm(offset=480)}
    )


def token(**changes):
    fields = {
        "venue_id": UUID("6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b"),
        "entrance": "north",
        "zone": "f2",
        "presence": Presence.WEAK,
        "issued_on": date(2026, 11, 22),
        "days": 730,
        **changes,
    }
    issuer = Issuer.of_seed(SEED, realm=REALM, purpose=Purpose.VENUE, slot_code=0)
    return sign_venue_code(issuer, **fields)


def reason(text, keys, *, now=NOW, realm=REALM):
    with pytest.raises(VenueCodeError) as caught:
        verify_venue_code(text, trust=trust_list(*keys), realm=realm, now=now)
    return caught.value.reason


def test_the_token_is_the_vector_made_apart():
    good = vector_builder.build()["vectors"][0]["token"]
    assert token() == good
    code = verify_venue_code(good, trust=trust_list(trusted()), realm=REALM, now=NOW)
    assert (code.zone, code.entrance, code.presence) == ("f2", "north", Presence.WEAK)


def test_keys_of_other_purposes_and_realms_do_not_count():
    for purpose in (Purpose.PHONE, Purpose.PAPER, Purpose.LIST):
        assert reason(token(), [trusted(purpose)]) == "key-unknown"
    assert reason(token(), [trusted()], realm="cn-310101") == "key-unknown"
    assert verify_venue_code(token(), trust=trust_list(trusted()), realm=REALM, now=NOW)


def test_a_revoked_and_a_forgotten_key():
    assert reason(token(), [dataclasses.replace(trusted(), revoked=True)]) == "key-revoked"
    assert reason(token(), [trusted(listed_until=NOW + 100 * 86_400)], now=NOW + 101 * 86_400) == (
        "key-unknown"
    )


def test_days_are_the_realms():
    """Issued 23 Nov in the realm: good from 16:00Z on 22 Nov, which is midnight there."""
    text = token(issued_on=date(2026, 11, 23))
    midnight = NOW + 4 * 3600
    assert reason(text, [trusted()], now=midnight - 1) == "not-yet"
    assert verify_venue_code(text, trust=trust_list(trusted()), realm=REALM, now=midnight)
