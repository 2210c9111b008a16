"""The answers at a door: seven, and an error is never red and never green."""

from dataclasses import dataclass
from enum import StrEnum

from passlight.core.codes.layout import Body, CodeKind
from passlight.core.kernel.colour import Colour


class DoorAnswer(StrEnum):
    """What a door says."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    UNDETERMINED = "undetermined"
    EXPIRED = "expired"
    NOT_FOUND = "not-found"
    CLOSED = "closed"

    @property
    def colour(self) -> Colour | None:
        """Return the colour, for the three answers that are one."""
        return _COLOURS.get(self)


_COLOURS = {
    DoorAnswer.GREEN: Colour.GREEN,
    DoorAnswer.YELLOW: Colour.YELLOW,
    DoorAnswer.RED: Colour.RED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer with its one reason, and what the code itself proved.

    ``body`` and the fields after it are set only once the signature is good: before that a
    scanned text is somebody's text, and nothing of it may be spoken of.
    ``sampled_from`` and ``known_at`` are POSIX seconds.
    """

    answer: DoorAnswer
    reason: str
    body: Body | None = None
    realm: str | None = None
    epoch: int | None = None
    sampled_from: int | None = None
    known_at: int | None = None

    @property
    def kind(self) -> CodeKind | None:
        """Return hot, cold or paper, when the code is genuine."""
        return self.body.kind if self.body is not None else None
