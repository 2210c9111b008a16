"""Colour (码色): what a person's code shows.

Three colours are a lattice, so the order in which measures are found cannot matter.
``unknown`` and ``closed`` are no colours of that lattice: they are answers of their own,
and neither is ever shown as green.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING


class Colour(StrEnum):
    """The colour or the answer that stands in its place.

    ``strictness`` is 1, 2, 3 for green, yellow, red (the two bits of a PL1 code); 0 for the others.
    """

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    UNKNOWN = "unknown"
    CLOSED = "closed"

    if TYPE_CHECKING:

        @property
        def strictness(self) -> int:
            """Return it; really an attribute, for it is asked often for each person."""


for _strictness, _colours in enumerate(
    ((Colour.UNKNOWN, Colour.CLOSED), (Colour.GREEN,), (Colour.YELLOW,), (Colour.RED,))
):
    for _colour in _colours:
        vars(_colour)["strictness"] = _strictness


def strictest(colours: Iterable[Colour]) -> Colour:
    """Return the strictest of green, yellow and red in ``colours``; green when there is none."""
    found = Colour.GREEN
    for colour in colours:
        assert colour.strictness, f"{colour} is not one of the three colours"
        if colour.strictness > found.strictness:
            found = colour
    return found
