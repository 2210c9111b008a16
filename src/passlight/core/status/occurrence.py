"""Occurrences: each time that a rule's form applies to a person.

All three forms become the same thing here, a start, perhaps an end and the facts behind them,
so that phases are computed in one way.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from passlight.core.facts.dates import begins_at, is_dated, until
from passlight.core.facts.fact import Fact
from passlight.core.facts.history import fact_order
from passlight.core.kernel.calendar import add
from passlight.core.kernel.interval import Interval
from passlight.core.rules.areas import Listed, Listing, Listings
from passlight.core.rules.pack import (
    AbsenceForm,
    AreaCondition,
    AreaMatch,
    DuringForm,
    Pack,
    Rule,
    TriggerForm,
)
from passlight.core.rules.points import Filter, Moment
from passlight.core.rules.read_points import DELISTED, lifted_by
from passlight.core.rules.terms import Text
from passlight.core.status.reading import PersonFacts, left_at, payload_instant

Told = tuple[datetime | None, tuple[Fact, ...], Text | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One application of a rule; ``coarse`` marks one that an area known too coarsely hides."""

    start: datetime
    facts: tuple[Fact, ...]
    trigger: Fact | None = None
    moments: dict[Moment, Told] = field(default_factory=dict)
    coarse: Listing | None = None

    def moment(self, moment: Moment) -> Told:
        """Return when a moment of this occurrence is, the facts that end it, what is missing."""
        told = self.moments.get(moment)
        if told is not None:
            return told
        assert self.trigger is not None, f"{moment} was refused when the pack was loaded"
        return _trigger_moment(self.trigger, moment), (), None


def _trigger_moment(fact: Fact, moment: Moment) -> datetime | None:
    if moment is Moment.TRIGGER_RECORDED:
        return fact.recorded_at
    if moment is Moment.TRIGGER_LEFT:
        return left_at(fact, ended=fact.occurred_until)
    if moment is Moment.TRIGGER_SAMPLED:
        return payload_instant(fact, "sampled_at") or fact.occurred_at
    assert moment is Moment.TRIGGER_ENDED
    return fact.occurred_until or fact.occurred_at


def _dated_moment(fact: Fact, moment: Moment, zone: ZoneInfo) -> datetime | None:
    """Return when a fact known by its date was over; without an end it is that day itself."""
    if fact.kind != "travel.arrived" and fact.occurred_until is not None:
        return until(fact, zone)
    told = _trigger_moment(fact, moment)
    return begins_at(fact, zone) if told == fact.occurred_at else told


def occurrences(
    rule: Rule, facts: PersonFacts, *, pack: Pack, areas: Listings
) -> Iterator[Occurrence]:
    """Return every occurrence of ``rule`` in a person's facts."""
    if isinstance(rule.form, TriggerForm):
        if not facts.has(rule.form.filter.kinds):
            return iter(())
        return _triggered(rule.form, facts, pack=pack, areas=areas)
    if isinstance(rule.form, DuringForm):
        return _stays(rule.form, facts, areas=areas) if facts.has(rule.form.stays) else iter(())
    return _gaps(rule.form, facts, pack=pack)


def _triggered(
    form: TriggerForm, facts: PersonFacts, *, pack: Pack, areas: Listings
) -> Iterator[Occurrence]:
    for fact in facts.matching(form.filter):
        coarse = None
        if form.area is not None:
            matches, coarse = _area_matches(fact, form.area, pack=pack, areas=areas)
            if not matches and coarse is None:
                continue
        start = begins_at(fact, pack.zone)
        moments: dict[Moment, Told] = {Moment.TRIGGER_OCCURRED: (start, (), None)}
        for moment in (Moment.TRIGGER_ENDED, Moment.TRIGGER_LEFT) if is_dated(fact) else ():
            moments[moment] = (_dated_moment(fact, moment, pack.zone), (), None)
        yield Occurrence(start=start, facts=(fact,), trigger=fact, moments=moments, coarse=coarse)


