"""Lands a file of rows: in chunks, each one transaction with its counts and its position.

A process that dies leaves the batch at the end of a chunk; landing it again goes on from
there. Should a chunk ever be seen twice, ``land_facts`` finds its facts unchanged.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from django.db import transaction

from passlight.agencies.agency import RowAgency
from passlight.agencies.reading import Survey
from passlight.agencies.rows import Reading, Reconciliation, Row
from passlight.core.facts.fact import Fact
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.office.facts.actions import land_facts
from passlight.office.facts.intake import Landing, NewFact
from passlight.office.facts.models import FactVersion
from passlight.office.feeds.models import Batch, BatchState, Doubt, QuarantinedRow
from passlight.office.feeds.subjects import subjects_for

ROWS_A_CHUNK = 2_000


class _Bytes:
    """Counts the bytes that the reader has gone through, for the progress on the page."""

    def __init__(self, reading: Reading) -> None:
        self.done = 0
        self._tell = reading.progress

    def __call__(self, size: int) -> None:
        self.done += size
        if self._tell is not None:
            self._tell(size)


def land_rows(
    batch: Batch, agency: RowAgency, found: Survey, reading: Reading, *, clock: Clock
) -> Batch:
    """Land every row after the batch's position and return the finished batch.

    Raises:
        ProblemError: when another process lands the same batch, or the rows do not add up.
    """
    counted = _Bytes(reading)
    told = Reading(now=reading.now, as_of=reading.as_of, mapping=reading.mapping, progress=counted)
    start = batch.position
    rows = (row for row in agency.read(found, told) if row.line > start)
    for chunk in _chunks(rows):
        batch = _land_chunk(batch, chunk, bytes_done=counted.done, clock=clock)
    return _finish(batch, clock=clock)


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, ROWS_A_CHUNK)):
        yield chunk


@transaction.atomic
def _land_chunk(batch: Batch, chunk: list[Row], *, bytes_done: int, clock: Clock) -> Batch:
    held = Batch.objects.select_for_update(of=("self",)).select_related("feed").get(pk=batch.pk)
    if held.position != batch.position or held.state != BatchState.LANDING:
        raise ProblemError(_busy(held))
    good = [row for row in chunk if not row.problems]
    subjects = subjects_for(good, namespace=held.feed.name, clock=clock)
    refused: dict[int, Problem] = {}
    facts: list[NewFact] = []
    owners: list[int] = []
    for row in good:
        problem = next(
            (s for fact in row.facts if isinstance(s := subjects[fact.subject], Problem)), None
        )
        if problem is not None:
            refused[row.line] = problem
            continue
        facts += [_new(fact, str(subjects[fact.subject]), row) for fact in row.facts]
        owners += [row.line] * len(row.facts)
    landing = land_facts(facts, batch_id=batch_key(held), clock=clock)
    refused |= {owners[one.position]: one.problem for one in landing.refused}
    held.add(_count(chunk, refused, landing))
    _put_aside(held, chunk, refused)
    held.position = chunk[-1].line
    held.bytes_done = bytes_done
    held.touched_at = clock.now()
    held.save()
    return held


def batch_key(batch: Batch) -> str:
    """Return the name under which the facts of a batch are in the log."""
    return f"feed-{batch.pk}"


def _new(fact: Fact, subject: str, row: Row) -> NewFact:
    return NewFact(
        fact_id=fact.fact_id,
        ver=fact.ver if row.versioned else None,
        op=fact.op,
        kind=fact.kind,
        subject=subject,
        occurred_at=fact.occurred_at,
        occurred_until=fact.occurred_until,
        source=fact.source,
        payload=fact.payload,
    )


def _count(chunk: Sequence[Row], refused: dict[int, Problem], landing: Landing) -> Reconciliation:
    """Return what became of the rows: a row landed when it is the one that added a fact."""
    new: Counter[str] = Counter()
    if landing.first_seq is not None:
        landed_ids = FactVersion.objects.filter(
            seq__gte=landing.first_seq, seq__lte=landing.last_seq
        )
        new.update(landed_ids.values_list("fact_id", flat=True))
    landed = unchanged = quarantined = 0
    for row in chunk:
        if row.problems or row.line in refused:
            quarantined += 1
            continue
        added = [fact.fact_id for fact in row.facts if new[fact.fact_id] > 0]
        new.subtract(added)
        landed += bool(added)
        unchanged += not added
    return Reconciliation(landed=landed, unchanged=unchanged, quarantined=quarantined)


def _put_aside(batch: Batch, chunk: Sequence[Row], refused: dict[int, Problem]) -> None:
    aside = [
        quarantined(batch, row, row.problems[0] if row.problems else refused[row.line])
        for row in chunk
        if row.problems or row.line in refused
    ]
    QuarantinedRow.objects.bulk_create(aside, batch_size=1_000)
    Doubt.objects.bulk_create(
        [doubt_of(batch, row.line, doubt) for row in chunk for doubt in row.doubts]
    )


def quarantined(batch: Batch, row: Row, problem: Problem) -> QuarantinedRow:
    """Return the record of a row that is put aside for ``problem``."""
    return QuarantinedRow(
        batch=batch,
        line=row.line,
        field=(problem.field or "")[:120],
        code=problem.code,
        params=problem.params,
        raw=row.raw[:200],
    )


def doubt_of(batch: Batch, line: int | None, problem: Problem) -> Doubt:
    """Return the record of a doubt."""
    return Doubt(
        batch=batch,
        line=line,
        field=problem.field or "",
        code=problem.code,
        params=problem.params,
    )


@transaction.atomic
def _finish(batch: Batch, *, clock: Clock) -> Batch:
    held = Batch.objects.select_for_update(of=("self",)).select_related("feed").get(pk=batch.pk)
    if not held.reconciliation.balances:
        raise ProblemError(
            Problem(
                code="feeds.unbalanced",
                message=f"The rows do not add up ({held.reconciliation}).",
                remedy="The file changed while it was read; feed it again.",
                file=held.file_name,
            )
        )
    held.state = BatchState.COMPLETE
    held.bytes_done = held.size_bytes
    held.finished_at = held.touched_at = clock.now()
    held.save()
    return held


def _busy(batch: Batch) -> Problem:
    return Problem(
        code="feeds.busy",
        message="Another process is landing this file.",
        remedy="Wait until it has finished; then feed the file again.",
        file=batch.file_name,
    )
