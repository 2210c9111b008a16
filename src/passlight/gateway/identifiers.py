"""UUIDs from a given source of randomness."""

from uuid import UUID

from passlight.core.kernel.entropy import Entropy


def make_uuid(entropy: Entropy) -> str:
    """Return a random UUID (RFC 9562, version 4)."""
    return str(UUID(bytes=entropy.token(16), version=4))
