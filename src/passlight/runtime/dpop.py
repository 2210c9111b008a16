"""DPoP proofs (RFC 9449): reading them, and taking each once. Shared by office and gateway.

``DPoP: <proof>`` is an ES256 JWT by a device's key. It names one method and one address, may
name the grant it is shown with, lives a minute and is taken once.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from passlight.core.kernel.base64url import base64url
from passlight.core.kernel.clock import Clock
from passlight.runtime.device_key import thumbprint_of

SKEW_SECONDS = 60.0
PROOF_LENGTH_MAX = 4096
PROOFS_MAX = 400_000
DEVICES_KEPT = 50_000
JTI_LENGTH_MAX = 128


class ProofError(Exception):
    """A proof that is not taken; ``code`` is ``proof-missing``, ``-bad``, ``-time``, ``-repeated``.

    ``busy``: the memory of proofs is full; forgetting early would let one in twice.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a proof says whose signature is good; nothing of it is believed before ``check``."""

    thumbprint: str
    claims: dict[str, Any]


class ProofMemory:
    """The proofs of the last two windows: each is taken once (RFC 9449 11.1)."""

    def __init__(self, *, window: float = 2 * SKEW_SECONDS + 1, size: int = PROOFS_MAX) -> None:
        self._window = window
        self._size = size
        self._turned = 0.0
        self._present: set[bytes] = set()
        self._former: set[bytes] = set()

    def take(self, proof: bytes, *, now: float) -> bool:
        """Return whether this proof is new, and remember it; ``now`` is monotonic seconds.

        Raises:
            ProofError: ``busy`` when the memory is full.
        """
        if now - self._turned >= self._window:
            still_counts = now - self._turned < 2 * self._window
            self._former = self._present if still_counts else set()
            self._present = set()
            self._turned = now
        if proof in self._present or proof in self._former:
            return False
        if len(self._present) >= self._size:
            raise ProofError("busy")
        self._present.add(proof)
        return True


class ProofChecker:
    """Checks the proofs that come to one public address."""

    def __init__(self, *, clock: Clock, public_url: str) -> None:
        self._clock = clock
        self._origins = _origins(public_url)
        self._path = urlsplit(public_url).path.rstrip("/")
        self._memory = ProofMemory()

    def check(self, proof: Proof, *, method: str, path: str, grant: str | None) -> None:
        """Take a proof for one request, once; ``grant`` is what it is shown with.

        Raises:
            ProofError: when it is for something else, of another minute, or was taken before.
        """
        claims = proof.claims
        if claims.get("htm") != method or not self._is_here(claims.get("htu"), path):
            raise ProofError("proof-bad")
        shown = None if grant is None else base64url(hashlib.sha256(grant.encode()).digest())
        if claims.get("ath") != shown:
            raise ProofError("proof-bad")
        self._take(claims, proof.thumbprint)

    def _take(self, claims: dict[str, Any], thumbprint: str) -> None:
        issued, jti = claims.get("iat"), claims.get("jti")
        now = self._clock.now().timestamp()
        if isinstance(issued, bool) or not isinstance(issued, int | float):
            raise ProofError("proof-bad")
        if not isinstance(jti, str) or not 0 < len(jti) <= JTI_LENGTH_MAX:
            raise ProofError("proof-bad")
        # An integer too large for a float is no time either.
        far = isinstance(issued, int) and issued.bit_length() > 64  # noqa: PLR2004
        if far or not abs(issued - now) <= SKEW_SECONDS:  # false for NaN, too
            raise ProofError("proof-time")
        seen = hashlib.sha256(f"{thumbprint} {jti}".encode("utf-8", "replace")).digest()[:16]
        if not self._memory.take(seen, now=self._clock.monotonic()):
            raise ProofError("proof-repeated")

    def _is_here(self, htu: object, path: str) -> bool:
        """Return whether the proof was made for this address (no query, RFC 9449 4.3)."""
        if not isinstance(htu, str):
            return False
        return htu in {f"{origin}{self._path}{path}" for origin in self._origins}


def read_proof(text: str) -> Proof:
    """Return a proof whose signature is good, with its key's thumbprint.

    Raises:
        ProofError: ``proof-missing`` or ``proof-bad``.
    """
    if not 0 < len(text) <= PROOF_LENGTH_MAX:
        raise ProofError("proof-missing")
    return read_statement(text, kind="dpop")


def read_statement(text: str, *, kind: str) -> Proof:
    """Return what a device signed, of one kind (``typ`` is ``<kind>+jwt``).

    Raises:
        ProofError: ``proof-bad``.
    """
    if len(text) > PROOF_LENGTH_MAX:
        raise ProofError("proof-bad")
    try:
        return _read(text, kind=kind)
    except (jwt.PyJWTError, ValueError, KeyError, TypeError, RecursionError):
        raise ProofError("proof-bad") from None


def _read(text: str, *, kind: str) -> Proof:
    header = jwt.get_unverified_header(text)
    jwk = header["jwk"]
    if not isinstance(jwk, dict):
        raise TypeError("no key")
    if header.get("typ") != f"{kind}+jwt" or header.get("alg") != "ES256":
        raise ValueError("not such a statement")
    if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256" or "d" in jwk:
        raise ValueError("not a public P-256 key")
    public, thumbprint = _device_key(str(jwk["x"]), str(jwk["y"]))
    claims: dict[str, Any] = jwt.decode(
        text,
        public,
        algorithms=["ES256"],
        options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
    )
    return Proof(thumbprint=thumbprint, claims=claims)


@lru_cache(maxsize=DEVICES_KEPT)
def _device_key(x: str, y: str) -> tuple[EllipticCurvePublicKey, str]:
    """Return a device's public key, on the curve, and its thumbprint."""
    jwk = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
    public = jwt.PyJWK(jwk, "ES256").key
    if not isinstance(public, EllipticCurvePublicKey):
        raise TypeError("not a public key")
    return public, thumbprint_of(jwk)


def _origins(public_url: str) -> tuple[str, ...]:
    """Return the origins under which devices reach us: one, or the loopback's three names."""
    parts = urlsplit(public_url)
    port = f":{parts.port}" if parts.port else ""
    loopback = ("127.0.0.1", "localhost", "[::1]")
    if parts.hostname in {"127.0.0.1", "localhost", "::1"}:
        return tuple(f"{parts.scheme}://{host}{port}" for host in loopback)
    return (f"{parts.scheme}://{parts.netloc}",)
