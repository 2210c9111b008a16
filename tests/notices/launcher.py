"""The real process of jobs without the duties of other parts: the sender and the rescue alone."""

from passlight.office import jobs
from passlight.office.jobs import Duty


def duties() -> tuple[Duty, ...]:
    from passlight.office.notices.worker import rescue

    return (Duty(name="outbox", every_seconds=1, run=rescue),)


if __name__ == "__main__":
    jobs.duties = duties
    jobs.main()
