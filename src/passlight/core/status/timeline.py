"""Timeline: one person's colours over all of time, as of one moment of knowledge.

A colour at an instant is a lookup here, so being right needs no timer (field/08 1.5).
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

from passlight.core.facts.fact import Fact
from passlight.core.kernel.calendar import add
from passlight.core.kernel.colour import Colour
from passlight.core.kernel.interval import Interval, merge
from passlight.core.rules.pack import MandatorySource, Pack, WhenStale
from passlight.core.status.measures import Measure, MeasureKey, Outcome, Question
from passlight.core.status.reading import Conflict, meets
from passlight.core.status.status import Change, Segment, ShownBadge, Status

_UTC = ZoneInfo("UTC")
_EVER = datetime.min.replace(tzinfo=UTC)
Steps = tuple[list[datetime], list[Measure | None]]
Silences = tuple[tuple[MandatorySource, tuple[Interval, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time under one pack, with what that pack makes of the person's facts."""

    when: Interval
    pack: Pack | None
    outcome: Outcome
    silences: Silences
    conflicts: tuple[Conflict, ...]


@dataclass(slots=True, kw_only=True)
class Timeline:
    """What ``evaluate`` found out; ``status`` and ``segments`` read it."""

    subject: str
    known_at: datetime | None
    identified: bool
    closed_at: datetime | None
    facts: tuple[Fact, ...]
    spans: tuple[Span, ...]
    _edges: tuple[list[datetime], list[datetime]] | None = None
    _steps: dict[Interval, Steps] = field(default_factory=dict)

    def _span(self, at: datetime) -> Span:
        return next(span for span in self.spans if span.when.covers(at))

    def _zone(self, span: Span) -> ZoneInfo:
        packs = (span.pack, *(one.pack for one in self.spans))
        return next((pack.zone for pack in packs if pack is not None), _UTC)

    def counted(self, at: datetime) -> tuple[Fact, ...]:
        """Return the facts without those that the pack in force at ``at`` sets aside."""
        conflicts = self._span(at).conflicts
        aside = {fact_id for conflict in conflicts for fact_id in conflict.set_aside}
        return tuple(fact for fact in self.facts if fact.fact_id not in aside)

    def colour(self, at: datetime) -> Colour:
        """Return the colour at ``at``, or the answer that stands in its place."""
        return self._standing(at)[0]

    def _standing(self, at: datetime) -> tuple[Colour, Measure | None]:
        """Return the colour and the strongest measure in force."""
        if not self.identified:
            return Colour.UNKNOWN, None
        if self.closed_at is not None and at >= self.closed_at:
            return Colour.CLOSED, None
        span = self._span(at)
        if span.pack is None:
            return Colour.UNKNOWN, None
        strongest = self._strongest(span, at)
        colour = strongest.colour if strongest is not None else Colour.GREEN
        if colour is Colour.GREEN and _stale(span, at, WhenStale.UNKNOWN):
            colour = Colour.UNKNOWN
        return colour, strongest

    def _strongest(self, span: Span, at: datetime) -> Measure | None:
        steps = self._steps.get(span.when)
        if steps is None:
            steps = self._steps[span.when] = _steps(span.outcome.measures)
        instants, strongest = steps
        place = bisect_right(instants, at)
        return strongest[place - 1] if place else None

    def _boundaries(self) -> tuple[list[datetime], list[datetime]]:
        """Return where a measure starts or ends, and every instant at which anything may change."""
        if self._edges is None:
            pieces: dict[MeasureKey, list[Interval]] = defaultdict(list)
            others: set[datetime] = set()
            for span in self.spans:
                for measure in span.outcome.measures:
                    pieces[measure.key].extend(measure.pieces)
                for _, silences in span.silences:
                    others.update(edge for one in silences for edge in _ends(one))
                others.update(_ends(span.when))
            edges = {
                edge for parts in pieces.values() for one in merge(parts) for edge in _ends(one)
            }
            if self.closed_at is not None:
                edges.add(self.closed_at)
            self._edges = (sorted(edges), sorted(edges | others))
        return self._edges

    def status(self, at: datetime) -> Status:
        """Return the status at ``at``."""
        colour, strongest = self._standing(at)
        span = self._span(at)
        measures = span.outcome.measures if strongest is not None else ()
        active = [measure for measure in measures if measure.active(at)]
        open_ = colour is not Colour.CLOSED and self.identified
        valid_until, next_change = self._ahead(at, colour) if open_ else (None, None)
        waived = [
            measure
            for measure in span.outcome.measures
            if measure.when.covers(at) and not measure.active(at)
        ]
        return Status(
            subject=self.subject,
            at=at,
            known_at=self.known_at,
            zone=self._zone(span),
            colour=colour,
            valid_until=valid_until,
            next_change=next_change,
            measures=tuple(sorted(active, key=Measure.order)),
            waived=tuple(sorted(waived, key=Measure.order)) if open_ else (),
            badges=tuple(_badges(span, self.facts, waived, at)) if open_ else (),
            questions=_questions(span, at) if open_ else (),
            conflicts=span.conflicts,
            stale_sources=tuple(source.source for source in _silent(span, at)),
            pack=span.pack,
        )

    def _ahead(self, at: datetime, colour: Colour) -> tuple[datetime | None, Change | None]:
        """Return the first boundary after ``at`` and the first at which the colour differs."""
        own, every = self._boundaries()
        valid_until = next((edge for edge in own if edge > at and self._counts(edge)), None)
        for edge in every:
            if edge > at:
                then = self.colour(edge)
                if then is not colour:
                    if valid_until is None or edge < valid_until:
                        valid_until = edge
                    return valid_until, Change(edge, then)
        return valid_until, None

    def _counts(self, edge: datetime) -> bool:
        """Return whether a boundary still matters: nothing changes after the code is closed."""
        return self.closed_at is None or edge <= self.closed_at

    def segments(self, since: datetime | None = None) -> tuple[Segment, ...]:
        """Return the colours from ``since`` on (None: from ever); the first starts at None."""
        _, every = self._boundaries()
        first = _EVER if since is None else since
        found: list[Segment] = []
        for edge in (first, *(edge for edge in every if edge > first)):
            colour, strongest = self._standing(edge)
            reason = strongest.reason_key if strongest is not None else None
            if not found or (found[-1].colour, found[-1].reason) != (colour, reason):
                found.append(Segment(edge if found else None, colour, reason))
        return tuple(found)


