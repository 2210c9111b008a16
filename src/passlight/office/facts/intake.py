"""What callers hand in and get back when facts are landed."""

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from passlight.core.facts.fact import Op
from passlight.core.kernel.problem import Problem, ProblemError

#: How much of one landing may be in one transaction: it holds the lock that orders all facts.
FACTS_A_LANDING = 50_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewFact:
    """A fact as its source sends it: without our number, our time, and maybe a version.

    ``ver`` is None for a feed that does not know versions: the next one is given when the
    content differs from the latest, and nothing lands when it does not.
    """

    fact_id: str
    kind: str
    subject: str
    occurred_at: datetime
    source: str
    payload: Mapping[str, Any]
    occurred_until: datetime | None = None
    op: Op = Op.ASSERT
    ver: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A fact that did not land: its place in what was handed in, and why."""

    position: int
    problem: Problem


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """What became of the facts handed in: landed + unchanged + refused = all of them."""

    landed: int
    unchanged: int
    refused: tuple[Refusal, ...]
    first_seq: int | None
    last_seq: int | None
    recorded_at: datetime

    def require_all(self) -> "Landing":
        """Return this landing; raises when a fact was refused.

        Raises:
            ProblemError: with every refusal.
        """
        if self.refused:
            raise ProblemError(*[refusal.problem for refusal in self.refused])
        return self
