"""Which pack is in force when, as far as it was published (field/08 1.3, E40)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from passlight.core.kernel.interval import Interval
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.rules.areas import AreaCodes
from passlight.core.rules.pack import Pack


class Epoch(NamedTuple):
    """A stretch of time under one pack; None where no pack is in force."""

    when: Interval
    pack: Pack | None


@dataclass(frozen=True, slots=True)
class PackSchedule:
    """The packs of one jurisdiction.

    In force at an instant is, of the packs that cover it and were published by then, the one
    that took effect last; a pack that another one ``supersedes`` gives way where both cover.
    """

    packs: tuple[Pack, ...]
    always: bool = False
    _epochs: dict[int, tuple[Epoch, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @staticmethod
    def only(pack: Pack) -> "PackSchedule":
        """Return the schedule that applies one pack at every instant (files, tests, previews)."""
        return PackSchedule((pack,), always=True)

    @staticmethod
    def of(packs: Iterable[Pack]) -> "PackSchedule":
        """Return the schedule of these packs.

        Raises:
            ProblemError: when two of them claim the same time and neither supersedes the other.
        """
        ordered = tuple(sorted(packs, key=_precedence))
        problems = [
            _overlap(one, other)
            for index, one in enumerate(ordered)
            for other in ordered[index + 1 :]
            if _conflict(one, other)
        ]
        if problems:
            raise ProblemError(*problems)
        return PackSchedule(ordered)

    @property
    def area_codes(self) -> AreaCodes:
        """Return the area codes of all packs together."""
        return AreaCodes.of(row for pack in self.packs for row in pack.areas.all_rows())

    def epochs(self, *, known_at: datetime | None = None) -> tuple[Epoch, ...]:
        """Return the whole of time, cut where the pack in force changes."""
        known = self.packs
        if known_at is not None and not self.always:
            known = tuple(pack for pack in known if pack.published_at <= known_at)
        # What was published is always what was published first: its number says which it is.
        found = self._epochs.get(len(known))
        if found is None:
            found = self._epochs[len(known)] = self._cut(known)
        return found

    def _cut(self, known: tuple[Pack, ...]) -> tuple[Epoch, ...]:
        if self.always:
            return (Epoch(Interval(None, None), known[0]),)
        bounds = {edge for pack in known for edge in _edges(pack) if edge is not None}
        edges: list[datetime | None] = [None, *sorted(bounds)]
        epochs: list[Epoch] = []
        for index, start in enumerate(edges):
            end = edges[index + 1] if index + 1 < len(edges) else None
            pack = _in_force(known, start)
            last = epochs[-1] if epochs else None
            if last is not None and last.pack is pack:
                epochs[-1] = Epoch(Interval(last.when.start, end), pack)
            else:
                epochs.append(Epoch(Interval(start, end), pack))
        return tuple(epochs)

    def in_force(self, instant: datetime, *, known_at: datetime | None = None) -> Pack | None:
        """Return the pack in force at ``instant`` as known at ``known_at``."""
        epochs = self.epochs(known_at=known_at)
        return next(epoch.pack for epoch in epochs if epoch.when.covers(instant))


def _edges(pack: Pack) -> tuple[datetime | None, datetime | None]:
    return pack.effective.start, pack.effective.end


def _precedence(pack: Pack) -> tuple[datetime, datetime, str, str]:
    assert pack.effective.start is not None, "every pack has a first day"
    return (pack.effective.start, pack.published_at, pack.id, pack.version)


def _supersedes(one: Pack, other: Pack) -> bool:
    return one.supersedes is not None and one.supersedes in {other.version, other.key}


def _in_force(packs: tuple[Pack, ...], instant: datetime | None) -> Pack | None:
    if instant is None:
        return None
    covering = [pack for pack in packs if pack.effective.covers(instant)]
    standing = [
        pack for pack in covering if not any(_supersedes(other, pack) for other in covering)
    ]
    return max(standing, key=_precedence, default=None)


def _conflict(one: Pack, other: Pack) -> bool:
    """Return whether two packs claim the same time; ``other`` starts no earlier than ``one``.

    A pack without an end gives way to the next one; one with an end has claimed its time.
    """
    if _supersedes(one, other) or _supersedes(other, one):
        return False
    if one.effective.start == other.effective.start:
        return True
    return one.effective.end is not None and one.effective.intersection(other.effective) is not None


def _overlap(one: Pack, other: Pack) -> Problem:
    return Problem(
        code="rules.overlap",
        message=f"{one.key} and {other.key} claim the same time.",
        remedy="End the earlier one, move the later one, or let it say supersedes.",
        field="effective",
    )
