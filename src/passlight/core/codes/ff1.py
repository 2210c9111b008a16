"""FF1 format-preserving encryption (NIST SP 800-38G), over any radix; AES comes in."""

from collections.abc import Callable, Sequence
from math import ceil
from typing import Final

# Encrypts a whole number of 16-byte blocks, each on its own (AES in ECB).
EncryptBlocks = Callable[[bytes], bytes]

ROUNDS: Final = 10
BLOCK: Final = 16


def first_block(*, radix: int, size: int, tweak_size: int) -> bytes:
    """Return the constant block P of a numeral string of ``size`` symbols."""
    return b"".join(
        (
            b"\x01\x02\x01",
            radix.to_bytes(3, "big"),
            bytes((ROUNDS, size // 2 & 255)),
            size.to_bytes(4, "big"),
            tweak_size.to_bytes(4, "big"),
        )
    )


def half_bytes(*, radix: int, size: int) -> int:
    """Return b: how many bytes hold the larger half."""
    largest: int = radix ** (size - size // 2) - 1
    return (largest.bit_length() + 7) // 8


def encrypt(
    encrypt_blocks: EncryptBlocks, symbols: Sequence[int], *, radix: int, tweak: bytes = b""
) -> list[int]:
    """Return the encrypted numeral string: as many symbols, each below ``radix``."""
    size = len(symbols)
    left, right = list(symbols[: size // 2]), list(symbols[size // 2 :])
    constant = encrypt_blocks(first_block(radix=radix, size=size, tweak_size=len(tweak)))
    width = half_bytes(radix=radix, size=size)
    for number in range(ROUNDS):
        half = len(left)
        padding = bytes((-len(tweak) - width - 1) % BLOCK)
        value = _number(right, radix).to_bytes(width, "big")
        final = _chain(encrypt_blocks, constant, tweak + padding + bytes((number,)) + value)
        added = _expand(encrypt_blocks, final, 4 * ceil(width / 4) + 4)
        mixed = (_number(left, radix) + int.from_bytes(added, "big")) % radix**half
        left, right = right, _symbols(mixed, radix, half)
    return left + right


def _chain(encrypt_blocks: EncryptBlocks, state: bytes, data: bytes) -> bytes:
    """Return the CBC-MAC of ``data`` continued from ``state``."""
    for at in range(0, len(data), BLOCK):
        state = encrypt_blocks(_xor(state, data[at : at + BLOCK]))
    return state


def _expand(encrypt_blocks: EncryptBlocks, block: bytes, size: int) -> bytes:
    """Return the first ``size`` bytes of R, CIPH(R xor 1), CIPH(R xor 2), …"""
    more = range(1, ceil(size / BLOCK))
    parts = [encrypt_blocks(_xor(block, number.to_bytes(BLOCK, "big"))) for number in more]
    return b"".join((block, *parts))[:size]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _number(symbols: Sequence[int], radix: int) -> int:
    number = 0
    for symbol in symbols:
        number = number * radix + symbol
    return number


def _symbols(number: int, radix: int, size: int) -> list[int]:
    found = []
    for _ in range(size):
        number, symbol = divmod(number, radix)
        found.append(symbol)
    return found[::-1]
