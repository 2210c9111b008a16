"""What an agency is to the rest: a name, its files, and how to read one of them.

Two shapes exist. In a file of rows every row stands for itself. A snapshot is a list that
replaces the one before, so it means something only beside the list in force.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from passlight.agencies.reading import Survey
from passlight.agencies.rows import Reading, Row

if TYPE_CHECKING:
    from passlight.agencies.risk_areas.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class RowAgency:
    """A format whose files hold rows."""

    name: str
    suffixes: tuple[str, ...]
    freshness: timedelta
    read: Callable[[Survey, Reading], Iterator[Row]]
    #: Whether the first line names the columns and is no row.
    header: bool = False
    #: Returns whether a file of a folder belongs to this feed; None when every file does.
    belongs: Callable[[Path], bool] | None = None

    def declared(self, found: Survey) -> int:
        """Return how many rows the file holds, counted without reading them."""
        return found.lines - (1 if self.header else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotAgency:
    """A format whose files are lists that each replace the one before."""

    name: str
    suffixes: tuple[str, ...]
    freshness: timedelta
    read: Callable[[Path], "tuple[Survey, Snapshot]"]
    published_at: Callable[[Path], datetime]


Agency = RowAgency | SnapshotAgency
