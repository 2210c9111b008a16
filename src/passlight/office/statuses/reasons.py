"""Reasons: the words behind every colour, stored before a publication names their key."""

from collections.abc import Iterator

from passlight.core.kernel.colour import Colour
from passlight.core.rules.schedule import PackSchedule
from passlight.office.statuses.models import Reason
from passlight.runtime.catalogue import both

# Answers that no rule of a pack gives; their words are the catalogue's.
FAILED_KEY = "statuses/evaluation-failed"


def store_reasons(schedule: PackSchedule) -> None:
    """Store the reasons that the schedule's packs can give, as far as they are not there."""
    wanted = {reason.key: reason for reason in _reasons(schedule)}
    known = set(Reason.objects.filter(key__in=wanted).values_list("key", flat=True))
    Reason.objects.bulk_create(
        (reason for key, reason in wanted.items() if key not in known), ignore_conflicts=True
    )


def _reasons(schedule: PackSchedule) -> Iterator[Reason]:
    yield Reason(
        key=FAILED_KEY,
        colour=Colour.UNKNOWN.value,
        reason=both("statuses.evaluation_failed"),
        advice=both("statuses.evaluation_failed_advice"),
    )
    for pack in schedule.packs:
        for rule in pack.rules:
            for phase in rule.phases:
                yield Reason(
                    key=pack.reason_key(rule.id, phase.index),
                    colour=phase.colour.value,
                    reason=phase.reason.to_json(),
                    advice=phase.advice.to_json(),
                )
