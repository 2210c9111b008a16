"""What a door knows when somebody stands before it: the newest list that has reached it.

A fact that was recorded is with the doors after the worker's batch, the next delta and the next
poll; a door whose line is cut goes on with the list that it has.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passlight.core.kernel.colour import Colour
from passlight.simulation.outbreak.draws import Draws, Ints
from passlight.simulation.outbreak.hours import DAY, MINUTE

DELTA_SECONDS = 10
WORKER_SECONDS = 1
POLL_SECONDS = 5
OFFLINE_SHARE = 0.01
OFFLINE_MINUTES = (20, 40, 90, 240)
#: The longest that a door with a line is behind; a check that allows no more than this is strict.
BEHIND_MAX = DELTA_SECONDS + WORKER_SECONDS + POLL_SECONDS


@dataclass(frozen=True, slots=True)
class Doors:
    """The doors of one world."""

    draws: Draws

    def known_at(self, venues: Ints, seconds: Ints) -> Ints:
        """Return up to which second the doors of ``venues`` know the facts at ``seconds``."""
        lag = self._lag(venues)
        day = seconds // DAY
        begins, ends = self._offline(venues, day)
        inside = (seconds >= begins) & (seconds < ends)
        at = np.where(inside, begins, seconds) - lag
        return at // DELTA_SECONDS * DELTA_SECONDS

    def reached_at(self, venues: Ints, recorded: Ints) -> Ints:
        """Return the first second at which each door knows what was recorded then."""
        lag = self._lag(venues)
        first = -(-recorded // DELTA_SECONDS) * DELTA_SECONDS + lag
        begins, ends = self._offline(venues, first // DAY)
        waits = (first >= begins) & (first < ends) & (self.known_at(venues, first) < recorded)
        return np.where(waits, np.maximum(first, ends), first)

    def _lag(self, venues: Ints) -> Ints:
        polls: Ints = (self.draws.each("poll", venues) * POLL_SECONDS).astype(np.int64)
        return WORKER_SECONDS + polls

    def online(self, venues: Ints, seconds: Ints) -> NDArray[np.bool_]:
        """Return whether the doors had a line at that second."""
        begins, ends = self._offline(venues, seconds // DAY)
        return (seconds < begins) | (seconds >= ends)

    def _offline(self, venues: Ints, day: Ints) -> tuple[Ints, Ints]:
        """Return when the line of a door is cut that day; never is an empty time."""
        cut = self.draws.each("offline", venues, day) < OFFLINE_SHARE
        begins = day * DAY + (7 * 60 + self.draws.whole("cut at", 12 * 60, venues, day)) * MINUTE
        step = self.draws.whole("cut for", len(OFFLINE_MINUTES), venues, day)
        minutes = np.array(OFFLINE_MINUTES)[step]
        return begins, np.where(cut, begins + minutes * MINUTE, begins)


def phone_knows(second: int) -> int:
    """Return up to which second a phone with a line knows the facts."""
    return (second - WORKER_SECONDS) // DELTA_SECONDS * DELTA_SECONDS


def admits(colour: Colour) -> bool:
    """Return whether a door lets in: green, and unknown after a look by hand."""
    return colour in {Colour.GREEN, Colour.UNKNOWN}
