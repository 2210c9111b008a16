"""Who asks: a grant that the office signed, and a DPoP proof of the device it is bound to.

``Authorization: DPoP <grant>`` and ``DPoP: <proof>`` (RFC 9449). The grant is an EdDSA JWT by
the office's key of purpose ``grant``; the proof an ES256 JWT by the device, whose thumbprint
(RFC 7638) the grant names. All is answered from memory.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from passlight.core.kernel.base64url import base64url
from passlight.core.kernel.clock import Clock
from passlight.gateway.errors import RefusedError
from passlight.gateway.limits import BoundedMap, ProofMemory
from passlight.runtime.device_key import thumbprint_of

GRANT_LIFE = timedelta(hours=24)
SKEW = timedelta(seconds=60)
TOKEN_LENGTH_MAX = 8192
PROOF_LENGTH_MAX = 4096
GRANTS_KEPT = 50_000
DEVICES_KEPT = 50_000
JTI_LENGTH_MAX = 128


class GrantRole(StrEnum):
    """What a grant lets its holder do at a gateway."""

    RESIDENT = "resident"
    CHECKER = "checker"


class _Confirmation(msgspec.Struct, frozen=True):
    jkt: str


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
    iss: str
    sub: str
    role: GrantRole
    jti: str
    iat: int
    exp: int
    cnf: _Confirmation
    ord: int | None = None
    venues: list[str] = []
    unit: str | int | None = None
    tags: dict[str, int] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who a request comes from, as the office granted it."""

    handle: str
    role: GrantRole
    device: str
    jti: str
    expires_at: int
    ordinal: int | None = None
    venues: frozenset[str] = frozenset()
    tags: Mapping[int, int] = field(default_factory=dict)
    """The document tag of each epoch (PL1 2.6), made by the office, which knows the document."""


@dataclass(slots=True)
class Revocations:
    """What the office revoked: single grants, and every grant of a handle made before a time."""

    seq: int = 0
    grants: set[str] = field(default_factory=set)
    handles: dict[str, float] = field(default_factory=dict)

    def add(self, seq: int, *, jti: str, handle: str, revoked_at: datetime) -> None:
        """Take one row of ``accounts_revocation``."""
        self.seq = max(self.seq, seq)
        if jti:
            self.grants.add(jti)
        if handle:
            at = revoked_at.timestamp()
            self.handles[handle] = max(at, self.handles.get(handle, 0.0))

    def hold(self, claims_jti: str, handle: str) -> bool:
        """Return whether a grant is revoked."""
        return claims_jti in self.grants or handle in self.handles


