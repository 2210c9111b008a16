"""Base45 (RFC 9285), strictly: each text has one value and each value one text."""

import struct

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

_FOREIGN = 255
_VALUES = bytes(
    ALPHABET.index(chr(byte)) if chr(byte) in ALPHABET else _FOREIGN for byte in range(256)
)
_PAIR_TEXTS = tuple(ALPHABET[value % 45] + ALPHABET[value // 45] for value in range(2025))


def encode(data: bytes) -> str:
    """Return the text of an even number of bytes, three symbols for two bytes."""
    assert len(data) % 2 == 0, "a code has an even length"
    parts = []
    for at in range(0, len(data), 2):
        high, low = divmod(data[at] << 8 | data[at + 1], 2025)
        parts.append(_PAIR_TEXTS[low] + ALPHABET[high])
    return "".join(parts)


def decode(text: str) -> bytes | None:
    """Return the bytes of ``text``, or None: a foreign symbol, a triple over 65,535, a rest.

    PL1 2.8: 28 % of the triples are over 65,535; refusing them leaves each code one text.
    """
    if len(text) % 3 or not text.isascii():
        return None
    values = text.encode("ascii").translate(_VALUES)
    if _FOREIGN in values:
        return None
    triples = zip(values[::3], values[1::3], values[2::3], strict=True)
    try:
        return struct.pack(f">{len(values) // 3}H", *[a + 45 * b + 2025 * c for a, b, c in triples])
    except struct.error:
        return None
