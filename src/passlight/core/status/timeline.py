"""Timeline: one person's colours over all of time, as of one moment of knowledge.

A colour at an instant is a lookup here, so being right needs no timer (field/08 1.5).
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import chain
from typing import NamedTuple
from zoneinfo import ZoneInfo

from passlight.core.facts.fact import Fact
from passlight.core.kernel.calendar import add
from passlight.core.kernel.colour import Colour
from passlight.core.kernel.interval import Interval, merge
from passlight.core.rules.pack import MandatorySource, Pack, WhenStale
from passlight.core.status.measures import (
    Measure,
    MeasureKey,
    Outcome,
    Question,
    strongest_first,
)
from passlight.core.status.reading import FEW, Conflict, meets, payload_instant
from passlight.core.status.status import Change, Segment, ShownBadge, Status

_UTC = ZoneInfo("UTC")
_EVER = datetime.min.replace(tzinfo=UTC)
# Looked up once: a member of an Enum is found anew each time that it is named.
_GREEN, _UNKNOWN, _CLOSED = Colour.GREEN, Colour.UNKNOWN, Colour.CLOSED
Piece = tuple[datetime | None, datetime | None, int, Measure]
Silences = tuple[tuple[MandatorySource, tuple[Interval, ...]], ...]


class Span(NamedTuple):
    """A stretch of time under one pack, with what that pack makes of the person's facts."""

    when: Interval
    pack: Pack | None
    outcome: Outcome
    silences: Silences
    conflicts: tuple[Conflict, ...]


class Line:
    """The measures of one span, asked for what is in force at an instant."""

    __slots__ = ("_instants", "_pieces", "_strongest")

    def __init__(self, measures: Sequence[Measure]) -> None:
        """Keep a few as they are; of many, work out the strongest from each instant on."""
        self._instants: list[datetime] | None = None
        self._pieces = [
            (start, end, measure.phase.colour.strictness, measure)
            for measure in measures
            for start, end in measure.pieces
        ]
        if len(measures) > FEW:
            self._pieces.sort(key=lambda piece: piece[3].order())
            self._instants, self._strongest = _steps(self._pieces)

    def strongest(self, at: datetime) -> Measure | None:
        """Return the strongest measure in force."""
        if self._instants is not None:
            place = bisect_right(self._instants, at)
            return self._strongest[place - 1] if place else None
        running = [
            measure
            for start, end, _, measure in self._pieces
            if (start is None or start <= at) and (end is None or at < end)
        ]
        return min(running, key=Measure.order, default=None)

    def colour(self, at: datetime) -> Colour:
        """Return the strictest colour in force; green where there is none."""
        if self._instants is not None:
            strongest = self.strongest(at)
            return strongest.phase.colour if strongest is not None else _GREEN
        colour, reached = _GREEN, 0
        for start, end, strictness, measure in self._pieces:
            if (
                strictness > reached
                and (start is None or start <= at)
                and (end is None or at < end)
            ):
                colour, reached = measure.phase.colour, strictness
        return colour


