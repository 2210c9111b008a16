"""What venues recorded of each day's visits: who came when, and, mostly, when they left.

Kept in memory for a small world and in one file a day for a large one; read back a day at a
time. ``left`` is NOT_RECORDED where nobody checked out.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from passlight.simulation.outbreak.draws import Draws
from passlight.simulation.outbreak.movement import DayVisits

NOT_RECORDED = -1
MISSING_CHECKOUT_SHARE = 0.02
KEPT_DAYS = 16


@dataclass(frozen=True, slots=True)
class RecordedDay:
    """The check-ins of one day, sorted by zone, start and person; minutes from midnight."""

    person: NDArray[np.int32]
    zone: NDArray[np.int32]
    entered: NDArray[np.int16]
    left: NDArray[np.int16]

    def in_zone(self, zone: int) -> slice:
        """Return where the check-ins of one zone lie."""
        return slice(
            int(np.searchsorted(self.zone, zone, side="left")),
            int(np.searchsorted(self.zone, zone, side="right")),
        )


class VisitStore:
    """The days of one world: what was recorded, and what was so."""

    def __init__(self, draws: Draws, folder: Path | None = None) -> None:
        self._draws = draws
        self._folder = folder
        self._days: dict[int, tuple[RecordedDay, DayVisits]] = {}
        self.rows = 0

    def record(self, day: int, visits: DayVisits, *, at_doors: NDArray[np.bool_]) -> None:
        """Keep ``visits``, and what the venues recorded of those that have a door."""
        seen = visits.take(at_doors)
        lost = self._draws.each("check-out", seen.person, seen.start, day)
        left = np.where(lost < MISSING_CHECKOUT_SHARE, NOT_RECORDED, seen.end).astype(np.int16)
        self.rows += len(visits)
        self._keep(day, RecordedDay(seen.person, seen.zone, seen.start, left), visits)

    def _keep(self, day: int, recorded: RecordedDay, visits: DayVisits) -> None:
        if self._folder is None:
            self._days[day] = (recorded, visits)
            return
        with self._path(day).open("wb") as file:
            for part in (recorded, visits):
                for name in part.__slots__:
                    np.save(file, getattr(part, name))

    def day(self, day: int) -> RecordedDay | None:
        """Return what was recorded of a day; None for one that is not over or never was."""
        found = self._load(day)
        return found[0] if found is not None else None

    def truth(self, day: int) -> DayVisits | None:
        """Return the visits of a day as they were."""
        found = self._load(day)
        return found[1] if found is not None else None

    def _load(self, day: int) -> tuple[RecordedDay, DayVisits] | None:
        found = self._days.get(day)
        if found is not None or self._folder is None or not self._path(day).exists():
            return found
        with self._path(day).open("rb") as file:
            columns = [np.load(file) for _ in range(8)]
        if len(self._days) >= KEPT_DAYS:
            del self._days[next(iter(self._days))]
        found = self._days[day] = (RecordedDay(*columns[:4]), DayVisits(*columns[4:]))
        return found

    def _path(self, day: int) -> Path:
        assert self._folder is not None
        return self._folder / f"visits-{day:03d}.npy"
