"""Reading recomputes: the list of runs, one run's differences, a summary for operators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet

from passlight.office.people.models import Person
from passlight.office.recompute.models import Difference, Run
from passlight.office.statuses.queries import segment_at

RUNS_SHOWN = 30
#: A finished run older than this says that nights are being missed.
LATE_AFTER = timedelta(hours=36)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One difference as a list shows it: by handle, without a name."""

    row: Difference
    handle: str
    served_colour: str | None
    computed_colour: str
    served_reason: str | None
    computed_reason: str | None


def runs_listed() -> list[Run]:
    """Return the newest runs."""
    return list(Run.objects.order_by("-id").select_related("asked_by")[:RUNS_SHOWN])


def last_finished() -> Run | None:
    """Return the run that last compared everybody."""
    return Run.objects.filter(state=Run.State.DONE).order_by("-id").first()


def is_late(*, now: datetime) -> bool:
    """Return whether the city has not been compared for more than a night."""
    last = last_finished()
    return last is not None and last.finished_at is not None and now - last.finished_at > LATE_AFTER


def still_different() -> int:
    """Return how many people differed in the last finished run and were not put right."""
    last = last_finished()
    if last is None:
        return 0
    settled = Difference.objects.filter(
        run=last, state__in=[Difference.State.CORRECTED, Difference.State.OVERTAKEN]
    )
    return last.different - settled.count()


def differences_listed(run: Run, *, kind: str, state: str) -> QuerySet[Difference]:
    """Return the differences of a run, narrowed, those that stay first."""
    rows = Difference.objects.filter(run=run)
    if kind:
        rows = rows.filter(kind=kind)
    if state:
        rows = rows.filter(state=state)
    return rows.order_by("-state", "ordinal")


def lines(rows: Sequence[Difference]) -> list[Line]:
    """Return the differences with the handles of those whom they concern."""
    handles = dict(
        Person.objects.filter(ordinal__in={row.ordinal for row in rows}).values_list(
            "ordinal", "facts_key"
        )
    )
    return [_line(row, handles[row.ordinal]) for row in rows if row.ordinal in handles]


def _line(row: Difference, handle: str) -> Line:
    served = None if row.served is None else _first(row.served, row.found_at)
    computed = _first(row.computed, row.found_at)
    return Line(
        row=row,
        handle=handle,
        served_colour=None if served is None else served["colour"],
        computed_colour=computed["colour"],
        served_reason=None if served is None else served["reason"],
        computed_reason=computed["reason"],
    )


def _first(told: dict[str, Any], moment: datetime) -> dict[str, Any]:
    """Return the segment that doors go by; a state that is not active stands for all times."""
    segment = dict(segment_at(told["segments"], moment))
    if told["state"] != "active":
        segment["colour"] = told["state"]
    return segment


def states_of(run: Run) -> dict[str, int]:
    """Return how many differences of a run became what."""
    rows = Difference.objects.filter(run=run).values_list("state").annotate(count=Count("pk"))
    return dict(rows)


def summary(run: Run | None) -> dict[str, Any] | None:
    """Return what an operator's program wants to know of a run."""
    if run is None:
        return None
    return {
        "run": run.pk,
        "state": run.state,
        "at": run.at.isoformat() if run.at else None,
        "fact_seq": run.fact_seq,
        "people": run.people,
        "compared": run.compared,
        "different": run.different,
        "kinds": run.counts,
        "states": states_of(run),
        "fault": run.fault,
    }
