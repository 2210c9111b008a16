"""Settling differences: what the worker made of those whom a recompute asked it to look at."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import transaction

from passlight.core.kernel.clock import Clock
from passlight.core.rules.areas import AreaCodes
from passlight.office.recompute.models import Difference, Run
from passlight.office.statuses.models import Heartbeat
from passlight.office.statuses.publishing import touched_since
from passlight.office.statuses.rows import Row, cut_to, rows_held, state_of

#: How long the worker has for its answer, and for each person more.
ANSWER_SECONDS: Final = 60.0
SECONDS_A_PERSON: Final = 0.02

Pause = Callable[[float], object]
Progress = Callable[[str, int, int], None]


def settle(run: Run, clock: Clock, codes: AreaCodes, *, progress: Progress, pause: Pause) -> None:
    """Say of each difference what became of it; one that the worker does not answer stays open."""
    waiting = Difference.objects.filter(run=run, state=Difference.State.OPEN)
    rows = list(waiting.order_by("ordinal"))
    if not rows:
        return
    asked = max(row.request_seq or 0 for row in rows)
    until = clock.monotonic() + ANSWER_SECONDS + SECONDS_A_PERSON * len(rows)
    while (beat := Heartbeat.objects.get(pk=1)).request_seq < asked:
        if clock.monotonic() >= until:
            return
        progress("settle", 0, len(rows))
        pause(0.2)
    assert run.fact_seq is not None, "a run that compared has a number"
    touched = touched_since(run.fact_seq, beat.fact_seq, codes=codes)
    now = clock.now()
    held = rows_held([row.ordinal for row in rows])
    for row in rows:
        row.state = _state(row, held.get(row.ordinal), touched, now)
        row.settled_at = now
    with transaction.atomic():
        Difference.objects.bulk_update(rows, ["state", "settled_at"], batch_size=500)
    progress("settle", len(rows), len(rows))


def _state(row: Difference, held: Row | None, touched: set[int], now: datetime) -> Difference.State:
    if row.ordinal in touched:
        return Difference.State.OVERTAKEN
    if held is None:
        return Difference.State.STAYS
    told = row.computed
    sampled = told["sampled_at"]
    computed = Row(
        ordinal=row.ordinal,
        segments=told["segments"],
        sampled_at=None if sampled is None else datetime.fromisoformat(sampled),
        state=state_of(told["segments"]),
    )
    same = cut_to(held, now) == cut_to(computed, now)
    return Difference.State.CORRECTED if same else Difference.State.STAYS
