"""A device's own key: its name in grants, and the proofs it makes with it (RFC 7638, RFC 9449)."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from passlight.core.kernel.base64url import base64url
from passlight.core.kernel.entropy import Entropy

SECRET_LENGTH = 40
_CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def thumbprint_of(jwk: Mapping[str, Any]) -> str:
    """Return the RFC 7638 thumbprint of an EC key."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return base64url(hashlib.sha256(canonical.encode()).digest())


def fingerprint_of(thumbprint: str, *, realm: str, roots: Iterable[bytes]) -> str:
    """Return the six digits that a person compares: device and office mean the same key.

    The realm and its signers are inside, so a device that was led to another office shows
    other digits.
    """
    parts = [thumbprint, realm, *sorted(root.hex() for root in roots)]
    content = "\0".join(["passlight gate fingerprint 1", *parts]).encode()
    number = int.from_bytes(hashlib.sha256(content).digest()[:8], "big") % 1_000_000
    return f"{number:06d}"


class DeviceKey:
    """An ES256 key that never leaves its device."""

    def __init__(self, secret: bytes) -> None:
        assert len(secret) == SECRET_LENGTH, "40 random bytes, so that no key is likelier"
        number = int.from_bytes(secret, "big") % (_CURVE_ORDER - 1) + 1
        self._key = ec.derive_private_key(number, ec.SECP256R1())
        numbers = self._key.public_key().public_numbers()
        self.jwk = {
            "kty": "EC",
            "crv": "P-256",
            "x": base64url(numbers.x.to_bytes(32, "big")),
            "y": base64url(numbers.y.to_bytes(32, "big")),
        }

    @classmethod
    def make(cls, entropy: Entropy) -> Self:
        """Return a new key."""
        return cls(entropy.token(SECRET_LENGTH))

    @property
    def thumbprint(self) -> str:
        """Return the RFC 7638 thumbprint of the public key."""
        return thumbprint_of(self.jwk)

    def proof(self, *, method: str, url: str, grant: str | None, now: float, jti: str) -> str:
        """Return a DPoP proof for one request, beside ``grant`` when there is one."""
        claims: dict[str, Any] = {"htm": method, "htu": url, "iat": int(now), "jti": jti}
        if grant is not None:
            claims["ath"] = base64url(hashlib.sha256(grant.encode()).digest())
        headers = {"typ": "dpop+jwt", "jwk": self.jwk}
        return jwt.encode(claims, self._key, algorithm="ES256", headers=headers)

    def statement(self, kind: str, claims: Mapping[str, Any]) -> str:
        """Return something that this device says for good, as that it has wiped itself."""
        headers = {"typ": f"{kind}+jwt", "jwk": self.jwk}
        return jwt.encode(dict(claims), self._key, algorithm="ES256", headers=headers)
