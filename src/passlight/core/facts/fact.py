"""Fact (公共管理机构数据): what an agency said about one subject, and when we learned it.

Two axes of time: ``occurred_at`` is the source's, ``recorded_at`` is ours and never the
source's clock (field/08 1.1). A fact is never changed: a correction is a new ``ver``, a
retraction is a version that says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

AREA_PREFIX = "area:"
SOURCE_PREFIX = "source:"
MANUAL_SOURCE = "manual"


class Op(StrEnum):
    """What one version does: state the fact, or take it back."""

    ASSERT = "assert"
    RETRACT = "retract"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One version of one fact; all instants are aware and in UTC.

    ``fact_id`` is the source's own stable key; the pair (``fact_id``, ``ver``) names this version.
    ``seq`` is the log's order; facts read from a file have none.
    """

    fact_id: str
    ver: int
    op: Op
    kind: str
    subject: str
    occurred_at: datetime
    occurred_until: datetime | None
    recorded_at: datetime
    source: str
    payload: Mapping[str, Any] = field(default_factory=dict, hash=False)
    seq: int | None = None

    @property
    def about_person(self) -> bool:
        """Return whether the subject is a person, not an area or a source."""
        return not self.subject.startswith((AREA_PREFIX, SOURCE_PREFIX))

    def same_content(self, other: "Fact") -> bool:
        """Return whether both say the same, whenever each of them was recorded (E12)."""
        return (
            self.op is other.op
            and self.kind == other.kind
            and self.subject == other.subject
            and self.occurred_at == other.occurred_at
            and self.occurred_until == other.occurred_until
            and self.source == other.source
            and self.payload == other.payload
        )
