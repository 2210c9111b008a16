"""The whole city at one number of the log: exported once, evaluated bucket by bucket.

What is whole is kept when the process is killed: chunks of the export, buckets of the store and
of the results. Memory stays below a fixed bound, whatever the city's size.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psycopg

from passlight.city.duckdb_engine import DuckEngine
from passlight.city.evaluate import evaluate_compact
from passlight.city.export import export_facts
from passlight.city.store import Store, StoreError, open_store
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.rules.schedule import PackSchedule
from passlight.office.recompute.folder import require_space

#: Small buckets: the first people are through soon, and a kill costs little.
PEOPLE_A_BUCKET: Final = 250_000
MEMORY: Final = "2GB"
_PERSONS: Final = "select facts_key from people_person"

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """The facts of everybody up to a number, ready to be evaluated."""

    store: Store
    folder: Path

    def evaluate(
        self,
        schedule: PackSchedule,
        *,
        at: datetime,
        name: str,
        bucket_done: Callable[[int, Path], None],
    ) -> None:
        """Evaluate everybody at ``at``; ``bucket_done`` is told each bucket and its file."""
        results = self.folder / name
        ready = iter(self.store.buckets)

        def told(_: int) -> None:
            bucket = next(ready)
            bucket_done(bucket, results / f"bucket={bucket:03}.parquet")

        temporary = self.folder / "temporary"
        temporary.mkdir(exist_ok=True)
        engine = DuckEngine(temporary=temporary, threads=_threads(), memory=MEMORY)
        try:
            evaluate_compact(
                engine,
                self.store,
                schedule,
                at=at,
                known_at=None,
                out_folder=results,
                progress=told,
            )
        finally:
            engine.close()


def export_city(
    connection: psycopg.Connection[Any],
    folder: Path,
    *,
    fact_seq: int,
    people_a_bucket: int = PEOPLE_A_BUCKET,
    progress: Progress,
) -> City:
    """Return the city's facts up to a number, exported now or by a run that was killed.

    Raises:
        ProblemError: when the disk cannot hold it.
    """
    place = folder / "store"
    try:
        store = open_store(place)
    except StoreError:
        _require_no_results(folder)
        require_space(facts=fact_seq, people=_people(connection))
        place.mkdir(parents=True, exist_ok=True)
        store = export_facts(
            connection,
            place,
            up_to_seq=fact_seq,
            persons=_PERSONS,
            people_a_bucket=people_a_bucket,
            progress=progress,
        )
    return City(store=store, folder=folder)


def _require_no_results(folder: Path) -> None:
    """Refuse to make a store anew under results of one that was lost.

    Results are kept by the number of their bucket. Whoever has registered since is in a new store,
    and its buckets begin elsewhere: somebody between the two cuts would be passed over.

    Raises:
        ProblemError: when there are any.
    """
    if next(folder.glob("*/bucket[=-]*"), None) is not None:
        raise ProblemError(
            Problem(
                code="recompute.store-lost",
                message=f"{folder} has results, and the facts that they came from are lost.",
                remedy="Nothing is lost: the work begins anew, or goes on person by person.",
            )
        )


def _people(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("select coalesce(max(ordinal) + 1, 0) from people_person").fetchone()
    return int(row[0]) if row else 0


def _threads() -> int:
    """Return how many cores the evaluation takes: one is left to those who answer doors."""
    return max(1, (os.cpu_count() or 1) - 1)
