"""Occurrences: each time that a rule's form applies to a person.

All three forms become the same thing here, a start, perhaps an end and the facts behind them,
so that phases are computed in one way.
"""

from collections.abc import Callable, Iterator, Mapping
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
from passlight.core.status.reading import PersonFacts, Wanted, left_at, payload_instant, wanted_of

Told = tuple[datetime | None, tuple[Fact, ...], Text | None]


class Occurrence:
    """One application of a rule; ``coarse`` marks one that an area known too coarsely hides.

    ``start`` is ``trigger.occurred`` where a fact triggers it. ``as_of`` and ``prev_until`` move
    with the phases: the date whose parameters hold, and where the last phase ended.
    """

    __slots__ = ("as_of", "coarse", "facts", "moments", "person", "prev_until", "start", "trigger")

    # Written out: a dataclass would be made by the interpreter also where the rest is compiled.
    def __init__(
        self,
        person: PersonFacts,
        start: datetime,
        facts: tuple[Fact, ...],
        trigger: Fact | None,
        moments: Mapping[Moment, Told],
        coarse: Listing | None,
    ) -> None:
        """Keep what is given; the parameters are those of the start until a phase says so."""
        self.person = person
        self.start = self.as_of = start
        self.facts = facts
        self.trigger = trigger
        self.moments = moments
        self.coarse = coarse
        self.prev_until: datetime | None = None

    def moment(self, moment: Moment) -> Told:
        """Return when a moment of this occurrence is, the facts that end it, what is missing."""
        told = self.moments.get(moment)
        if told is not None:
            return told
        assert self.trigger is not None, f"{moment} was refused when the pack was loaded"
        return _MOMENTS[moment](self.trigger), (), None


Finder = Callable[[PersonFacts, Listings], list[Occurrence]]
_MOMENTS: Mapping[Moment, Callable[[Fact], datetime | None]] = {
    Moment.TRIGGER_RECORDED: lambda fact: fact.recorded_at,
    Moment.TRIGGER_LEFT: lambda fact: left_at(fact, ended=fact.occurred_until),
    Moment.TRIGGER_SAMPLED: lambda fact: payload_instant(fact, "sampled_at") or fact.occurred_at,
    Moment.TRIGGER_ENDED: lambda fact: fact.occurred_until or fact.occurred_at,
}
_DURING_STAY = AreaMatch.DURING_STAY
#: What an occurrence tells of itself beside its trigger's instants: of most, nothing.
_TOLD: Mapping[Moment, Told] = {}


def _dated_moment(fact: Fact, moment: Moment, zone: ZoneInfo) -> datetime | None:
    """Return when a fact known by its date was over; without an end it is that day itself."""
    if fact.kind != "travel.arrived" and fact.occurred_until is not None:
        return until(fact, zone)
    told = _MOMENTS[moment](fact)
    return begins_at(fact, zone) if told == fact.occurred_at else told


def finder_of(rule: Rule, pack: Pack) -> Finder:
    """Return what finds every occurrence of ``rule`` in a person's facts."""
    form = rule.form
    if isinstance(form, TriggerForm):
        return lambda facts, areas: _triggered(form, facts, pack, areas)
    if isinstance(form, DuringForm):
        return lambda facts, areas: list(_stays(form, facts, areas=areas))
    marks = wanted_of(form.filter), wanted_of(Filter(kinds=form.since_kinds))
    return lambda facts, _: list(_gaps(form, facts, *marks, pack=pack))


def kinds_needed(rule: Rule) -> frozenset[str] | None:
    """Return the kinds without any of which the rule cannot apply; None: it needs no fact."""
    if isinstance(rule.form, TriggerForm):
        return frozenset(rule.form.filter.kinds)
    return frozenset(rule.form.stays) if isinstance(rule.form, DuringForm) else None


def _triggered(
    form: TriggerForm, facts: PersonFacts, pack: Pack, areas: Listings
) -> list[Occurrence]:
    found: list[Occurrence] = []
    condition = form.area
    for fact in facts.matching(form.filter):
        coarse = None
        if condition is not None:
            matches, coarse = _area_matches(fact, condition, pack, areas)
            if not matches and coarse is None:
                continue
        start, moments = fact.occurred_at, _TOLD
        if is_dated(fact):
            start = begins_at(fact, pack.zone)
            moments = {
                moment: (_dated_moment(fact, moment, pack.zone), (), None)
                for moment in (Moment.TRIGGER_ENDED, Moment.TRIGGER_LEFT)
            }
        found.append(Occurrence(facts, start, (fact,), fact, moments, coarse))
    return found


