"""Chance by number: what is drawn depends on the seed, the reason and the keys alone.

No generator is carried along, so the same person on the same day draws the same number in
whatever order, chunk or process the world is computed.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def _mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the finaliser of SplitMix64: every bit of the input moves every bit of the output."""
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    return value ^ (value >> np.uint64(31))


class Draws:
    """The chance of one world."""

    __slots__ = ("_starts", "seed")

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._starts: dict[str, NDArray[np.uint64]] = {}

    def _start(self, why: str) -> NDArray[np.uint64]:
        start = self._starts.get(why)
        if start is None:
            digest = hashlib.blake2b(f"{self.seed}\x1f{why}".encode(), digest_size=8).digest()
            start = self._starts[why] = np.array([int.from_bytes(digest, "little")], np.uint64)
        return start

    def each(self, why: str, *keys: ArrayLike) -> Floats:
        """Return a number in [0, 1) for each of the keys, which are whole numbers or arrays."""
        state = self._start(why)
        for key in keys:
            state = _mixed(state + (np.atleast_1d(np.asarray(key)).astype(np.uint64) + _GOLDEN))
        return (_mixed(state) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def whole(self, why: str, limit: ArrayLike, *keys: ArrayLike) -> Ints:
        """Return a whole number in [0, limit) for each of the keys."""
        found: Ints = (self.each(why, *keys) * np.asarray(limit)).astype(np.int64)
        return found

    def one(self, why: str, *keys: int) -> float:
        """Return one number in [0, 1)."""
        return float(self.each(why, *keys)[0])

    def chance(self, share: float, why: str, *keys: int) -> bool:
        """Return whether something that happens to ``share`` of all happens here."""
        return self.one(why, *keys) < share

    def between(self, why: str, steps: Sequence[int], *keys: int) -> int:
        """Return a number from a distribution that is given by equally likely steps.

        ``steps`` are its quantiles in order; between two of them every value is equally likely.
        """
        place = self.one(why, *keys) * (len(steps) - 1)
        below = int(place)
        return steps[below] + int((place - below) * (steps[below + 1] - steps[below]))
