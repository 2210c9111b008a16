"""Canonical bytes and their digest: the same content is the same bytes everywhere (RFC 8785)."""

import hashlib
from typing import Any

import rfc8785


def canonical_json(value: Any) -> bytes:
    """Return the RFC 8785 form of a JSON value."""
    return rfc8785.dumps(value)


def content_hash(value: Any) -> str:
    """Return ``sha256:`` and the hex digest of the canonical form of ``value``."""
    return f"sha256:{hashlib.sha256(canonical_json(value)).hexdigest()}"
