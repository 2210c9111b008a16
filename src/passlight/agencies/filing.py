"""Writes what the files of a feed say to one facts file; needs no database.

The facts go to a draft beside the target, which takes its place when all is written: a run
that is killed leaves the old file, or none. A fact id that comes again with the same content
is unchanged, with other content its row is put aside; which ids have come is kept in a small
file on disk, so that memory stays bounded however long the feed is.
"""

import contextlib
import hashlib
import hmac
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from passlight.agencies.agency import RowAgency, SnapshotAgency
from passlight.agencies.reading import Survey
from passlight.agencies.risk_areas.replacement import ListInForce, replace_list, unchanged
from passlight.agencies.rows import Reading, Reconciliation, Row
from passlight.core.facts.fact import Fact
from passlight.core.facts.form import fact_line
from passlight.core.kernel.problem import Problem, ProblemError

Tell = Callable[[Problem, Row | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """When a list is held: how much may vanish, and whether it is applied on purpose."""

    vanish_percent_max: int
    release: bool = False


class FactsFile:
    """The facts file that is being written, and the ids that are in it."""

    def __init__(
        self, file: BinaryIO, seen: sqlite3.Connection, pseudonym_key: Callable[[], bytes]
    ) -> None:
        self._file = file
        self._seen = seen
        self._pseudonym_key = pseudonym_key
        # What a list feed has in force, and every list that was applied in this run.
        self.in_force: ListInForce | None = None
        self.applied: set[str] = set()

    def add(self, row: Row) -> Problem | bool:
        """Return whether the row added a fact, or the problem for which it adds none."""
        news = []
        for stated in row.facts:
            fact = self._without_number(stated, row)
            key, line = _key(fact), fact_line(fact)
            content = _content(fact, line)
            known = self._seen.execute("select content from seen where id = ?", (key,)).fetchone()
            if known is None:
                news.append((key, content, line))
            elif known[0] != content:
                return _conflict(fact, row.line)
        for key, content, line in news:
            self._seen.execute("insert into seen values (?, ?)", (key, content))
            self._file.write(line)
        return bool(news)

    def _without_number(self, fact: Fact, row: Row) -> Fact:
        """Return the fact under a keyed pseudonym when its subject is somebody's document."""
        document = row.documents.get(fact.subject)
        if document is None:
            return fact
        digest = hmac.new(self._pseudonym_key(), document.canonical, hashlib.sha256).hexdigest()
        return replace(fact, subject=f"d-{digest[:32]}")


@contextlib.contextmanager
def facts_file(target: Path, *, pseudonym_key: Callable[[], bytes]) -> Iterator[FactsFile]:
    """Open a draft of ``target``; it takes the target's place when the block ends well."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.draft")
    with tempfile.TemporaryDirectory(prefix="passlight-feed-") as folder:
        seen = sqlite3.connect(Path(folder) / "seen.sqlite", isolation_level=None)
        try:
            seen.executescript(
                "pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -32000;"
                "create table seen (id blob primary key, content blob) without rowid; begin"
            )
            with draft.open("wb") as file:
                yield FactsFile(file, seen, pseudonym_key)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            seen.close()
            draft.unlink(missing_ok=True)


def file_rows(
    agency: RowAgency, found: Survey, out: FactsFile, reading: Reading, tell: Tell
) -> Reconciliation:
    """Write the facts of one file of rows and return what became of the rows."""
    landed = same = aside = 0
    for row in agency.read(found, reading):
        for doubt in row.doubts:
            tell(doubt, None)
        outcome = row.problems or out.add(row)
        if outcome is True:
            landed += 1
        elif outcome is False:
            same += 1
        else:
            aside += 1
            for problem in outcome if isinstance(outcome, tuple) else (outcome,):
                tell(problem, row)
    return Reconciliation(
        declared=agency.declared(found), landed=landed, unchanged=same, quarantined=aside
    )


def file_snapshot(
    agency: SnapshotAgency, path: Path, out: FactsFile, breaker: Breaker, tell: Tell
) -> Reconciliation:
    """Write what one list changes and return what became of its rows."""
    _, snapshot = agency.read(path)
    if snapshot.list_id in out.applied:
        done = unchanged(out.in_force, snapshot)
    else:
        done = replace_list(
            out.in_force,
            snapshot,
            vanish_percent_max=breaker.vanish_percent_max,
            release=breaker.release,
        )
    for row in done.refused:
        tell(row.problems[0], row)
    for problem in (*done.doubts, *([done.held] if done.held else [])):
        tell(problem, None)
    for fact in done.facts:
        outcome = out.add(Row(line=0, facts=(fact,)))
        if isinstance(outcome, Problem):
            raise ProblemError(outcome)
    out.in_force = done.in_force
    if done.held is None:
        out.applied.add(snapshot.list_id)
    return done.reconciliation


def _key(fact: Fact) -> bytes:
    return hashlib.blake2b(f"{fact.fact_id}\x1f{fact.ver}".encode(), digest_size=16).digest()


def _content(fact: Fact, line: bytes) -> bytes:
    # When it was recorded is ours and no part of what the source says.
    recorded = f'"recorded_at":"{fact.recorded_at.isoformat()}"'.encode()
    return hashlib.blake2b(line.replace(recorded, b"", 1), digest_size=16).digest()


def _conflict(fact: Fact, line: int) -> Problem:
    return Problem(
        code="feeds.conflict",
        message="The same fact and version came before with other content.",
        remedy="Send a correction under the next version.",
        line=line,
        field="fact_id",
        params={"ver": str(fact.ver)},
    )


def balanced(total: Reconciliation, path: Path) -> Reconciliation:
    """Return the counts; raises when a row is not accounted for, which is a bug or a torn disk.

    Raises:
        ProblemError: when the rows that were read are not the rows that were declared.
    """
    if total.balances:
        return total
    raise ProblemError(
        Problem(
            code="feeds.unbalanced",
            message=f"The rows do not add up ({total}).",
            remedy="The file changed while it was read; feed it again.",
            file=path.name,
        )
    )
