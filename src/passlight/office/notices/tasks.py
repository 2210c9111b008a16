"""The job that sends one notice; Procrastinate finds it by this module's name."""

from datetime import timedelta

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

# After each failed attempt; with the last, somebody is told (about one hour in all).
BACKOFF = tuple(timedelta(seconds=s) for s in (5, 15, 60, 300, 900, 2400))


class Backoff(BaseRetryStrategy):
    """Tries again later each time; ``deliver`` is who gives up, and writes that down."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        """Return when to try again, also when it was the database that went away."""
        del exception
        pause = BACKOFF[min(job.attempts, len(BACKOFF) - 1)]
        return RetryDecision(retry_in={"seconds": int(pause.total_seconds())})


@app.task(name="notices.deliver", queue="notices", retry=Backoff())
def deliver_notice(notice: int) -> None:
    """Send the notice of that number, unless that is done."""
    from passlight.office.notices.delivery import deliver
    from passlight.runtime.clock import SystemClock

    deliver(notice, clock=SystemClock())
