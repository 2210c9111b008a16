"""How far from a fact an instant of a pack can lie: so far the clocks' changes must be known."""

from collections.abc import Iterator

from passlight.city.sql.calendar import DAY
from passlight.core.kernel.calendar import Duration, Elapsed, Years
from passlight.core.rules.pack import AbsenceForm, Pack, TriggerForm
from passlight.core.rules.points import After, Nth, Parameter, walk


def horizon(pack: Pack) -> int:
    """Return how far from a fact an instant of the pack can lie, in microseconds."""
    days = sum(_days(one) for one in _durations(pack))
    return (days + 400) * DAY


def _days(duration: Duration) -> int:
    if isinstance(duration, Elapsed):
        return duration.delta.days + 1
    if isinstance(duration, Years):
        return 366 * duration.years + 1
    return duration.days + 3


def _durations(pack: Pack) -> Iterator[Duration]:
    if pack.chained_yellow is not None:
        yield pack.chained_yellow
    yield from (waiver.longest for waiver in pack.waivers)
    yield from (badge.within for badge in pack.badges)
    for rule in pack.rules:
        if isinstance(rule.form, AbsenceForm):
            yield rule.form.max_gap
            if rule.form.birth is not None:
                yield rule.form.birth
        elif isinstance(rule.form, TriggerForm) and rule.form.area is not None:
            yield from (rule.form.area.lookback,) if rule.form.area.lookback else ()
        for phase in rule.phases:
            for point in (*walk(phase.starts), *walk(phase.ends)):
                yield from _amounts(pack, point)


def _amounts(pack: Pack, point: object) -> Iterator[Duration]:
    amount = point.amount if isinstance(point, After) else None
    if isinstance(point, Nth):
        amount = point.gap
    if isinstance(amount, Parameter):
        yield from (value for _, value in pack.parameters[amount.name].values)
    elif amount is not None:
        yield amount
