"""What an agency's file says, row by row, and what became of the rows.

Counts are of input rows, not of facts: a patient's row that gives two facts is one row.
Every row ends in exactly one of four ways, so the sum always balances.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from passlight.core.facts.fact import Fact
from passlight.core.kernel.documents import Document
from passlight.core.kernel.problem import Problem

if TYPE_CHECKING:
    from passlight.agencies.csv.mapping import FeedMapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One input row: the facts it states, or the problems for which it is put aside.

    ``documents`` names the subjects that are documents of people. A doubt does not stop the
    row: its facts count, and somebody should look. ``raw`` is masked (``masking``).
    """

    line: int
    facts: tuple[Fact, ...] = ()
    documents: Mapping[str, Document] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    doubts: tuple[Problem, ...] = ()
    raw: str = ""
    #: Whether the source numbers the versions of its facts; else we tell a correction by content.
    versioned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Input rows and what became of them; ``closed`` counts facts that a new list ended."""

    declared: int = 0
    landed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    held: int = 0
    closed: int = 0

    @property
    def balances(self) -> bool:
        """Return whether every declared row is accounted for."""
        return self.declared == self.landed + self.unchanged + self.quarantined + self.held

    def __add__(self, other: "Reconciliation") -> "Reconciliation":
        return Reconciliation(
            **{key: value + getattr(other, key) for key, value in dataclasses.asdict(self).items()}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reader is told beside the file: when it was published and how to read it."""

    now: datetime
    as_of: datetime | None = None
    mapping: "FeedMapping | None" = None  # the agency csv alone needs one
    progress: Callable[[int], object] | None = None

    @property
    def published_at(self) -> datetime:
        """Return the batch's publication time: as told, else now."""
        return self.as_of or self.now
