"""When a point is reached, through which facts, and what is still missing.

A pack's points are compiled once (``lookup_of``) and looked up for many people: what is the same
for everybody is decided before the first of them. One function a kind of point; nothing here
knows a rule or a colour.
"""

from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

from passlight.core.facts.fact import Fact
from passlight.core.kernel.calendar import Duration, Elapsed, add, start_of_day
from passlight.core.rules.pack import Pack
from passlight.core.rules.points import (
    After,
    At,
    Earliest,
    Latest,
    Moment,
    Never,
    Next,
    Nth,
    Parameter,
    Point,
)
from passlight.core.rules.terms import Text
from passlight.core.status.chains import Event, day_of, in_a_row, spaced
from passlight.core.status.occurrence import Occurrence
from passlight.core.status.reading import FEW, Counted, Wanted, wanted_of

_TESTS = frozenset({"lab.result", "lab.sampled"})
_COUNTS = itemgetter(1)


class Need(NamedTuple):
    """An open condition: what would end the measure, how often, measured from when on.

    ``sampled`` is False for facts that are no tests: those are not sampled, they happen.
    """

    text: Text
    missing: int
    from_at: datetime | None
    sampled: bool = True


Reached = tuple[datetime | None, tuple[Fact, ...], tuple[Need, ...]]
"""When a point is reached (None: not, as far as is known), by what, and what is missing."""


Lookup = Callable[[Occurrence], Reached]
Shift = Callable[[datetime, datetime], datetime]
"""Adds a duration to an instant; the second argument is the date whose parameters hold."""


def lookup_of(point: Point, pack: Pack) -> Lookup:
    """Return what finds out when ``point`` is reached."""
    return _COMPILED[type(point)](point, pack)


def shift_of(amount: Duration | Parameter, pack: Pack) -> Shift:
    """Return what adds ``amount``, by the pack's calendar and its parameters."""
    zone = pack.zone
    if isinstance(amount, Parameter):
        dated = pack.parameters[amount.name]
        if dated.changes():
            return lambda instant, as_of: add(instant, dated.at(as_of), zone=zone)
        constant: Duration = dated.at(dated.values[0][0])
    else:
        constant = amount
    if isinstance(constant, Elapsed):
        delta = constant.delta
        return lambda instant, _: instant + delta
    return lambda instant, _: add(instant, constant, zone=zone)


def _at(point: At, pack: Pack) -> Lookup:  # noqa: ARG001
    moment = point.moment
    if moment is Moment.PREV_UNTIL:
        return lambda case: (case.prev_until, (), ())
    if moment is Moment.TRIGGER_OCCURRED:
        return lambda case: (case.start, (), ())

    def lookup(case: Occurrence) -> Reached:
        instant, facts, text = case.moment(moment)
        needs = (Need(text, 1, None),) if instant is None and text is not None else ()
        return instant, facts, needs

    return lookup


def _after(point: After, pack: Pack) -> Lookup:
    base_of = lookup_of(point.point, pack)
    shift = shift_of(point.amount, pack)

    def lookup(case: Occurrence) -> Reached:
        base = base_of(case)
        at, facts, _ = base
        return base if at is None else (shift(at, case.as_of), facts, ())

    return lookup


def _next(point: Next, pack: Pack) -> Lookup:
    since_of = lookup_of(point.since, pack)
    wanted, same, text = wanted_of(point.filter), point.same, point.needs
    kinds = frozenset(point.filter.kinds)
    tested = not _TESTS.isdisjoint(kinds)
    not_yet: Reached = (None, (), (Need(text, 1, None),))

    def lookup(case: Occurrence) -> Reached:
        base = since_of(case)
        since = base[0]
        if since is None:
            return base
        if not kinds.isdisjoint(case.person.by_kind):
            trigger = case.trigger
            for _, counts, fact in _since(case, wanted, since):
                if same is None or (trigger is not None and _share(fact, trigger, same)):
                    return counts, (fact,), ()
        return (None, (), (Need(text, 1, since),)) if tested else not_yet

    return lookup


