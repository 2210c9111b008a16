"""The status index: every person's ordinal under the epoch's own permutation (PL1 2.5).

FF1 in radix 2 has only 2^⌈bits/2⌉ inputs a round, so the ten round functions are tables made
with one AES call each. A look-up is then ten additions, in either direction, and a gateway
needs no array of the whole list to find the person behind an index.
"""

from array import array
from typing import Final

from passlight.core.codes.ff1 import BLOCK, ROUNDS, EncryptBlocks, first_block, half_bytes

SIZE_MIN: Final = 1_000_000
SIZE_MAX: Final = 2**32
_SPARE_PER_CENT = 2


def list_size(registered: int) -> int:
    """Return n: room for everyone registered and 2 % spare, a million at least."""
    return max(SIZE_MIN, registered + -(-registered * _SPARE_PER_CENT // 100))


class EpochPermutation:
    """FF1 of 0…size-1 under one epoch key, cycle-walking; ``encrypt_blocks`` holds the key."""

    def __init__(self, encrypt_blocks: EncryptBlocks, *, size: int) -> None:
        assert SIZE_MIN <= size <= SIZE_MAX
        self.size = size
        bits = (size - 1).bit_length()
        self._right_bits = bits - bits // 2
        self._right_mask = (1 << self._right_bits) - 1
        # Round i adds into a half of floor(bits/2) when i is even, of the rest when it is odd.
        self._masks = ((1 << bits // 2) - 1, self._right_mask)
        self._rounds = _round_tables(encrypt_blocks, bits=bits)

    def index_of(self, ordinal: int) -> int:
        """Return the status index of an ordinal."""
        assert 0 <= ordinal < self.size
        index = self._forward(ordinal)
        while index >= self.size:
            index = self._forward(index)
        return index

    def ordinal_of(self, index: int) -> int:
        """Return the ordinal behind a status index."""
        assert 0 <= index < self.size
        ordinal = self._backward(index)
        while ordinal >= self.size:
            ordinal = self._backward(ordinal)
        return ordinal

    def whole_list(self) -> "array[int]":
        """Return the index of every ordinal, in order of ordinals."""
        return array("I", map(self.index_of, range(self.size)))

    def _forward(self, value: int) -> int:
        left, right = value >> self._right_bits, value & self._right_mask
        even, odd = self._masks
        for number in range(0, ROUNDS, 2):
            left, right = right, (left + self._rounds[number][right]) & even
            left, right = right, (left + self._rounds[number + 1][right]) & odd
        return left << self._right_bits | right

    def _backward(self, value: int) -> int:
        left, right = value >> self._right_bits, value & self._right_mask
        even, odd = self._masks
        for number in range(ROUNDS - 2, -2, -2):
            left, right = (right - self._rounds[number + 1][left]) & odd, left
            left, right = (right - self._rounds[number][left]) & even, left
        return left << self._right_bits | right


def _round_tables(encrypt_blocks: EncryptBlocks, *, bits: int) -> "list[array[int]]":
    """Return, for each round, what it adds for every value of the other half."""
    width = half_bytes(radix=2, size=bits)
    constant = encrypt_blocks(first_block(radix=2, size=bits, tweak_size=0))
    # The round's input is one block: zeros, round number, value; the constant is mixed in.
    base = int.from_bytes(constant, "big")
    tables = []
    for number in range(ROUNDS):
        values = range(1 << (bits // 2 if number % 2 else bits - bits // 2))
        start = number << 8 * width
        blocks = b"".join((base ^ (start | value)).to_bytes(BLOCK, "big") for value in values)
        mixed = encrypt_blocks(blocks)
        # S is the first 4·⌈width/4⌉+4 bytes; only its low 32 bits can count in a half.
        last = 4 * (-(-width // 4)) + 4
        tables.append(
            array(
                "I",
                (
                    int.from_bytes(mixed[at + last - 4 : at + last], "big")
                    for at in range(0, len(mixed), BLOCK)
                ),
            )
        )
    return tables
