"""What the product makes of the lines that arrive: facts, or nothing, and every line counted.

Feeds go the way of ``passlight feed --out``: the same readers, the same doubts, the same rule for
what was known before, the same breaker for lists.
"""

import shutil
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from passlight.agencies.filing import FactsFile, facts_file
from passlight.agencies.jsonl.agency import AGENCY
from passlight.agencies.reading import survey
from passlight.agencies.risk_areas.replacement import ListInForce, replace_list
from passlight.agencies.risk_areas.snapshot import read_snapshot
from passlight.agencies.rows import Reading, Reconciliation, Row
from passlight.core.facts.fact import Fact
from passlight.core.kernel.problem import ProblemError
from passlight.simulation.outbreak.hours import instant
from passlight.simulation.outbreak.lists import PublishedList, list_bytes
from passlight.simulation.outbreak.senders import lines_by_source
from passlight.simulation.outbreak.sent_log import Sent


class Intake:
    """The facts of one world as they land; ``facts_path`` holds all of them in the end."""

    def __init__(self, folder: Path, *, last_second: int) -> None:
        self.facts_path = folder / "facts.jsonl"
        self.counts: dict[str, Reconciliation] = defaultdict(Reconciliation)
        self._now = instant(last_second)
        self._in_force: dict[int, ListInForce | None] = {}
        self._stack = ExitStack()
        self._folder = Path(tempfile.mkdtemp(prefix="passlight-outbreak-", dir=folder))
        self._out: FactsFile | None = None

    def __enter__(self) -> Self:
        self._stack.callback(shutil.rmtree, self._folder)
        self._out = self._stack.enter_context(
            facts_file(self.facts_path, pseudonym_key=lambda: b"nobody sends documents here")
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def land(self, lines: list[Sent]) -> list[Fact]:
        """Read what arrived and return the facts that landed, in the order of arrival."""
        landed: list[Fact] = []
        for source, own in lines_by_source(lines):
            path = self._folder / f"{source}.jsonl"
            path.write_text("".join(f"{line.text}\n" for line in own), encoding="utf-8")
            landed += self._land_file(source, path)
        return sorted(landed, key=lambda fact: (fact.recorded_at, fact.fact_id, fact.ver))

    def _land_file(self, source: str, path: Path) -> list[Fact]:
        landed: list[Fact] = []
        counts = {"landed": 0, "unchanged": 0, "quarantined": 0}
        found = survey(path)
        for row in AGENCY.read(found, Reading(now=self._now)):
            outcome = row.problems or self._file().add(row)
            if outcome is True:
                landed += row.facts
                counts["landed"] += 1
            elif outcome is False:
                counts["unchanged"] += 1
            else:
                counts["quarantined"] += 1
        self.counts[source] += Reconciliation(declared=AGENCY.declared(found), **counts)
        return landed

    def land_list(self, published: PublishedList) -> list[Fact]:
        """Read one list and return the facts that it changes; a held list changes none."""
        path = self._folder / published.name
        path.write_bytes(list_bytes(published))
        _, snapshot = read_snapshot(path)
        path.unlink()
        done = replace_list(
            self._in_force.get(published.publisher),
            snapshot,
            recorded_at=instant(published.arrives),
        )
        self._in_force[published.publisher] = done.in_force
        self.counts["risk-areas"] += done.reconciliation
        for fact in done.facts:
            outcome = self._file().add(Row(line=0, facts=(fact,)))
            if outcome is not True:
                raise ProblemError(outcome) if outcome else AssertionError(fact.fact_id)
        return list(done.facts)

    def _file(self) -> FactsFile:
        assert self._out is not None, "an intake is a context"
        return self._out
