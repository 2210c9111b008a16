"""A full recompute: the whole city at one number of the log, compared with what is served.

Everybody is evaluated by the set-based engine on the facts and packs that the worker had worked
off, and compared with the newest publication on those. Newer facts are no difference. Every
person who differs is kept, evaluated again by the worker, and looked at once more after that:
what still differs is an alarm, since two evaluators that must agree do not.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import connection, transaction
from django.db.models import Max

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.office.background import own_connection
from passlight.office.packs.schedule import latest_seq, schedule
from passlight.office.recompute.actions import REQUEST_LOCK
from passlight.office.recompute.carrying import people_a_bucket
from passlight.office.recompute.comparing import Compared, Comparison
from passlight.office.recompute.evaluating import Progress, export_city
from passlight.office.recompute.folder import remove_tasks, task_folder
from passlight.office.recompute.models import Difference, Run
from passlight.office.recompute.served import read_served
from passlight.office.recompute.settling import Pause, settle
from passlight.office.recompute.telling import tell_failed, tell_found
from passlight.office.statuses.models import Heartbeat, Request
from passlight.office.statuses.rows import Row

#: So many people are kept and evaluated again; more than that is a fault of the engine's own.
DIFFERENCES_MAX: Final = 10_000
ATTEMPTS_MAX: Final = 3
WAIT_FOR_WORKER_SECONDS: Final = 4 * 3600
FAULT_CHARS: Final = 300


def go_on(run: Run, clock: Clock, *, progress: Progress, pause: Pause) -> Run:
    """Do what is left of a run; whatever stops it, the next call goes on from there."""
    remove_tasks("recompute", but=run.folder)
    try:
        _run(run, clock, progress, pause)
    except ProblemError as error:
        _give_up(run, str(error), clock, at_once=True)
        raise
    except Exception as error:
        _give_up(run, f"{type(error).__name__}: {error}", clock, at_once=False)
        raise
    remove_tasks("recompute")
    return run


def _run(run: Run, clock: Clock, progress: Progress, pause: Pause) -> None:
    if run.started_at is None:
        _begin(run, clock, progress, pause)
    assert run.at is not None, "set where the run begins"
    assert run.fact_seq is not None, "as above"
    assert run.packs_seq is not None, "as above"
    folder = task_folder("recompute", run.folder)
    packs = schedule(run.packs_seq)
    with own_connection() as own:
        served = read_served(
            own,
            folder / "served",
            fact_seq=run.fact_seq,
            packs_seq=run.packs_seq,
            progress=progress,
        )
        size = people_a_bucket()
        city = export_city(
            own, folder, fact_seq=run.fact_seq, people_a_bucket=size, progress=progress
        )
    Run.objects.filter(pk=run.pk).update(people=served.people)
    buckets = city.store.manifest.buckets
    comparison = Comparison(served, max(run.at, served.latest_at))

    def bucket_done(bucket: int, computed: Path) -> None:
        if bucket >= run.bucket:
            found = list(comparison.differing(computed))
            _keep(run, bucket, found, people=comparison.people(computed), clock=clock)
        progress("evaluate", bucket + 1, buckets)

    try:
        progress("evaluate", 0, buckets)
        city.evaluate(packs, at=run.at, name="results", bucket_done=bucket_done)
    finally:
        comparison.close()
    settle(run, clock, packs.area_codes, progress=progress, pause=pause)
    with transaction.atomic():
        run.refresh_from_db()
        run.state, run.finished_at = Run.State.DONE, clock.now()
        run.fault = ""
        run.save()
        tell_found(run, clock=clock)


def _begin(run: Run, clock: Clock, progress: Progress, pause: Pause) -> None:
    """Take the number from which to compute: one at which the worker had worked all off."""
    until = clock.monotonic() + WAIT_FOR_WORKER_SECONDS
    while True:
        beat = Heartbeat.objects.filter(pk=1).first()
        if beat is not None and beat.sweep_ordinal < 0 and beat.packs_seq == latest_seq():
            break
        if clock.monotonic() >= until:
            raise ProblemError(
                Problem(
                    code="recompute.worker-late",
                    message="the worker does not get done with a change of packs",
                    remedy="Look at the worker's log and at the page of packs.",
                )
            )
        progress("worker", 0, 1)
        pause(1.0)
    run.state, run.started_at = Run.State.RUNNING, clock.now()
    run.at = run.started_at.replace(microsecond=0)
    run.fact_seq, run.packs_seq = beat.fact_seq, beat.packs_seq
    run.save()


def _keep(run: Run, bucket: int, found: Sequence[Compared], *, people: int, clock: Clock) -> None:
    """Keep what a bucket showed, and ask for those people, in the transaction that moves on."""
    counts = Counter(run.counts)
    kept = found[: max(0, DIFFERENCES_MAX - sum(counts.values()))]
    counts.update(one.kind.value for one in found)
    with transaction.atomic():
        requests = _ask(kept, run, clock.now()) if kept else []
        Difference.objects.bulk_create(
            Difference(
                run=run,
                ordinal=one.ordinal,
                kind=one.kind,
                state=Difference.State.OPEN,
                served=None if one.served is None else to_json(one.served),
                computed=to_json(one.computed),
                publication_seq=one.seq,
                request_seq=request,
                found_at=clock.now(),
            )
            for one, request in zip(kept, requests, strict=True)
        )
        run.counts, run.bucket = dict(counts), bucket + 1
        run.compared += people
        run.save(update_fields=["counts", "bucket", "compared"])


def _ask(found: Sequence[Compared], run: Run, now: datetime) -> list[int]:
    """Ask the worker to evaluate people again and return the numbers of the requests."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [REQUEST_LOCK])
    last = Request.objects.aggregate(last=Max("seq"))["last"] or 0
    rows = [
        Request(seq=seq, ordinal=one.ordinal, because=f"recompute {run.pk}", asked_at=now)
        for seq, one in enumerate(found, start=last + 1)
    ]
    Request.objects.bulk_create(rows)
    return [row.seq for row in rows]


def to_json(row: Row) -> dict[str, object]:
    """Return a row as it is kept beside a difference."""
    sampled = None if row.sampled_at is None else row.sampled_at.isoformat()
    return {"segments": row.segments, "sampled_at": sampled, "state": row.state}


def _give_up(run: Run, fault: str, clock: Clock, *, at_once: bool) -> None:
    with transaction.atomic():
        run.attempts += 1
        run.fault = fault[:FAULT_CHARS]
        if at_once or run.attempts >= ATTEMPTS_MAX:
            run.state, run.finished_at = Run.State.FAILED, clock.now()
            tell_failed(run, clock=clock)
        run.save(update_fields=["attempts", "fault", "state", "finished_at"])