class Authenticator:
    """Checks grants and proofs."""

    def __init__(
        self,
        *,
        clock: Clock,
        realm: str,
        public_url: str,
        grant_keys: Callable[[], Iterable[bytes]],
        revocations: Revocations,
    ) -> None:
        self._clock = clock
        self._realm = realm
        self._origins = _origins(public_url)
        self._path = urlsplit(public_url).path.rstrip("/")
        self._grant_keys = grant_keys
        self._revocations = revocations
        self._known: BoundedMap[str, Principal] = BoundedMap(GRANTS_KEPT)
        self._proofs = ProofMemory(window=2 * SKEW.total_seconds() + 1)

    def authenticate(
        self, *, authorization: str, proof: str, method: str, path: str, role: GrantRole
    ) -> Principal:
        """Return who asks.

        Raises:
            RefusedError: 401 with the one reason, 403 for the wrong role.
        """
        scheme, _, grant = authorization.partition(" ")
        if scheme.lower() != "dpop" or not 0 < len(grant) <= TOKEN_LENGTH_MAX:
            raise RefusedError(401, "no-grant")
        principal = self._principal(grant)
        self._check_proof(proof, principal=principal, grant=grant, method=method, path=path)
        if principal.role is not role:
            raise RefusedError(403, "wrong-role")
        return principal

    def forget(self) -> None:
        """Read every grant anew; called when the office's keys have changed."""
        self._known = BoundedMap(GRANTS_KEPT)

    def _principal(self, grant: str) -> Principal:
        principal = self._known.get(grant)
        if principal is None:
            principal = self._read_grant(grant)
            self._known.put(grant, principal)
        if self._clock.now().timestamp() >= principal.expires_at:
            raise RefusedError(401, "grant-expired")
        if self._revocations.hold(principal.jti, principal.handle):
            raise RefusedError(401, "grant-revoked")
        return principal

    def _read_grant(self, grant: str) -> Principal:
        claims = self._verified_claims(grant)
        now = self._clock.now().timestamp()
        life = claims.exp - claims.iat
        if claims.iss != self._realm or not 0 < life <= GRANT_LIFE.total_seconds():
            raise RefusedError(401, "grant-bad")
        if claims.iat > now + SKEW.total_seconds():
            raise RefusedError(401, "grant-bad")
        if claims.role is GrantRole.RESIDENT and (claims.ord is None or claims.ord < 0):
            raise RefusedError(401, "grant-bad")
        return Principal(
            handle=claims.sub,
            role=claims.role,
            device=claims.cnf.jkt,
            jti=claims.jti,
            expires_at=claims.exp,
            ordinal=claims.ord if claims.role is GrantRole.RESIDENT else None,
            venues=frozenset(claims.venues),
            tags={int(epoch): tag for epoch, tag in claims.tags.items() if epoch.isdecimal()},
        )

    def _verified_claims(self, grant: str) -> _Claims:
        for key in self._grant_keys():
            try:
                # Times are judged by our own clock, below.
                claims = jwt.decode(
                    grant,
                    Ed25519PublicKey.from_public_bytes(key),
                    algorithms=["EdDSA"],
                    options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
                )
                return msgspec.convert(claims, _Claims)
            except (jwt.PyJWTError, ValueError, msgspec.ValidationError):
                continue
        raise RefusedError(401, "grant-bad")

    def _check_proof(
        self, proof: str, *, principal: Principal, grant: str, method: str, path: str
    ) -> None:
        if not 0 < len(proof) <= PROOF_LENGTH_MAX:
            raise RefusedError(401, "proof-missing")
        try:
            claims, thumbprint = _read_proof(proof)
        except (jwt.PyJWTError, ValueError, KeyError, TypeError, RecursionError):
            raise RefusedError(401, "proof-bad") from None
        if thumbprint != principal.device:
            raise RefusedError(401, "proof-bad")
        if claims.get("htm") != method or not self._is_here(claims.get("htu"), path):
            raise RefusedError(401, "proof-bad")
        if claims.get("ath") != base64url(hashlib.sha256(grant.encode()).digest()):
            raise RefusedError(401, "proof-bad")
        self._check_once(claims, thumbprint)

    def _check_once(self, claims: dict[str, Any], thumbprint: str) -> None:
        issued, jti = claims.get("iat"), claims.get("jti")
        now = self._clock.now().timestamp()
        if isinstance(issued, bool) or not isinstance(issued, int | float):
            raise RefusedError(401, "proof-bad")
        if not isinstance(jti, str) or not 0 < len(jti) <= JTI_LENGTH_MAX:
            raise RefusedError(401, "proof-bad")
        # An integer too large for a float is no time either.
        far = isinstance(issued, int) and issued.bit_length() > 64  # noqa: PLR2004
        if far or not abs(issued - now) <= SKEW.total_seconds():  # false for NaN, too
            raise RefusedError(401, "proof-time")
        seen = hashlib.sha256(f"{thumbprint} {jti}".encode("utf-8", "replace")).digest()[:16]
        if not self._proofs.take(seen, now=self._clock.monotonic()):
            raise RefusedError(401, "proof-repeated")

    def _is_here(self, htu: object, path: str) -> bool:
        """Return whether the proof was made for this address (no query, RFC 9449 4.3)."""
        if not isinstance(htu, str):
            return False
        return any(htu == f"{origin}{self._path}{path}" for origin in self._origins)


def _read_proof(proof: str) -> tuple[dict[str, Any], str]:
    """Return the claims of a proof whose signature is good, and its key's thumbprint."""
    header = jwt.get_unverified_header(proof)
    jwk = header["jwk"]
    if not isinstance(jwk, dict):
        raise TypeError("no key")
    if header.get("typ") != "dpop+jwt" or header.get("alg") != "ES256":
        raise ValueError("not a DPoP proof")
    if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256" or "d" in jwk:
        raise ValueError("not a public P-256 key")
    public, thumbprint = _device_key(str(jwk["x"]), str(jwk["y"]))
    claims: dict[str, Any] = jwt.decode(
        proof,
        public,
        algorithms=["ES256"],
        options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
    )
    return claims, thumbprint


@lru_cache(maxsize=DEVICES_KEPT)
def _device_key(x: str, y: str) -> tuple[EllipticCurvePublicKey, str]:
    """Return a device's public key, on the curve, and its thumbprint."""
    jwk = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
    public = jwt.PyJWK(jwk, "ES256").key
    if not isinstance(public, EllipticCurvePublicKey):
        raise TypeError("not a public key")
    return public, thumbprint_of(jwk)


def _origins(public_url: str) -> tuple[str, ...]:
    """Return the origins under which browsers reach us: one, or the loopback's three names."""
    parts = urlsplit(public_url)
    port = f":{parts.port}" if parts.port else ""
    loopback = ("127.0.0.1", "localhost", "[::1]")
    if parts.hostname in {"127.0.0.1", "localhost", "::1"}:
        return tuple(f"{parts.scheme}://{host}{port}" for host in loopback)
    return (f"{parts.scheme}://{parts.netloc}",)
