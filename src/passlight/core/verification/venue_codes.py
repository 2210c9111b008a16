"""Venue codes made and read with the keys of the trust list (places know no keys)."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from passlight.core.codes import signing
from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose
from passlight.core.codes.trust import TrustList
from passlight.core.places.venue_code import (
    Presence,
    VenueCode,
    VenueCodeError,
    VenueKey,
    make_venue_token,
    verify_venue_token,
)


def sign_venue_code(
    issuer: Issuer,
    *,
    venue_id: UUID,
    entrance: str,
    zone: str,
    presence: Presence,
    issued_on: date,
    days: int,
) -> str:
    """Return the token of a venue code that is good for ``days`` from ``issued_on``."""
    assert issuer.purpose is Purpose.VENUE

    def sign(*, key_id: bytes, context: bytes, body: bytes) -> bytes:
        return issuer.sign(signing.signature_input(kid=key_id, context=context, body=body))

    code = VenueCode(
        venue_id=venue_id,
        entrance=entrance,
        zone=zone,
        presence=presence,
        issued_on=issued_on,
        ends_on=issued_on + timedelta(days=days),
        key_id=issuer.kid,
    )
    return make_venue_token(code, realm=issuer.realm, sign=sign)


def verify_venue_code(token: str, *, trust: TrustList, realm: str, now: int) -> VenueCode:
    """Return what a genuine venue code of ``realm`` says at ``now`` (POSIX seconds).

    Days are the realm's, by its fixed offset.

    Raises:
        VenueCodeError: with the reason; nothing of the code may be used then.
    """
    known = trust.realms.get(realm)
    if known is None:
        raise VenueCodeError("key-unknown")
    offset = known.offset
    keys = {
        kid: VenueKey(
            public_key=key.public_key,
            starts_on=realm_day(key.starts_from, offset=offset),
            ends_on=realm_day(key.starts_until, offset=offset),
            revoked=key.revoked,
        )
        for kid, key in trust.keys.items()
        if key.purpose is Purpose.VENUE and key.realm == realm and now < key.listed_until
    }
    today = realm_day(now, offset=offset)
    return verify_venue_token(token, realm=realm, keys=keys, today=today, is_signed=_is_signed)


def realm_day(seconds: int, *, offset: int) -> date:
    """Return the day of a moment in a realm whose clocks are ``offset`` minutes ahead of UTC."""
    return datetime.fromtimestamp(seconds + 60 * offset, UTC).date()


def _is_signed(
    *, key_id: bytes, context: bytes, body: bytes, signature: bytes, public_key: bytes
) -> bool:
    message = signing.signature_input(kid=key_id, context=context, body=body)
    return signing.is_signed(message, signature=signature, public_key=public_key)
