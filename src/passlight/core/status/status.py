"""Status (码色): the answer for one person at one instant, and why.

The strictest measure in force wins, so no order can matter. ``valid_until`` is how long the
answer may be kept; ``next_change`` is when the colour really becomes another one.
"""

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from passlight.core.kernel.colour import Colour
from passlight.core.rules.pack import Pack
from passlight.core.rules.terms import Text
from passlight.core.status.line import sentences
from passlight.core.status.measures import Measure, Question
from passlight.core.status.reading import Conflict


class Change(NamedTuple):
    """When the colour becomes another one, and which."""

    at: datetime
    colour: Colour


class ShownBadge(NamedTuple):
    """A mark beside the colour, until when."""

    id: str
    text: Text
    until: datetime | None


class Status(NamedTuple):
    """One person's colour at ``at``, as known at ``known_at`` (None: everything is known)."""

    subject: str
    at: datetime
    known_at: datetime | None
    zone: ZoneInfo
    colour: Colour
    valid_until: datetime | None
    next_change: Change | None
    measures: tuple[Measure, ...]
    waived: tuple[Measure, ...]
    badges: tuple[ShownBadge, ...]
    questions: tuple[Question, ...]
    conflicts: tuple[Conflict, ...]
    stale_sources: tuple[str, ...]
    pack: Pack | None

    @property
    def pack_hash(self) -> str | None:
        """Return the hash of the pack that decided; None where no pack is in force."""
        return self.pack.hash if self.pack is not None else None

    @property
    def reason(self) -> Measure | None:
        """Return the strongest measure: the one reason that a door says."""
        return self.measures[0] if self.measures else None


class Segment(NamedTuple):
    """From ``start`` on (None: from ever) this colour, for this reason."""

    start: datetime | None
    colour: Colour
    reason: str | None


def need_texts(measure: Measure, *, zone: ZoneInfo) -> list[Text]:
    """Return the sentences of a measure's open conditions."""
    return sentences(measure.needs, zone=zone)
