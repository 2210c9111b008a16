"""Evaluation (测算): one person's facts in, one timeline out.

``colour(person, t, k)``: under the pack in force at ``t`` and published by ``k``, from the facts
known at ``k``. Pure: the same arguments always give the same timeline.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import is_

from passlight.core.facts.dates import begins_at
from passlight.core.facts.fact import Fact
from passlight.core.facts.history import current_facts
from passlight.core.kernel.interval import Interval
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.pack import Existing
from passlight.core.rules.schedule import Epoch, PackSchedule
from passlight.core.status.freshness import Deliveries, stale_intervals
from passlight.core.status.measures import Measure, MeasureKey, Outcome, apply_pack
from passlight.core.status.plan import plan_of
from passlight.core.status.reading import Conflict, settle
from passlight.core.status.timeline import Silences, Span, Timeline

_CLOSING = frozenset({"person.deceased", "code.closed"})
_NOTHING = Outcome((), (), ())
NO_AREAS = AreaHistory.of(())


def evaluate(
    schedule: PackSchedule,
    facts: Iterable[Fact],
    *,
    areas: AreaHistory = NO_AREAS,
    known_at: datetime | None = None,
    identified: bool = True,
    subject: str = "",
    members: Collection[str] | None = None,
    deliveries: Deliveries | None = None,
) -> Timeline:
    """Return the timeline of one person.

    ``facts`` are all versions of all facts that ever named one of the person's subjects;
    ``members`` are those subjects (the identity cluster as of ``known_at``), so that a fact
    whose newer version names somebody else is left out. ``deliveries`` None means that the
    freshness of sources is not looked at.
    """
    current = current_facts(facts, known_at=known_at)
    if members is not None:
        current = [fact for fact in current if fact.subject in members]
    spans = [
        _span(epoch, current, areas, known_at, deliveries)
        for epoch in schedule.epochs(known_at=known_at)
    ]
    if len(spans) > 1 and not _fits(spans):
        spans = _join(spans)
    closing = [fact for fact in current if fact.kind in _CLOSING]
    closed_at = _closed_at(closing, spans) if closing else None
    return Timeline(
        subject,
        known_at,
        identified=identified,
        closed_at=closed_at,
        facts=tuple(current),
        spans=tuple(spans),
    )


def _closed_at(closing: Sequence[Fact], spans: Sequence[Span]) -> datetime | None:
    """Return when the code closes; a date is a day of the pack in force then, or of the next."""
    found = []
    for fact in closing:
        left = (span for span in spans if span.when.end is None or fact.occurred_at < span.when.end)
        packs = [span.pack for span in (*left, *reversed(spans)) if span.pack is not None]
        found.append(begins_at(fact, packs[0].zone) if packs else fact.occurred_at)
    return min(found, default=None)


def _span(
    epoch: Epoch,
    current: Sequence[Fact],
    areas: AreaHistory,
    known_at: datetime | None,
    deliveries: Deliveries | None,
) -> Span:
    pack = epoch.pack
    if pack is None:
        return Span(epoch.when, None, _NOTHING, (), ())
    conflicts: tuple[Conflict, ...] = ()
    if pack.rankings:
        current, conflicts = settle(current, pack.rankings)
    silences: Silences = ()
    if deliveries is not None and pack.mandatory:
        silences = stale_intervals(pack, deliveries, known_at=known_at)
    listings = areas.known(known_at, zone=pack.zone)
    outcome = apply_pack(plan_of(pack), current, areas=listings)
    return Span(epoch.when, pack, outcome, silences, conflicts)


def _fits(spans: Sequence[Span]) -> bool:
    """Return whether each measure lies within its pack's time: then there is nothing to join.

    Mostly it does. No end is told across a change, and no pack keeps a measure of another.
    """
    for span in spans:
        first, last = span.when
        for measure in span.outcome.measures:
            start, end = measure.when
            if first is not None and (start is None or start < first):
                return False
            if last is not None and (end is None or end > last):
                return False
    return True


def _join(spans: list[Span]) -> list[Span]:
    """Return the spans with each measure cut to its pack's time and its ends told across packs."""
    cut: list[Span] = []
    before: Sequence[Measure] = ()
    for span in spans:
        measures: Sequence[Measure] = span.outcome.measures
        if span.pack is not None and span.pack.existing_measures is Existing.KEEP:
            measures = _keep(before, measures, change=span.when.start)
        cut.append(_within(span, measures))
        before = measures
    return _tell_starts(_tell_ends(cut))


