"""Base45 (RFC 9285), strictly: each text has one value and each value one text."""

from itertools import product

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

_SYMBOLS = {symbol: value for value, symbol in enumerate(ALPHABET)}
# Pairs, not single symbols: half the look-ups. The last symbol of a triple stands alone.
_PAIRS = {a + b: _SYMBOLS[a] + 45 * _SYMBOLS[b] for a, b in product(ALPHABET, repeat=2)}
_HIGH = {symbol: 2025 * value for symbol, value in _SYMBOLS.items()}
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
    if len(text) % 3:
        return None
    try:
        low = [_PAIRS[text[at : at + 2]] for at in range(0, len(text), 3)]
        values = [a + _HIGH[b] for a, b in zip(low, text[2::3], strict=True)]
        return b"".join([value.to_bytes(2, "big") for value in values])
    except (KeyError, OverflowError):
        return None
