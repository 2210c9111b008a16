"""The worker that runs the jobs of notices: Procrastinate's, in a loop of its own."""

import asyncio
import logging
import threading
from datetime import timedelta
from typing import Final

from django.db import connection, transaction
from procrastinate import App
from procrastinate.contrib.django import app as office_app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.psycopg_connector import PsycopgConnector

from passlight.core.kernel.clock import Clock
from passlight.office.notices.tasks import deliver_notice

log = logging.getLogger("passlight.jobs")

QUEUE: Final = "notices"
# Jobs wait for other people's servers, not for a processor.
AT_ONCE: Final = 4
POLL_SECONDS: Final = 5.0
GRACE_SECONDS: Final = 7.0
POOL_SECONDS: Final = 5.0
ORPHANS = """
SELECT n.id FROM notices_notice n
WHERE n.state = 'queued' AND n.created_at < %s AND NOT EXISTS (
  SELECT 1 FROM procrastinate_jobs j
  WHERE j.task_name = 'notices.deliver' AND j.status IN ('todo', 'doing')
  AND (j.args->>'notice')::bigint = n.id)
ORDER BY n.id LIMIT 500
"""


def work(clock: Clock, stop: threading.Event) -> None:
    """Run jobs until ``stop``; a worker that ends by itself is an error.

    Only the leader calls this: a job that is marked as running then was somebody's who died.
    """
    asyncio.run(_work(clock, stop))


async def _work(clock: Clock, stop: threading.Event) -> None:
    connector = PsycopgConnector(
        kwargs=connector_params(), min_size=1, max_size=AT_ONCE, timeout=POOL_SECONDS
    )
    with office_app.replace_connector(connector) as app:
        async with app.open_async():
            await _take_over(app, clock)
            await _until(stop, app)


async def _take_over(app: App, clock: Clock) -> None:
    """Queue again what a worker had in hand when it was killed."""
    for job in await app.job_manager.list_jobs_async(status="doing"):
        assert job.id is not None
        log.warning("job %s was left by a worker that died; running it again", job.id)
        await app.job_manager.retry_job_by_id_async(job.id, retry_at=clock.now())


async def _until(stop: threading.Event, app: App) -> None:
    worker = asyncio.create_task(
        app.run_worker_async(
            queues=[QUEUE],
            concurrency=AT_ONCE,
            fetch_job_polling_interval=POLL_SECONDS,
            shutdown_graceful_timeout=GRACE_SECONDS,
            delete_jobs="successful",
            install_signal_handlers=False,
        )
    )
    while not stop.is_set():
        done, _ = await asyncio.wait({worker}, timeout=0.2)
        if done:
            break
    ended_by_itself = worker.done()
    worker.cancel()
    (outcome,) = await asyncio.gather(worker, return_exceptions=True)
    if ended_by_itself:
        raise RuntimeError("the worker ended") from (
            outcome if isinstance(outcome, BaseException) else None
        )


def rescue(clock: Clock) -> bool:
    """Give a new job to every queued notice that has none; return whether more may wait.

    There should be none; should a job have been removed by hand, its notice still goes out.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ORPHANS, [clock.now() - timedelta(minutes=1)])
        found = [row[0] for row in cursor.fetchall()]
        for notice in found:
            log.warning("notice %s had no job any more", notice)
            deliver_notice.defer(notice=notice)
    return bool(found)