class Timeline:
    """What ``evaluate`` found out; ``status`` and ``segments`` read it."""

    __slots__ = (
        "_edges",
        "_lines",
        "closed_at",
        "facts",
        "identified",
        "known_at",
        "spans",
        "subject",
    )

    # Written out: a dataclass would be made by the interpreter also where the rest is compiled.
    def __init__(
        self,
        subject: str,
        known_at: datetime | None,
        *,
        identified: bool,
        closed_at: datetime | None,
        facts: tuple[Fact, ...],
        spans: tuple[Span, ...],
    ) -> None:
        """Keep what is given; boundaries and lines are worked out when they are asked for."""
        self.subject = subject
        self.known_at = known_at
        self.identified = identified
        self.closed_at = closed_at
        self.facts = facts
        self.spans = spans
        self._edges: tuple[list[datetime], list[datetime]] | None = None
        self._lines: dict[int, Line] = {}

    def _span(self, at: datetime) -> Span:
        for span in self.spans:  # in order, and together all of time
            end = span.when.end
            if end is None or at < end:
                return span
        raise AssertionError("the last span has no end")

    def _zone(self, span: Span) -> ZoneInfo:
        if span.pack is not None:
            return span.pack.zone
        return next((one.pack.zone for one in self.spans if one.pack is not None), _UTC)

    def counted(self, at: datetime) -> tuple[Fact, ...]:
        """Return the facts without those that the pack in force at ``at`` sets aside."""
        conflicts = self._span(at).conflicts
        aside = {fact_id for conflict in conflicts for fact_id in conflict.set_aside}
        return tuple(fact for fact in self.facts if fact.fact_id not in aside)

    def sampled_at(self, at: datetime) -> datetime | None:
        """Return when the newest negative test was sampled; its age counts from there.

        Whatever a payload claims, nothing is sampled after its result was reported (field/08 1.2).
        """
        taken = [
            min(payload_instant(fact, "sampled_at") or fact.occurred_at, fact.occurred_at)
            for fact in self.counted(at)
            if fact.kind == "lab.result" and fact.payload.get("value") == "neg"
        ]
        return max(taken, default=None)

    def colour(self, at: datetime) -> Colour:
        """Return the colour at ``at``, or the answer that stands in its place."""
        return self._colour(at, self._span(at))

    def _colour(self, at: datetime, span: Span) -> Colour:
        closed_at = self.closed_at
        if not self.identified or (closed_at is not None and at >= closed_at):
            return _CLOSED if self.identified else _UNKNOWN
        if span.pack is None:
            return _UNKNOWN
        line = self._lines.get(id(span))
        colour = (line if line is not None else self._line(span)).colour(at)
        if colour is _GREEN and span.silences and _stale(span, at, WhenStale.UNKNOWN):
            colour = _UNKNOWN
        return colour

    def _answers(self, at: datetime) -> bool:
        """Return whether the person is known and the code not closed."""
        return self.identified and (self.closed_at is None or at < self.closed_at)

    def _line(self, span: Span) -> Line:
        line = self._lines.get(id(span))
        if line is None:
            line = self._lines[id(span)] = Line(span.outcome.measures)
        return line

    def _boundaries(self) -> tuple[list[datetime], list[datetime]]:
        """Return where a measure starts or ends, and every instant at which anything may change."""
        if self._edges is None:
            spans = self.spans
            edges = [edge for piece in _in_force(spans) for edge in piece if edge is not None]
            if self.closed_at is not None:
                edges.append(self.closed_at)
            edges.sort()
            # Together the spans are all of time: where one begins, the one before it ends.
            others = [span.when.start for span in spans[1:]]
            for span in spans:
                others += [edge for _, times in span.silences for one in times for edge in one]
            every = edges
            if others:
                every = sorted(edges + [edge for edge in others if edge is not None])
            self._edges = (edges, every)
        return self._edges

    def status(self, at: datetime) -> Status:
        """Return the status at ``at``."""
        span = self._span(at)
        colour = self._colour(at, span)
        active: list[Measure] = []
        waived: list[Measure] = []
        for measure in span.outcome.measures:
            start, end = when = measure.when  # no piece is outside it
            if (start is not None and at < start) or (end is not None and at >= end):
                continue
            # Mostly it is in force all of its time: who cuts or waives it makes other pieces.
            pieces = measure.pieces
            if (pieces and pieces[0] is when) or measure.active(at):
                active.append(measure)
            else:
                waived.append(measure)
        answers = self._answers(at)
        valid_until = next_change = None
        badges: tuple[ShownBadge, ...] = ()
        questions: tuple[Question, ...] = ()
        if answers:
            valid_until, next_change = self._ahead(at, span, colour)
            badges = _badges(span, self.facts, waived, at)
            questions = _questions(span, at)
        return Status(
            self.subject,
            at,
            self.known_at,
            self._zone(span),
            colour,
            valid_until,
            next_change,
            strongest_first(active) if answers else (),
            strongest_first(waived) if answers else (),
            badges,
            questions,
            span.conflicts,
            tuple([source.source for source in _silent(span, at)]) if span.silences else (),
            span.pack,
        )

    def _ahead(
        self, at: datetime, span: Span, colour: Colour
    ) -> tuple[datetime | None, Change | None]:
        """Return the first boundary after ``at`` and the first at which the colour differs."""
        own, every = self._boundaries()
        place = bisect_right(own, at)
        valid_until = own[place] if place < len(own) and self._counts(own[place]) else None
        if span.when.end is None and span.pack and not span.silences and self.closed_at is None:
            colour_at = self._line(span).colour  # from here on measures alone decide
        else:
            colour_at = self.colour
        for place in range(bisect_right(every, at), len(every)):
            edge = every[place]
            then = colour_at(edge)
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
            span = self._span(edge)
            colour = self._colour(edge, span)
            strongest = self._line(span).strongest(edge) if self._answers(edge) else None
            reason = strongest.reason_key if strongest is not None else None
            if not found or (found[-1].colour, found[-1].reason) != (colour, reason):
                found.append(Segment(edge if found else None, colour, reason))
        return tuple(found)