def _steps(measures: Sequence[Measure]) -> Steps:
    """Return each instant at which a measure starts or ends, and the strongest from then on."""
    pieces = [
        (piece.start or _EVER, piece.end, place, measure)
        for place, measure in enumerate(measures)
        for piece in measure.pieces
        if not piece.empty
    ]
    pieces.sort(key=lambda piece: (piece[0], piece[2]), reverse=True)
    instants = sorted({one for start, end, _, _ in pieces for one in (start, end) if one})
    # Strongest first; what has ended is taken off when it comes to the top. The count keeps two
    # pieces of one measure apart: an end that is open cannot be compared.
    running: list[tuple[object, int, int, datetime | None, Measure]] = []
    count = 0
    strongest: list[Measure | None] = []
    for instant in instants:
        while pieces and pieces[-1][0] <= instant:
            _, end, place, measure = pieces.pop()
            count += 1
            heappush(running, (measure.order(), place, count, end, measure))
        while running and (end := running[0][3]) is not None and end <= instant:
            heappop(running)
        strongest.append(running[0][4] if running else None)
    return instants, strongest


def _ends(interval: Interval) -> list[datetime]:
    return [edge for edge in (interval.start, interval.end) if edge is not None]


def _silent(span: Span, at: datetime) -> list[MandatorySource]:
    return [
        source
        for source, silences in span.silences
        if any(silence.covers(at) for silence in silences)
    ]


def _stale(span: Span, at: datetime, when_stale: WhenStale) -> bool:
    return any(source.when_stale is when_stale for source in _silent(span, at))


def _questions(span: Span, at: datetime) -> tuple[Question, ...]:
    return tuple(question for question in span.outcome.questions if question.when.covers(at))


def _badges(
    span: Span, facts: tuple[Fact, ...], waived: list[Measure], at: datetime
) -> Iterator[ShownBadge]:
    """Return the marks of the pack, then of waivers, then of silent sources."""
    pack = span.pack
    if pack is None:
        return
    for badge in pack.badges:
        ends = [
            add(fact.occurred_at, badge.within, zone=pack.zone)
            for fact in facts
            if fact.kind in badge.filter.kinds
            and fact.occurred_at <= at
            and all(meets(condition, fact) for condition in badge.filter.where)
        ]
        if ends and max(ends) > at:
            yield ShownBadge(badge.id, badge.text, max(ends))
    for waiver in span.outcome.waivers:
        if waiver.when.covers(at) and any(waiver.applies(measure) for measure in waived):
            yield ShownBadge(waiver.permission.id, waiver.permission.text, waiver.when.end)
    for source in _silent(span, at):
        yield ShownBadge(f"stale-{source.source}", source.text, None)
