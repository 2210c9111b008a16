"""The name of a device's key: the office signs it into a grant, the gateway asks for it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from passlight.core.kernel.base64url import base64url


def thumbprint_of(jwk: Mapping[str, Any]) -> str:
    """Return the RFC 7638 thumbprint of an EC key."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return base64url(hashlib.sha256(canonical.encode()).digest())
