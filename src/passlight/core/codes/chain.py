"""The Lamport chain: what makes a code rotate with no secret at the door (PL1 2.4).

``vN`` is a seed made on the phone, ``vi = F(i, v(i+1))``, the anchor in the body is ``v0``.
Slot ``s`` shows ``v(s+1)``; a door hashes it ``s + 1`` times and compares with the anchor.
"""

from hashlib import sha256
from typing import Final

VALUE_LENGTH: Final = 16
LINKS_MAX: Final = 6240

_DOMAIN = b"PL1 link"
_POSITIONS = tuple(position.to_bytes(2, "big") for position in range(65536))


def chain(seed: bytes, *, salt: bytes, slots: int) -> tuple[bytes, ...]:
    """Return ``v0`` … ``vN`` for a seed; what is shown in slot ``s`` is element ``s + 1``."""
    assert len(seed) == VALUE_LENGTH
    assert 0 < slots <= LINKS_MAX
    values = [seed]
    for position in range(slots - 1, -1, -1):
        values.append(link(position, values[-1], salt=salt))
    values.reverse()
    return tuple(values)


def link(position: int, value: bytes, *, salt: bytes) -> bytes:
    """Return ``F(position, value)``: one SHA-256 block, cut to 16 bytes."""
    return sha256(_DOMAIN + salt + _POSITIONS[position] + value).digest()[:VALUE_LENGTH]


def leads_to(anchor: bytes, *, slot: int, value: bytes, salt: bytes) -> bool:
    """Return whether ``value``, shown in ``slot``, hashes to ``anchor`` in ``slot + 1`` steps."""
    prefix = _DOMAIN + salt
    for position in _POSITIONS[slot::-1]:
        value = sha256(prefix + position + value).digest()[:VALUE_LENGTH]
    return value == anchor
