"""Where a door knows statuses from: a signed list, or the gateway's book in memory (PL1 6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from passlight.core.codes.layout import Purpose


class ListState(IntEnum):
    """The two bits of one index."""

    NO_RESTRICTION = 0
    YELLOW = 1
    RED = 2
    WITHDRAWN = 3


class StatusView(Protocol):
    """What is known of one realm, kind and epoch at one moment."""

    @property
    def as_of(self) -> int:
        """Return the moment of this knowledge in POSIX seconds."""
        ...

    @property
    def size(self) -> int:
        """Return n: indices are 0…n-1."""
        ...

    def state(self, index: int) -> ListState:
        """Return the state of an index below ``size``."""
        ...


class StatusSource(Protocol):
    """All that a door knows of statuses."""

    def view(self, *, realm: str, purpose: Purpose, epoch: int | None) -> StatusView | None:
        """Return what is known of an epoch (None for paper), never of a neighbour in its place."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusList:
    """A list in plain form; every index that is not named has no restriction."""

    as_of: int
    size: int
    states: Mapping[int, ListState] = field(default_factory=dict)

    def state(self, index: int) -> ListState:
        """Return the state of an index."""
        return self.states.get(index, ListState.NO_RESTRICTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLists:
    """The lists that a door carries, by realm, purpose and epoch."""

    lists: Mapping[tuple[str, Purpose, int | None], StatusView]

    def view(self, *, realm: str, purpose: Purpose, epoch: int | None) -> StatusView | None:
        """Return the one list of an epoch, or None."""
        return self.lists.get((realm, purpose, epoch))