def _area_matches(
    fact: Fact, condition: AreaCondition, *, pack: Pack, areas: Listings
) -> tuple[bool, Listing | None]:
    """Return whether the fact's area was listed, or the listing that it is too coarse for."""
    area = fact.payload.get("from_area" if fact.kind == "travel.arrived" else "area")
    if not area:
        return False, None
    ended = until(fact, pack.zone)
    departure = left_at(fact, ended=ended)
    if condition.within is not None:
        when = departure or fact.occurred_at
        return any(
            identity == condition.within and valid.covers(when)
            for identity, valid, _ in areas.covers(area)
        ), None

    def concerns(listed: Interval) -> bool:
        if condition.match is AreaMatch.DURING_STAY:
            stay = Interval(begins_at(fact, pack.zone), ended)
            return listed.intersection(stay) is not None
        if departure is None:
            return False
        if condition.lookback is None:
            return listed.covers(departure)
        reach = add(departure, condition.lookback, zone=pack.zone)
        started = listed.start is None or listed.start <= reach
        return started and (listed.end is None or departure < listed.end)

    if any(concerns(entry.when) for entry in areas.covering(area, condition.levels)):
        return True, None
    inside = areas.inside(area, condition.levels)
    return False, next((entry.listing for entry in inside if concerns(entry.when)), None)


def _stays(form: DuringForm, facts: PersonFacts, *, areas: Listings) -> Iterator[Occurrence]:
    for stay in facts.matching(Filter(kinds=form.stays)):
        own = Interval(begins_at(stay, facts.zone), until(stay, facts.zone))
        area = stay.payload["area"]
        covering = areas.covering(area, form.levels)
        covered: list[Occurrence] = []
        for entry in covering:
            both = own.intersection(entry.when)
            if both is not None:
                covered.append(_inside(stay, own, both, entry))
        yield from covered
        if covered:
            continue
        for entry in areas.inside(area, form.levels):
            both = own.intersection(entry.when)
            if both is not None:
                yield _inside(stay, own, both, entry, coarse=True)
                break


def _inside(
    stay: Fact, own: Interval, both: Interval, entry: Listed, *, coarse: bool = False
) -> Occurrence:
    listing = entry.listing
    assert both.start is not None, "a stay has a start"
    delisting = (listing.delisted,) if listing.delisted is not None else ()
    ended = delisting if both.end is not None and both.end == listing.when.end else ()
    return Occurrence(
        start=both.start,
        facts=(stay, listing.fact),
        moments={
            Moment.INTERVAL_FROM: (both.start, (), None),
            Moment.INTERVAL_UNTIL: (both.end, ended, DELISTED),
            # No sentence: nobody is told to leave in order to be released.
            Moment.STAY_UNTIL: (own.end, (), None),
            Moment.LISTING_UNTIL: (entry.when.end, delisting, DELISTED),
        },
        coarse=listing if coarse else None,
    )


def _gaps(form: AbsenceForm, facts: PersonFacts, *, pack: Pack) -> Iterator[Occurrence]:
    """Return each stretch without the fact that is longer than the rule allows.

    The clock restarts at every such fact (a test counts from its sampling, E29) and at every
    fact of ``since``; it does not run before the pack takes effect, nor before the age named.
    """
    floor = _floor(form, facts, pack=pack)
    marks = [(one.measured, one.fact) for one in facts.counted(form.filter)]
    marks.extend((one.measured, one.fact) for one in facts.counted(Filter(kinds=form.since_kinds)))
    marks.sort(key=lambda mark: (mark[0], *fact_order(mark[1])))
    begin: tuple[datetime, tuple[Fact, ...]] = (floor, ())
    lifted = lifted_by(form.filter)
    for instant, fact in marks:
        if instant <= floor:
            begin = (floor, (fact,))
            continue
        yield from _gap(begin, instant, (fact,), form=form, pack=pack, lifted=lifted)
        begin = (instant, (fact,))
    yield from _gap(begin, None, (), form=form, pack=pack, lifted=lifted)


def _floor(form: AbsenceForm, facts: PersonFacts, *, pack: Pack) -> datetime:
    floor = pack.effective.start
    assert floor is not None, "every pack has a first day"
    births = facts.matching(Filter(kinds=("person.born",)))
    if form.birth is not None and births:
        floor = max(floor, add(births[-1].occurred_at, form.birth, zone=pack.zone))
    return floor


def _gap(
    begin: tuple[datetime, tuple[Fact, ...]],
    until: datetime | None,
    closing: tuple[Fact, ...],
    *,
    form: AbsenceForm,
    pack: Pack,
    lifted: Text,
) -> Iterator[Occurrence]:
    due = add(begin[0], form.max_gap, zone=pack.zone)
    if until is None or due < until:
        yield Occurrence(
            start=due,
            facts=begin[1],
            moments={
                Moment.INTERVAL_FROM: (due, (), None),
                Moment.INTERVAL_UNTIL: (until, closing, lifted),
            },
        )