def _since(case: Occurrence, wanted: Wanted, since: datetime) -> list[Counted]:
    """Return what was measured since; the trigger's own kind only after it (field/08 1.6)."""
    found = case.person.counted(wanted)
    if not found:
        return found
    if len(found) > FEW:
        # Nothing counts before it is measured, and ``found`` is in the order of counting.
        found = found[bisect_left(found, since, key=_COUNTS) :]
    trigger = case.trigger
    own = trigger.kind if trigger is not None else None
    return [one for one in found if one[0] > since or (one[0] == since and one[2].kind != own)]


def _share(one: Fact, other: Fact, key: str) -> bool:
    """Return whether both carry the key with one value; two that lack it have nothing in common."""
    value = one.payload.get(key)
    return value is not None and value == other.payload.get(key)


def _nth(point: Nth, pack: Pack) -> Lookup:
    since_of = lookup_of(point.since, pack)
    shift = shift_of(point.gap, pack) if point.gap is not None else None
    wanted = wanted_of(point.filter)
    reset_on = wanted_of(point.reset_on) if point.reset_on is not None else None
    sampled = not _TESTS.isdisjoint(point.filter.kinds)
    zone = pack.zone

    def number(as_of: datetime) -> int:
        n = point.n
        found: int = pack.parameters[n.name].at(as_of) if isinstance(n, Parameter) else n
        return found

    def lookup(case: Occurrence) -> Reached:
        base = since_of(case)
        since = base[0]
        if since is None:
            return base
        as_of = case.as_of
        n = number(as_of)
        events = _events(case, wanted, reset_on, since)
        if point.every is not None:
            counts, chain = in_a_row(events, zone=zone, wanted=n)
        else:
            apart = None if shift is None else lambda instant: shift(instant, as_of)
            counts, chain = spaced(events, apart=apart, wanted=n)
        if counts is not None:
            return counts, tuple([fact for _, _, fact in chain]), ()
        from_at = since
        if chain and shift is not None:
            from_at = shift(chain[-1][0], as_of)
        elif chain and point.every is not None:
            from_at = start_of_day(day_of(chain[-1], zone) + timedelta(days=1), zone=zone)
        return None, (), (Need(point.needs, n - len(chain), from_at, sampled),)

    return lookup


def _events(
    case: Occurrence, wanted: Wanted, reset_on: Wanted | None, since: datetime
) -> list[Event]:
    events = [(one, False) for one in _since(case, wanted, since)]
    if reset_on is not None:
        events.extend((one, True) for one in _since(case, reset_on, since))
        events.sort(key=lambda event: (event[0][1], event[1], event[0][2].fact_id))
    return events


def _earliest(point: Earliest, pack: Pack) -> Lookup:
    lookups = [lookup_of(part, pack) for part in point.points]

    def lookup(case: Occurrence) -> Reached:
        first: datetime | None = None
        best: Reached | None = None
        needs: tuple[Need, ...] = ()
        for part in lookups:
            reached = part(case)
            at = reached[0]
            if at is None:
                needs = needs + reached[2] if needs else reached[2]
            elif first is None or at < first:
                first, best = at, reached
        return best if best is not None else (None, (), _each_once(needs))

    return lookup


def _latest(point: Latest, pack: Pack) -> Lookup:
    lookups = [lookup_of(part, pack) for part in point.points]

    def lookup(case: Occurrence) -> Reached:
        last: datetime | None = None
        missing = False
        met: tuple[Fact, ...] = ()
        needs: tuple[Need, ...] = ()
        for part in lookups:
            at, facts, waiting = part(case)
            if at is None:
                missing = True
                needs = needs + waiting if needs else waiting
            elif last is None or at > last:
                last = at
            met = met + facts if met else facts
        if len(met) > 1:
            met = tuple({fact.fact_id: fact for fact in met}.values())
        return (None, met, _each_once(needs)) if missing else (last, met, ())

    return lookup


def _each_once(needs: tuple[Need, ...]) -> tuple[Need, ...]:
    return tuple(dict.fromkeys(needs)) if len(needs) > 1 else needs


def _never(point: Never, pack: Pack) -> Lookup:  # noqa: ARG001
    return lambda _: (None, (), ())


_COMPILED: dict[type, Callable[[Any, Pack], Lookup]] = {
    At: _at,
    After: _after,
    Next: _next,
    Nth: _nth,
    Earliest: _earliest,
    Latest: _latest,
    Never: _never,
}
