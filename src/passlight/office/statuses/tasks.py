"""Tasks: what about a person's status somebody has to look into, opened once each.

A conflict between facts and an area known too coarsely (E22) decide no colour by themselves;
an evaluation that raised shows the person as unknown.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from passlight.core.status.timeline import Timeline
from passlight.office.statuses.evaluation import EvaluationFailure
from passlight.office.statuses.models import Task


class Doubt(NamedTuple):
    """A task that may be open already."""

    ordinal: int
    kind: str
    detail: str


def failures(failed: Iterable[tuple[int, str]]) -> Iterator[Doubt]:
    """Yield a task for every person whose evaluation raised, with the error."""
    for ordinal, detail in failed:
        yield Doubt(ordinal, Task.Kind.EVALUATION_FAILED.value, detail)


def doubts(found: Mapping[int, Timeline | EvaluationFailure], now: datetime) -> Iterator[Doubt]:
    """Yield the conflicts and questions that evaluation met; facts are named by their ids."""
    for ordinal, timeline in found.items():
        if not isinstance(timeline, Timeline) or not any(
            span.conflicts or span.outcome.questions for span in timeline.spans
        ):
            continue
        status = timeline.status(now)
        for conflict in status.conflicts:
            facts = ", ".join((*conflict.kept, "≠", *conflict.set_aside))
            yield Doubt(
                ordinal, Task.Kind.CONFLICT.value, f"{conflict.kind} {conflict.key}: {facts}"
            )
        for question in status.questions:
            facts = f"{question.fact.fact_id} / {question.listing.fact_id}"
            yield Doubt(ordinal, Task.Kind.QUESTION.value, f"{question.rule.id}: {facts}")


def open_tasks(wanted: Sequence[Doubt], *, fact_seq: int, now: datetime) -> None:
    """Open the tasks that are not open yet; a failure is a new one each time it begins."""
    if not wanted:
        return
    ordinals = {one.ordinal for one in wanted}
    rows = Task.objects.filter(ordinal__in=ordinals).exclude(kind=Task.Kind.EVALUATION_FAILED)
    known = set(rows.values_list("ordinal", "kind", "detail"))
    Task.objects.bulk_create(
        Task(
            ordinal=one.ordinal,
            kind=one.kind,
            detail=one.detail,
            fact_seq=fact_seq,
            opened_at=now,
        )
        for one in dict.fromkeys(wanted)
        if tuple(one) not in known
    )
