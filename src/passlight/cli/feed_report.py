"""What ``passlight feed`` was asked, and what it says while it works."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tqdm import tqdm

from passlight.agencies.agency import Agency
from passlight.agencies.csv.mapping import FeedMapping
from passlight.agencies.filing import Breaker
from passlight.agencies.rows import Row
from passlight.core.kernel.problem import Problem

GOOD, FINDING, UNUSABLE = 0, 1, 2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the operator asked for."""

    agency: Agency
    files: tuple[Path, ...]
    as_of: datetime | None
    mapping: FeedMapping | None
    mapping_text: str
    breaker: Breaker


class Report:
    """What is said while the files are read: findings to standard error, all of them counted."""

    def __init__(self, quarantine: Path | None) -> None:
        self.findings = 0
        self.unusable = 0
        self.file = ""
        self._quarantine = quarantine.open("w", encoding="utf-8") if quarantine else None

    def told(self, problem: Problem, row: Row | None) -> None:
        """Say one finding of a reader; a row that was put aside is quarantined."""
        if row is None:
            self.finding(problem)
        else:
            placed = dataclasses.replace(problem, line=problem.line or row.line)
            self.quarantined(placed, raw=row.raw)

    def finding(self, problem: Problem) -> None:
        """Say a doubt, or a list that is held."""
        self.findings += 1
        self.say(dataclasses.replace(problem, file=problem.file or self.file))

    def quarantined(self, problem: Problem, *, raw: str) -> None:
        """Say why a row was put aside, and write it to the quarantine file."""
        self.finding(problem)
        if self._quarantine is None:
            return
        entry = {
            "file": problem.file or self.file,
            "line": problem.line,
            "field": problem.field,
            "code": problem.code,
            "message": problem.message,
            "remedy": problem.remedy,
            "raw": raw,
        }
        self._quarantine.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def unreadable(self, problem: Problem) -> None:
        """Say that a file or an option could not be used."""
        self.unusable += 1
        self.say(problem)

    def say(self, problem: Problem) -> None:
        """Print one line to standard error."""
        tqdm.write(" ".join(str(problem).splitlines()), file=sys.stderr)

    def close(self) -> None:
        """Close the quarantine file."""
        if self._quarantine is not None:
            self._quarantine.close()

    @property
    def status(self) -> int:
        """Return the exit status."""
        return UNUSABLE if self.unusable else FINDING if self.findings else GOOD


@contextmanager
def progress_bar(path: Path, size: int) -> Iterator[Callable[[int], object]]:
    """Show a bar on a terminal; nothing elsewhere."""
    with tqdm(
        total=size,
        desc=path.name,
        unit="B",
        unit_scale=True,
        disable=None,  # only when standard error is a terminal
        file=sys.stderr,
        leave=False,
    ) as bar:
        yield bar.update
