"""The hash chain: each link covers its own bytes and everything before it (design 2).

One chain serves ledgers, device records, incident events and list deltas: who keeps the last
link keeps the order and the completeness of all before it.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

LINK_LENGTH: Final = hashlib.sha256().digest_size
# The link before the first: no body has it, so an empty chain is never taken for a short one.
GENESIS: Final = bytes(LINK_LENGTH)

_DOMAIN: Final = b"passlight chain 1\0"


def link(previous: bytes, body: bytes) -> bytes:
    """Return the link of ``body`` after ``previous``: SHA-256(domain ‖ previous ‖ body).

    ``previous`` has one length, so no two pairs give the same input.
    """
    assert len(previous) == LINK_LENGTH, "a link is 32 bytes"
    return hashlib.sha256(_DOMAIN + previous + body).digest()


def links(bodies: Iterable[bytes], *, after: bytes = GENESIS) -> Iterator[bytes]:
    """Return the link of each body, one after the other."""
    for body in bodies:
        after = link(after, body)
        yield after


def first_break(chain: Iterable[tuple[bytes, bytes]], *, after: bytes = GENESIS) -> int | None:
    """Return the position of the first (body, link) that does not follow; None when all do."""
    for position, (body, claimed) in enumerate(chain):
        after = link(after, body)
        if after != claimed:
            return position
    return None