def _area_matches(
    fact: Fact, condition: AreaCondition, pack: Pack, areas: Listings
) -> tuple[bool, Listing | None]:
    """Return whether the fact's area was listed, or the listing that it is too coarse for."""
    area = fact.payload.get("from_area" if fact.kind == "travel.arrived" else "area")
    if not area:
        return False, None
    if condition.within is not None:
        times = [when for identity, when, _ in areas.covers(area) if identity == condition.within]
        if not times:
            return False, None
        left = left_at(fact, ended=until(fact, pack.zone)) or fact.occurred_at
        return any(when.covers(left) for when in times), None
    concerns = _concern(fact, condition, pack)
    if concerns is None:
        return False, None
    for entry in areas.covering(area, condition.levels):
        if concerns(entry.when):
            return True, None
    inside = areas.inside(area, condition.levels)
    return False, next((entry.listing for entry in inside if concerns(entry.when)), None)


def _concern(fact: Fact, condition: AreaCondition, pack: Pack) -> Callable[[Interval], bool] | None:
    """Return what tells whether a time on a list concerns the fact; None: no such time does."""
    ended = until(fact, pack.zone)
    if condition.match is _DURING_STAY:
        stay = Interval(begins_at(fact, pack.zone), ended)
        return lambda listed: listed.intersection(stay) is not None
    departure = left_at(fact, ended=ended)
    if departure is None:
        return None
    left: datetime = departure
    last = left
    if condition.lookback is not None:
        last = add(left, condition.lookback, zone=pack.zone)
    return lambda listed: (
        (listed.start is None or listed.start <= last) and (listed.end is None or left < listed.end)
    )


def _stays(form: DuringForm, facts: PersonFacts, *, areas: Listings) -> Iterator[Occurrence]:
    for stay in facts.matching(Filter(kinds=form.stays)):
        own = Interval(begins_at(stay, facts.zone), until(stay, facts.zone))
        area = stay.payload["area"]
        covering = areas.covering(area, form.levels)
        covered: list[Occurrence] = []
        for entry in covering:
            both = own.intersection(entry.when)
            if both is not None:
                covered.append(_inside(facts, stay, own, both, entry))
        yield from covered
        if covered:
            continue
        for entry in areas.inside(area, form.levels):
            both = own.intersection(entry.when)
            if both is not None:
                yield _inside(facts, stay, own, both, entry, coarse=True)
                break


def _inside(
    person: PersonFacts,
    stay: Fact,
    own: Interval,
    both: Interval,
    entry: Listed,
    *,
    coarse: bool = False,
) -> Occurrence:
    listing = entry.listing
    assert both.start is not None, "a stay has a start"
    delisting = (listing.delisted,) if listing.delisted is not None else ()
    ended = delisting if both.end is not None and both.end == listing.when.end else ()
    return Occurrence(
        person=person,
        start=both.start,
        facts=(stay, listing.fact),
        trigger=None,
        moments={
            Moment.INTERVAL_FROM: (both.start, (), None),
            Moment.INTERVAL_UNTIL: (both.end, ended, DELISTED),
            # No sentence: nobody is told to leave in order to be released.
            Moment.STAY_UNTIL: (own.end, (), None),
            Moment.LISTING_UNTIL: (entry.when.end, delisting, DELISTED),
        },
        coarse=listing if coarse else None,
    )


def _gaps(
    form: AbsenceForm, facts: PersonFacts, wanted: Wanted, restarts: Wanted, *, pack: Pack
) -> Iterator[Occurrence]:
    """Return each stretch without the fact that is longer than the rule allows.

    The clock restarts at every such fact (a test counts from its sampling, E29) and at every
    fact of ``since``; it does not run before the pack takes effect, nor before the age named.
    """
    floor = _floor(form, facts, pack=pack)
    marks = [(measured, fact) for measured, _, fact in facts.counted(wanted)]
    # A fact that restarts the clock on both accounts does so once.
    counted = {fact.fact_id for _, fact in marks}
    since = facts.counted(restarts)
    marks.extend((measured, fact) for measured, _, fact in since if fact.fact_id not in counted)
    marks.sort(key=lambda mark: (mark[0], *fact_order(mark[1])))
    begin: tuple[datetime, tuple[Fact, ...]] = (floor, ())
    lifted = lifted_by(form.filter)
    for instant, fact in marks:
        if instant <= floor:
            begin = (floor, (fact,))
            continue
        yield from _gap(facts, begin, instant, (fact,), form=form, pack=pack, lifted=lifted)
        begin = (instant, (fact,))
    yield from _gap(facts, begin, None, (), form=form, pack=pack, lifted=lifted)


def _floor(form: AbsenceForm, facts: PersonFacts, *, pack: Pack) -> datetime:
    floor = pack.effective.start
    assert floor is not None, "every pack has a first day"
    births = facts.matching(Filter(kinds=("person.born",)))
    if form.birth is not None and births:
        floor = max(floor, add(births[-1].occurred_at, form.birth, zone=pack.zone))
    return floor


def _gap(
    person: PersonFacts,
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
            person=person,
            start=due,
            facts=begin[1],
            trigger=None,
            moments={
                Moment.INTERVAL_FROM: (due, (), None),
                Moment.INTERVAL_UNTIL: (until, closing, lifted),
            },
            coarse=None,
        )
