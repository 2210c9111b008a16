"""What one device sent at once, read and checked, and what it is told: the types of its storing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One record of a batch; ``record`` is what the office shall read, None with a fault."""

    seq: int
    hash: bytes
    prev: bytes
    body: bytes
    fault: str
    record: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one device sent of one boot, in the order of its numbers."""

    device: str
    thumbprint: str
    boot: int
    gateway: str
    now: datetime
    rows: Sequence[Row]
    whole: int
    """Up to where this boot was found whole before."""
    held_from: int | None
    """From where on the device has every number up to the first one here; None: it did not say."""
    report: dict[str, Any] | None


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What the device is told."""

    highest: int = 0
    set_aside: list[int] = field(default_factory=list)
    branch: bool = False
    call_office: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Records that neither the server nor the device has any more.

    ``first`` and ``last`` are numbers of the boot; both are 0 for records of earlier boots, whose
    numbers nobody knows.
    """

    first: int
    last: int
