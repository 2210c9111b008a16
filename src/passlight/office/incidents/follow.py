"""Following the doors: every abnormal record opens or joins an incident, once.

A trigger queues records in the transaction that stores them (``incidents_arrival``), so the
order here is that of arrival and nothing is passed over, whatever commits late. One record is
one transaction: killed between two, it goes on with the next; killed within one, it does that
one again.
"""

import logging

from django.db import DataError, IntegrityError, transaction

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.core.kernel.problem import ProblemError
from passlight.office.incidents.models import PendingRecord
from passlight.office.incidents.opening import open_from_record
from passlight.office.records.models import Record
from passlight.runtime.clock import SystemEntropy

log = logging.getLogger("passlight.incidents")

RECORDS_A_TURN = 200
_BAD = (ProblemError, DataError, IntegrityError, KeyError, TypeError, ValueError, AttributeError)


def follow_records(
    clock: Clock, *, entropy: Entropy | None = None, most: int = RECORDS_A_TURN
) -> bool:
    """Follow what has arrived, ``most`` at a time, and return whether more waits."""
    entropy = entropy or SystemEntropy()
    return all(_follow_next(clock, entropy) for _ in range(most))


def _follow_next(clock: Clock, entropy: Entropy) -> bool:
    """Follow the next record; return False when none waits.

    A record that cannot be followed is set aside with its reason, and those after it go on.
    """
    with transaction.atomic():
        waiting = PendingRecord.objects.filter(followed_at=None).order_by("seq")
        arrival = waiting.select_for_update(skip_locked=True).first()
        if arrival is None:
            return False
        try:
            with transaction.atomic():
                record = Record.objects.get(pk=arrival.record)
                open_from_record(record, clock=clock, entropy=entropy)
        except (*_BAD, Record.DoesNotExist) as error:
            arrival.fault = _reason(error)
            log.warning("record set aside: %s", type(error).__name__)
        arrival.followed_at = clock.now()
        arrival.save(update_fields=["followed_at", "fault"])
    return True


def _reason(error: Exception) -> str:
    """Return why, without what the record says of anybody."""
    if isinstance(error, ProblemError):
        return error.problems[0].code
    return type(error).__name__
