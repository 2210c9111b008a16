"""Colour (码色): what a person's code shows.

Three colours are a lattice, so the order in which measures are found cannot matter.
``unknown`` and ``closed`` are no colours of that lattice: they are answers of their own,
and neither is ever shown as green.
"""

from collections.abc import Iterable
from enum import StrEnum


class Colour(StrEnum):
    """The colour or the answer that stands in its place."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    UNKNOWN = "unknown"
    CLOSED = "closed"

    @property
    def strictness(self) -> int:
        """Return 1, 2, 3 for green, yellow, red (the two bits of a PL1 code); 0 for the others."""
        return _STRICTNESS[self]


_STRICTNESS = {
    Colour.GREEN: 1,
    Colour.YELLOW: 2,
    Colour.RED: 3,
    Colour.UNKNOWN: 0,
    Colour.CLOSED: 0,
}


def strictest(colours: Iterable[Colour]) -> Colour:
    """Return the strictest of green, yellow and red in ``colours``; green when there is none."""
    found = Colour.GREEN
    for colour in colours:
        assert colour.strictness, f"{colour} is not one of the three colours"
        if colour.strictness > found.strictness:
            found = colour
    return found
