"""A pack's preview over the whole city: everybody evaluated twice, set-based, and counted.

The same numbers as the count person by person (``office.packs.preview``): who changes from which
colour into which, and for what reason. Every bucket is counted in the transaction that moves the
preview on; a process that is killed goes on with the bucket it was at.
"""

from collections import Counter
from pathlib import Path
from typing import Final

import duckdb
from django.db import transaction

from passlight.city.writing import files
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.problem import ProblemError
from passlight.office.background import LOST, own_connection
from passlight.office.packs.models import Preview
from passlight.office.packs.preview import schedules_of
from passlight.office.recompute.carrying import people_a_bucket
from passlight.office.recompute.comparing import reason_of
from passlight.office.recompute.evaluating import Progress, export_city
from passlight.office.recompute.folder import remove_tasks, task_folder
from passlight.office.recompute.served import Served, read_people
from passlight.office.recompute.steps import Steps

ATTEMPTS_MAX: Final = 3
FAULT_CHARS: Final = 300
_CHANGES: Final = """
select b.colour, a.colour, a.segments[1], b.segments[1], count(*)
  from {before} b join {after} a on a.person = b.person join {people} s on s.subject = b.subject
 where a.colour <> b.colour group by all
"""
_PEOPLE: Final = "select count(*) from {after} r join {people} s on s.subject = r.subject"


def run_preview(number: int, clock: Clock) -> Preview:
    """Count what is left of a preview; what fails for good is left to the page."""
    preview = Preview.objects.select_related("pack").get(pk=number)
    if preview.finished_at is not None or preview.engine != Preview.Engine.CITY:
        return preview
    remove_tasks("preview", but=preview.folder)
    steps = Steps(preview, Preview.objects, clock)
    try:
        _run(preview, clock, steps)
    except LOST:
        raise
    except Exception as error:
        _give_up(preview, error)
        raise
    remove_tasks("preview")
    return preview


def _run(preview: Preview, clock: Clock, progress: Progress) -> None:
    folder = task_folder("preview", preview.folder)
    with own_connection() as own:
        people = read_people(own, folder / "people", progress=progress)
        city = export_city(
            own,
            folder,
            fact_seq=preview.known_seq,
            people_a_bucket=people_a_bucket(),
            progress=progress,
        )
    before, after = schedules_of(preview)
    buckets = city.store.manifest.buckets
    first: dict[int, Path] = {}

    def evaluated(bucket: int, computed: Path) -> None:
        first[bucket] = computed
        progress("evaluate", bucket + 1, 2 * buckets)

    def compared(bucket: int, computed: Path) -> None:
        if bucket >= preview.position:
            _count(preview, bucket, first[bucket], computed, people)
        progress("evaluate", buckets + bucket + 1, 2 * buckets)

    Preview.objects.filter(pk=preview.pk).update(total=people.people)
    preview.total = people.people
    city.evaluate(before, at=preview.effective_from, name="before", bucket_done=evaluated)
    city.evaluate(after, at=preview.effective_from, name="after", bucket_done=compared)
    preview.total, preview.finished_at = preview.evaluated, clock.now()
    preview.fault = ""
    preview.save(update_fields=["total", "finished_at", "fault"])


def _count(preview: Preview, bucket: int, before: Path, after: Path, people: Served) -> None:
    changes, causes = Counter(preview.changes), Counter(preview.causes)
    with duckdb.connect(config={"threads": 1, "memory_limit": "1GB"}) as engine:
        if people.files:
            query = _CHANGES.format(
                before=files([before]), after=files([after]), people=files(people.files)
            )
            for was, becomes, new, old, count in engine.execute(query).fetchall():
                step = f"{was}>{becomes}"
                cause = _cause(becomes, new) or _cause(was, old) or ""
                changes[step] += count
                causes[f"{step}|{cause}"] += count
            query = _PEOPLE.format(after=files([after]), people=files(people.files))
            row = engine.execute(query).fetchone()
            preview.evaluated += row[0] if row else 0
    preview.changes, preview.causes = dict(changes), dict(causes)
    preview.position = bucket + 1
    preview.save(update_fields=["changes", "causes", "evaluated", "position"])


def _cause(colour: str, segment: dict[str, object]) -> str | None:
    return None if colour == "green" else reason_of(segment)


def _give_up(preview: Preview, error: Exception) -> None:
    """Keep what went wrong; after some attempts the page counts person by person instead."""
    told = str(error) if isinstance(error, ProblemError) else f"{type(error).__name__}: {error}"
    preview.attempts += 1
    preview.fault = told[:FAULT_CHARS]
    if preview.attempts >= ATTEMPTS_MAX or isinstance(error, ProblemError):
        preview.engine = Preview.Engine.PERSON
        preview.position = preview.evaluated = 0
        preview.changes, preview.causes = {}, {}
    with transaction.atomic():
        preview.save()