def _in_force(spans: Sequence[Span]) -> Iterable[Interval]:
    """Return when measures are in force; pieces of one measure that touch are joined.

    Mostly there is one span with one measure a phase, and then there is nothing to join.
    """
    told = [span.outcome.measures for span in spans if span.outcome.measures]
    if len(told) == 1 and len({id(measure.phase) for measure in told[0]}) == len(told[0]):
        return chain.from_iterable([measure.pieces for measure in told[0]])
    alike: dict[MeasureKey, list[Interval]] = defaultdict(list)
    for measures in told:
        for measure in measures:
            alike[measure.key].extend(measure.pieces)
    return [piece for parts in alike.values() for piece in merge(parts)]


def _steps(ranked: Sequence[Piece]) -> tuple[list[datetime], list[Measure | None]]:
    """Return each instant at which a piece starts or ends, and the strongest from then on."""
    waiting = sorted(
        ((start or _EVER, rank) for rank, (start, *_) in enumerate(ranked)), reverse=True
    )
    edges = {edge for start, end, *_ in ranked for edge in (start, end) if edge is not None}
    instants = sorted(edges)
    # Strongest first; what has ended is taken off when it comes to the top.
    running: list[int] = []
    strongest: list[Measure | None] = []
    for instant in instants:
        while waiting and waiting[-1][0] <= instant:
            heappush(running, waiting.pop()[1])
        while running and (end := ranked[running[0]][1]) is not None and end <= instant:
            heappop(running)
        strongest.append(ranked[running[0]][3] if running else None)
    return instants, strongest


def _silent(span: Span, at: datetime) -> list[MandatorySource]:
    return [
        source
        for source, silences in span.silences
        if any(silence.covers(at) for silence in silences)
    ]


def _stale(span: Span, at: datetime, when_stale: WhenStale) -> bool:
    return any(source.when_stale is when_stale for source in _silent(span, at))


def _questions(span: Span, at: datetime) -> tuple[Question, ...]:
    if not span.outcome.questions:
        return ()
    return tuple(question for question in span.outcome.questions if question.when.covers(at))


def _badges(
    span: Span, facts: tuple[Fact, ...], waived: list[Measure], at: datetime
) -> tuple[ShownBadge, ...]:
    """Return the marks of the pack, then of waivers, then of silent sources."""
    found: list[ShownBadge] = []
    pack = span.pack
    if pack is None or not (pack.badges or span.outcome.waivers or span.silences):
        return ()
    for badge in pack.badges:
        ends = [
            add(fact.occurred_at, badge.within, zone=pack.zone)
            for fact in facts
            if fact.kind in badge.filter.kinds
            and fact.occurred_at <= at
            and all(meets(condition, fact) for condition in badge.filter.where)
        ]
        if ends and max(ends) > at:
            found.append(ShownBadge(badge.id, badge.text, max(ends)))
    for waiver in span.outcome.waivers:
        if waiver.when.covers(at) and any(waiver.applies(measure) for measure in waived):
            mark = waiver.permission
            found.append(ShownBadge(mark.id, mark.text, waiver.when.end))
    if span.silences:
        found += [
            ShownBadge(f"stale-{source.source}", source.text, None) for source in _silent(span, at)
        ]
    return tuple(found)
