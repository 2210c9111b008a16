"""What the process of a switch does: evaluate everybody, compare, leave the changes in files."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from passlight.core.kernel.clock import Clock
from passlight.office.background import own_connection
from passlight.office.packs.schedule import schedule
from passlight.office.recompute.comparing import Compared, Comparison
from passlight.office.recompute.doubtful import Doubtful
from passlight.office.recompute.evaluating import PEOPLE_A_BUCKET, export_city
from passlight.office.recompute.folder import remove_tasks, task_folder
from passlight.office.recompute.served import read_served
from passlight.office.recompute.steps import Steps
from passlight.office.statuses.changes import (
    Change,
    Ended,
    bucket_file,
    read_end,
    write_bucket,
    write_end,
)
from passlight.office.statuses.models import Switch
from passlight.runtime.settings import read_number

#: A number that no fact and no publication reaches.
ALL: Final = 2**62


def run_switch(number: int, clock: Clock, *, parent: int | None = None) -> None:
    """Do what is left of a switch's evaluation."""
    row = Switch.objects.get(pk=number)
    folder = task_folder("switch", row.folder)
    remove_tasks("switch", but=row.folder)
    changes = folder / "changes"
    changes.mkdir(exist_ok=True)
    if read_end(changes) is not None:
        return
    packs = schedule(row.packs_seq)
    steps = Steps(row, Switch.objects, clock, parent=parent)
    with own_connection() as connection:
        # First what is served: whoever comes later is not in it, and not in the results either.
        served = read_served(
            connection, folder / "served", fact_seq=ALL, packs_seq=ALL, progress=steps
        )
        city = export_city(
            connection,
            folder,
            fact_seq=row.fact_seq,
            people_a_bucket=people_a_bucket(),
            progress=steps,
        )
    comparison = Comparison(served, max(row.started_at, served.latest_at))
    doubtful = Doubtful(packs, city.store, served)

    def bucket_done(bucket: int, computed: Path) -> None:
        if not bucket_file(changes, bucket).exists():
            people = comparison.people(computed)
            found = _changes(comparison.differing(computed), doubtful.ordinals(bucket))
            write_bucket(changes, bucket, found, people=people)
        steps("evaluate", bucket + 1, city.store.manifest.buckets)

    try:
        steps("evaluate", 0, city.store.manifest.buckets)
        city.evaluate(packs, at=row.started_at, name="results", bucket_done=bucket_done)
    finally:
        comparison.close()
        doubtful.close()
    write_end(changes, Ended(buckets=city.store.manifest.buckets, ordinals=served.ordinals))


def people_a_bucket() -> int:
    """Return how many people are evaluated, compared and published at a time."""
    return read_number("PASSLIGHT_CITY_BUCKET", PEOPLE_A_BUCKET, least=1, most=10_000_000)


def _changes(differing: Iterable[Compared], doubtful: set[int]) -> Iterator[Change]:
    """Yield the rows to publish, and those whom the worker looks at itself: they may be asked."""
    for one in differing:
        if one.ordinal not in doubtful:
            yield Change(ordinal=one.ordinal, row=one.computed)
    for ordinal in sorted(doubtful):
        yield Change(ordinal=ordinal, row=None)