def _keep(
    before: Sequence[Measure], new: Sequence[Measure], *, change: datetime | None
) -> Sequence[Measure]:
    """Return the old pack's chains that are open at the change, and the new pack's others."""
    if change is None:
        return new
    kept = {measure.chain for measure in before if _open_across(measure, change)}
    old = [measure for measure in before if measure.chain in kept]
    return old + [measure for measure in new if measure.chain not in kept]


def _open_across(measure: Measure, change: datetime) -> bool:
    end = measure.when.end
    return measure.start < change and (end is None or end > change)


def _within(span: Span, measures: Sequence[Measure]) -> Span:
    kept: list[Measure] = []
    for measure in measures:
        if span.when.contains(measure.when):
            kept.append(measure)
        elif measure.when.intersection(span.when) is not None:
            parts = (piece.intersection(span.when) for piece in measure.pieces)
            pieces = tuple(part for part in parts if part is not None)
            kept.append(measure._replace(pieces=pieces))
    return _with(span, kept)


def _with(span: Span, measures: Iterable[Measure]) -> Span:
    outcome, told = span.outcome, tuple(measures)
    if len(told) == len(outcome.measures) and all(map(is_, told, outcome.measures)):
        return span
    return span._replace(outcome=outcome._replace(measures=told))


def _tell_ends(spans: list[Span]) -> list[Span]:
    """Return the spans whose measures end where the following pack ends them."""
    told: list[Span] = []
    after: Sequence[Measure] = ()
    for span in reversed(spans):
        change, measures = span.when.end, span.outcome.measures
        if change is not None and any(not _ended(one, change) for one in measures):
            alike = {measure.key: measure for measure in after}
            span = _with(span, (_told_end(one, change, alike) for one in measures))  # noqa: PLW2901
        told.append(span)
        after = span.outcome.measures
    return told[::-1]


def _ended(measure: Measure, change: datetime) -> bool:
    return measure.when.end is not None and measure.when.end <= change


def _told_end(measure: Measure, change: datetime, after: Mapping[MeasureKey, Measure]) -> Measure:
    if _ended(measure, change):
        return measure
    following = after.get(measure.key)
    if following is None or following.start > change:
        return measure._replace(when=Interval(measure.start, change), closing=(), needs=())
    return measure._replace(
        when=Interval(measure.start, following.when.end),
        closing=following.closing,
        needs=following.needs,
    )


def _tell_starts(spans: list[Span]) -> list[Span]:
    """Return the spans whose measures start where the pack before them started them."""
    told: list[Span] = []
    before: Sequence[Measure] = ()
    for span in spans:
        change, measures = span.when.start, span.outcome.measures
        if change is not None and any(one.start < change for one in measures):
            alike = {measure.key: measure for measure in before}
            span = _with(span, (_told_start(one, change, alike) for one in measures))  # noqa: PLW2901
        told.append(span)
        before = span.outcome.measures
    return told


def _told_start(
    measure: Measure, change: datetime, before: Mapping[MeasureKey, Measure]
) -> Measure:
    if measure.start >= change:
        return measure
    earlier = before.get(measure.key)
    goes_on = earlier is not None and (earlier.when.end is None or earlier.when.end >= change)
    start = earlier.start if earlier is not None and goes_on else change
    return measure._replace(when=Interval(start, measure.when.end))
