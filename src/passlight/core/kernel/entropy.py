"""Randomness as a parameter: only ``passlight.runtime`` draws from the operating system."""

from typing import Protocol


class Entropy(Protocol):
    """A source of bytes that nobody can predict."""

    def token(self, size: int) -> bytes:
        """Return ``size`` unpredictable bytes."""
        ...
