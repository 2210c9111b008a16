"""A phone or a checker's device: an ES256 key, DPoP proofs, a grant, and chains for codes."""

import base64
import hashlib
import json
import os
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passlight.core.codes.chain import chain
from passlight.core.codes.issuing import phone_text
from passlight.core.codes.layout import SLOT_SECONDS, START_ZERO, chain_salt, phone_lifetime_seconds
from passlight.core.kernel.clock import Clock


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unbase64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(kw_only=True)
class HeldCode:
    """A code on the phone with its chain."""

    start: int
    lifetime: int
    slot_code: int
    values: tuple[bytes, ...]
    signed: bytes = b""
    kind: str = ""

    def text(self, now: datetime, *, ahead: int = 0) -> str:
        """Return what the screen shows at ``now``; ``ahead`` slots wrongly early or late."""
        passed = now.timestamp() - (START_ZERO + self.start * 60)
        slot = max(0, int(passed // SLOT_SECONDS[self.slot_code])) + ahead
        return phone_text(self.signed, slot=slot, value=self.values[slot + 1])


@dataclass
class Device:
    """One device; ``grant`` as the office signed it, for this device's key."""

    clock: Clock
    public_url: str
    realm: str
    grant_seed: bytes
    role: str
    handle: str = field(default_factory=lambda: base64url(os.urandom(32)))
    ordinal: int | None = None
    venues: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        numbers = self.key.public_key().public_numbers()
        self.jwk = {
            "kty": "EC",
            "crv": "P-256",
            "x": base64url(numbers.x.to_bytes(32, "big")),
            "y": base64url(numbers.y.to_bytes(32, "big")),
        }
        canonical = json.dumps(self.jwk, separators=(",", ":"), sort_keys=True)
        self.thumbprint = base64url(hashlib.sha256(canonical.encode()).digest())
        self.jti = base64url(os.urandom(16))
        self.grant = self.make_grant()

    def make_grant(self, **changes: Any) -> str:
        """Return a grant as ``accounts.grants.sign_grant`` makes it."""
        now = int(self.clock.now().timestamp())
        claims: dict[str, Any] = {
            "iss": self.realm,
            "sub": self.handle,
            "role": self.role,
            "unit": 1,
            "jti": self.jti,
            "iat": now,
            "exp": now + 8 * 3600,
            "cnf": {"jkt": self.thumbprint},
        }
        if self.role == "resident":
            claims["ord"] = self.ordinal
        else:
            claims["venues"] = self.venues
        claims.update(changes)
        claims = {name: value for name, value in claims.items() if value is not None}
        seed = Ed25519PrivateKey.from_private_bytes(self.grant_seed)
        return jwt.encode(claims, seed, algorithm="EdDSA", headers={"typ": "grant+jwt"})

    def proof(self, method: str, path: str, *, grant: str | None = None, **changes: Any) -> str:
        claims: dict[str, Any] = {
            "jti": str(uuid.uuid4()),
            "htm": method,
            "htu": f"{self.public_url}{path}",
            "iat": int(self.clock.now().timestamp()),
            "ath": base64url(hashlib.sha256((grant or self.grant).encode()).digest()),
        }
        header = {"typ": "dpop+jwt", "jwk": self.jwk, **changes.pop("header", {})}
        key = changes.pop("key", self.key)
        claims.update(changes)
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, key, algorithm="ES256", headers=header)

    def headers(self, method: str, path: str) -> dict[str, str]:
        return {"Authorization": f"DPoP {self.grant}", "DPoP": self.proof(method, path)}

    def post(self, client: httpx.Client, path: str, body: Any) -> httpx.Response:
        return client.post(path, json=body, headers=self.headers("POST", path))

    def get(self, client: httpx.Client, path: str) -> httpx.Response:
        return client.get(path, headers=self.headers("GET", path))

    def draft(self, *, lifetime: int = 0, start: int | None = None) -> HeldCode:
        """Return a new chain for a code that starts now (or at ``start``)."""
        now = int(self.clock.now().timestamp())
        first = (now - START_ZERO) // 60 if start is None else start
        salt = chain_salt(start=first, lifetime=lifetime, slot_code=1)
        slots = phone_lifetime_seconds(lifetime) // 20
        values = chain(os.urandom(16), salt=salt, slots=slots)
        return HeldCode(start=first, lifetime=lifetime, slot_code=1, values=values)

    def ask(self, client: httpx.Client, *drafts: HeldCode) -> httpx.Response:
        """Ask for codes; the drafts that were granted are completed."""
        asked = [
            {
                "start": draft.start,
                "lifetime": draft.lifetime,
                "slot_code": draft.slot_code,
                "anchor": draft.values[0].hex(),
            }
            for draft in drafts
        ]
        response = self.post(client, "/v1/codes", {"requests": asked})
        if response.status_code == 200:
            for made in response.json()["codes"]:
                draft = drafts[made["request"]]
                draft.signed, draft.kind = unbase64url(made["body"]), made["kind"]
        return response


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
