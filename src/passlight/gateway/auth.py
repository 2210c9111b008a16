"""Who asks: a grant that the office signed, and a DPoP proof of the device it is bound to.

``Authorization: DPoP <grant>`` and ``DPoP: <proof>`` (RFC 9449). The grant is an EdDSA JWT by
the office's key of purpose ``grant``; the proof an ES256 JWT by the device, whose thumbprint
(RFC 7638) the grant names. All is answered from memory.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from passlight.core.kernel.clock import Clock
from passlight.gateway.errors import RefusedError
from passlight.gateway.limits import BoundedMap
from passlight.runtime.dpop import ProofChecker, ProofError, read_proof

SKEW = timedelta(seconds=60)
TOKEN_LENGTH_MAX = 8192
GRANTS_KEPT = 50_000


class GrantRole(StrEnum):
    """What a grant lets its holder do at a gateway."""

    RESIDENT = "resident"
    CHECKER = "checker"
    GATE = "gate"


# A person's grant ends with the day; a device renews its own, and lives through a week offline.
GRANT_LIFE = {
    GrantRole.RESIDENT: timedelta(hours=24),
    GrantRole.CHECKER: timedelta(hours=24),
    GrantRole.GATE: timedelta(days=7),
}


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
    entrance: str | None = None
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
    entrance: str | None = None
    """The one entrance of a gate; None for a person, who may stand at any."""
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
        self._grant_keys = grant_keys
        self._revocations = revocations
        self._known: BoundedMap[str, Principal] = BoundedMap(GRANTS_KEPT)
        self._proofs = ProofChecker(clock=clock, public_url=public_url)

    def authenticate(
        self,
        *,
        authorization: str,
        proof: str,
        method: str,
        path: str,
        roles: Collection[GrantRole],
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
        if principal.role not in roles:
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
        if claims.iss != self._realm or not 0 < life <= GRANT_LIFE[claims.role].total_seconds():
            raise RefusedError(401, "grant-bad")
        if claims.iat > now + SKEW.total_seconds():
            raise RefusedError(401, "grant-bad")
        if claims.role is GrantRole.RESIDENT and (claims.ord is None or claims.ord < 0):
            raise RefusedError(401, "grant-bad")
        if claims.role is GrantRole.GATE and (not claims.entrance or len(claims.venues) != 1):
            raise RefusedError(401, "grant-bad")
        return Principal(
            handle=claims.sub,
            role=claims.role,
            device=claims.cnf.jkt,
            jti=claims.jti,
            expires_at=claims.exp,
            ordinal=claims.ord if claims.role is GrantRole.RESIDENT else None,
            venues=frozenset(claims.venues),
            entrance=claims.entrance if claims.role is GrantRole.GATE else None,
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
        try:
            read = read_proof(proof)
            if read.thumbprint != principal.device:
                raise ProofError("proof-bad")
            self._proofs.check(read, method=method, path=path, grant=grant)
        except ProofError as error:
            if error.code == "busy":
                raise RefusedError(503, "busy", retry_after=5) from None
            raise RefusedError(401, error.code) from None
