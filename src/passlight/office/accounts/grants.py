"""Grants: what a device shows the gateway instead of a password (design.md 7).

A grant is an EdDSA JWT bound to a key that never leaves the device (RFC 9449, RFC 7638). It
says who (a handle), in which role, and ends within a day; the gateway needs nothing else.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from passlight.core.kernel.base64url import base64url
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.office.accounts.actions import newer_devices, register_device
from passlight.office.accounts.middleware import LIMITS, OFFICE_ABSOLUTE, OFFICE_IDLE, OPENED
from passlight.office.accounts.models import Registration, Role, User
from passlight.office.accounts.roles import requires, signed_in_user, visible_units
from passlight.office.accounts.sessions import keep_grant
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.device_key import thumbprint_of
from passlight.runtime.keys import KeyFolder

GRANT_KEY = "grant"
LIFE_MAX = timedelta(hours=24)
BODY_BYTES_MAX = 4096
JTI_BYTES = 16
COORDINATE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A signed grant and when it ends."""

    token: str
    jti: str
    expires_at: datetime


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the RFC 7638 thumbprint of an ES256 public key.

    Raises:
        ProblemError: when it is not exactly such a key; private parts are refused.
    """
    required = {"crv": "P-256", "kty": "EC"}
    good = all(jwk.get(name) == value for name, value in required.items()) and all(
        isinstance(jwk.get(name), str) and COORDINATE.fullmatch(jwk[name]) for name in ("x", "y")
    )
    if not good or "d" in jwk:
        raise ProblemError(
            Problem(
                code="accounts.device-key",
                message="The device key is not an ES256 public key.",
                remedy="Send the public JWK with kty EC, crv P-256, x and y alone.",
                field="jwk",
            )
        )
    return thumbprint_of(jwk)


def sign_grant(
    registration: Registration, *, until: datetime, clock: Clock, entropy: Entropy
) -> Grant:
    """Return a grant for this device, ending at ``until`` or in a day, whichever is first."""
    user = registration.user
    now = clock.now()
    expires_at = min(until, now + LIFE_MAX).replace(microsecond=0)
    jti = base64url(entropy.token(JTI_BYTES))
    claims: dict[str, Any] = {
        "iss": settings.PASSLIGHT.realm,
        "sub": registration.handle,
        "role": user.role,
        "unit": user.unit_id,
        "jti": jti,
        "iat": int(now.timestamp()),
        "exp": int(expires_at.timestamp()),
        "cnf": {"jkt": registration.thumbprint},
    }
    if user.role == Role.RESIDENT:
        assert registration.person is not None
        claims["ord"] = registration.person.ordinal
    else:
        claims["venues"] = venues_of(user)
    secret = KeyFolder(settings.PASSLIGHT.keys).read_or_make(GRANT_KEY, entropy)
    key = Ed25519PrivateKey.from_private_bytes(secret)
    token = jwt.encode(claims, key, algorithm="EdDSA", headers={"typ": "grant+jwt"})
    return Grant(token=token, jti=jti, expires_at=expires_at)


def venues_of(user: User) -> list[str]:
    """Return the ids of the active venues in the user's subtree: where they may check."""
    from passlight.office.venues.models import Venue

    found = Venue.objects.filter(unit_id__in=visible_units(user), active=True)
    return [str(key) for key in found.values_list("pk", flat=True).order_by("pk")]


@require_POST
@requires("me.use", api=True)
def resident_grant(request: HttpRequest) -> HttpResponse:
    """Answer a resident's device with a grant; registers the device when it is new."""
    user = signed_in_user(request)
    if user.person is None:
        return JsonResponse({"error": "accounts.no-person"}, status=403)
    return _grant(request, user)


@require_POST
@requires("door.use", api=True)
def checker_grant(request: HttpRequest) -> HttpResponse:
    """Answer a checker's device with a grant for the venues of their unit."""
    return _grant(request, signed_in_user(request))


def _grant(request: HttpRequest, user: User) -> HttpResponse:
    clock, entropy = SystemClock(), SystemEntropy()
    try:
        jkt = thumbprint(_jwk(request.body))
    except ProblemError as error:
        problem = error.problems[0]
        return JsonResponse({"error": problem.code, "message": str(problem)}, status=400)
    try:
        registration = register_device(
            user,
            thumbprint=jkt,
            device_name=request.headers.get("User-Agent", ""),
            clock=clock,
            entropy=entropy,
        )
    except ProblemError as error:
        problem = error.problems[0]
        return JsonResponse({"error": problem.code, "message": str(problem)}, status=429)
    grant = sign_grant(registration, until=_session_end(request), clock=clock, entropy=entropy)
    keep_grant(request.session, grant.jti, clock=clock)
    newer = [device.created_at.isoformat() for device in newer_devices(registration, clock=clock)]
    return JsonResponse(
        {
            "grant": grant.token,
            "expires_at": grant.expires_at.isoformat(),
            # When this list is not empty the page says so and offers to end the other device.
            "new_devices": newer,
        }
    )


def _session_end(request: HttpRequest) -> datetime:
    """Return when this session ends whatever happens: no grant outlives it."""
    _, absolute = LIMITS.get(signed_in_user(request).role, (OFFICE_IDLE, OFFICE_ABSOLUTE))
    return datetime.fromisoformat(request.session[OPENED]) + absolute


def _jwk(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body[: BODY_BYTES_MAX + 1])["jwk"] if len(body) <= BODY_BYTES_MAX else {}
    except (ValueError, KeyError, TypeError, RecursionError):
        found = {}
    return found if isinstance(found, dict) else {}
