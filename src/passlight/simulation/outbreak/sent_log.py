"""What was sent, line by line: in memory while it is little, on disk when it is not."""

import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from enum import StrEnum
from pathlib import Path

IN_MEMORY_LINES = 100_000


class What(StrEnum):
    """What a line is, seen from the truth."""

    TRUE = "true"
    DUPLICATE = "duplicate"
    RESENT = "resent"
    WRONG_ID = "wrong-id"
    CORRECTION = "correction"
    MISTAKE = "mistake"
    RETRACTION = "retraction"
    SPOILT = "spoilt"

    @property
    def outcome(self) -> str:
        """Return where intake must put the line."""
        return _OUTCOMES.get(self, "landed")


_OUTCOMES = {What.DUPLICATE: "unchanged", What.SPOILT: "quarantined"}


@dataclass(frozen=True, slots=True)
class Sent:
    """One line as it arrives."""

    arrives: int
    number: int
    source: str
    what: What
    fact_id: str
    ver: int
    text: str


class SentLog:
    """All lines of one world, in the order in which they were made."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / "sent.jsonl" if folder is not None else None
        self._lines: list[Sent] = []
        self._written = 0

    def append(self, line: Sent) -> None:
        """Keep one line."""
        self._lines.append(line)
        if self._path is not None and len(self._lines) >= IN_MEMORY_LINES:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(f"{json.dumps(astuple(one))}\n" for one in self._lines)
            self._written += len(self._lines)
            self._lines.clear()

    def clear(self) -> None:
        """Forget every line."""
        self._lines.clear()

    def __len__(self) -> int:
        return self._written + len(self._lines)

    def __iter__(self) -> Iterator[Sent]:
        if self._written and self._path is not None:
            with self._path.open(encoding="utf-8") as file:
                for text in file:
                    arrives, number, source, what, fact_id, ver, line = json.loads(text)
                    yield Sent(arrives, number, source, What(what), fact_id, ver, line)
        yield from self._lines
