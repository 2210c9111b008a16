"""Measures (管控措施): coloured half-open intervals, each from one rule, phase and occurrence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from passlight.core.facts.fact import Fact
from passlight.core.facts.intake import is_manual
from passlight.core.kernel.calendar import add
from passlight.core.kernel.colour import Colour
from passlight.core.kernel.interval import Interval, sooner
from passlight.core.rules.areas import Listings
from passlight.core.rules.pack import Existing, Pack, Phase, Rule, WaiverPermission
from passlight.core.status.occurrence import Occurrence, occurrences
from passlight.core.status.reach import Need, Reach, Reached
from passlight.core.status.reading import PersonFacts, payload_instant

MeasureKey = tuple[str, int, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A coloured interval with its rule, phase and facts.

    ``pieces`` is when it is in force: the interval without waivers, within its pack's time.
    """

    pack: Pack
    rule: Rule
    phase: Phase
    when: Interval
    trigger: tuple[Fact, ...]
    closing: tuple[Fact, ...]
    needs: tuple[Need, ...]
    pieces: tuple[Interval, ...]

    @property
    def colour(self) -> Colour:
        """Return the colour of the phase."""
        return self.phase.colour

    @property
    def start(self) -> datetime:
        """Return when the measure begins."""
        assert self.when.start is not None
        return self.when.start

    @property
    def key(self) -> MeasureKey:
        """Return what stays the same from one pack version to the next."""
        return (self.rule.id, self.phase.index, tuple(fact.fact_id for fact in self.trigger))

    @property
    def chain(self) -> tuple[str, tuple[str, ...]]:
        """Return what the phases of one occurrence share."""
        return (self.rule.id, tuple(fact.fact_id for fact in self.trigger))

    @property
    def reason_key(self) -> str:
        """Return the stable key of the reason."""
        return self.pack.reason_key(self.rule.id, self.phase.index)

    @property
    def facts(self) -> tuple[str, ...]:
        """Return the ids of the trigger and then of the closing facts, each once."""
        found = (*self.trigger, *self.closing)
        return tuple(dict.fromkeys(fact.fact_id for fact in found))

    def order(self) -> tuple[int, datetime, str, int, tuple[str, ...]]:
        """Return the sort key of the file format: red first, from, rule, phase, facts."""
        return (-self.colour.strictness, self.start, self.rule.id, self.phase.index, self.facts)

    def active(self, instant: datetime) -> bool:
        """Return whether it is in force and not waived."""
        return any(piece.covers(instant) for piece in self.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Asked instead of a colour when an area is known too coarsely for a list (E22)."""

    rule: Rule
    fact: Fact
    listing: Fact
    when: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A waiver fact as one pack honours it."""

    fact: Fact
    permission: WaiverPermission
    when: Interval
    rules: frozenset[str]
    phase: int | None
    trigger: str | None

    def applies(self, measure: Measure) -> bool:
        """Return whether it names this measure."""
        return (
            measure.rule.id in self.rules
            and (self.phase is None or self.phase == measure.phase.index)
            and (self.trigger is None or measure.facts[:1] == (self.trigger,))
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that one pack makes of one person's facts, over all of time."""

    measures: tuple[Measure, ...]
    questions: tuple[Question, ...]
    waivers: tuple[Waiver, ...]


def apply_pack(pack: Pack, facts: Sequence[Fact], *, areas: Listings) -> Outcome:
    """Return the measures, questions and waivers of a person under ``pack``."""
    person = PersonFacts(facts, zone=pack.zone)
    waivers = tuple(_waivers(pack, facts))
    measures: list[Measure] = []
    questions: list[Question] = []
    for rule in pack.rules:
        for occurrence in occurrences(rule, person, pack=pack, areas=areas):
            chain = list(_phases(rule, occurrence, pack=pack, facts=person))
            if occurrence.coarse is None:
                measures.extend(_waived(measure, waivers) for measure in chain)
            elif chain:
                questions.append(_question(rule, occurrence, chain))
    return Outcome(tuple(measures), tuple(questions), waivers)


def _question(rule: Rule, occurrence: Occurrence, chain: list[Measure]) -> Question:
    assert occurrence.coarse is not None
    return Question(
        rule=rule,
        fact=occurrence.facts[0],
        listing=occurrence.coarse.fact,
        when=Interval(chain[0].when.start, chain[-1].when.end),
    )


def _phases(
    rule: Rule, occurrence: Occurrence, *, pack: Pack, facts: PersonFacts
) -> Iterator[Measure]:
    """Return the phases that have a duration, in order.

    A phase with ``until`` at or before ``from`` is skipped and the next one starts at ``from``.
    """
    reach = Reach(pack=pack, facts=facts, occurrence=occurrence, as_of=occurrence.start)
    expiry = _expiry(occurrence)
    yellow_since: datetime | None = None
    for phase in rule.phases:
        reach.as_of = occurrence.start
        start = reach.of(phase.starts).at
        if start is None or (expiry is not None and start >= expiry):
            return
        end = _end(phase, reach, start, pack=pack)
        if phase.colour is Colour.YELLOW and pack.chained_yellow is not None:
            yellow_since = yellow_since or start
            end = _capped(end, yellow_since, pack=pack, occurrence=occurrence)
        if expiry is not None and (end.at is None or end.at > expiry):
            end = Reached(expiry)
        if end.at is not None and end.at <= start:
            reach.prev_until = start
            continue
        when = Interval(start, end.at)
        yield Measure(
            pack=pack,
            rule=rule,
            phase=phase,
            when=when,
            trigger=occurrence.facts,
            closing=end.facts,
            needs=end.needs,
            pieces=(when,),
        )
        reach.prev_until = end.at


def _end(phase: Phase, reach: Reach, start: datetime, *, pack: Pack) -> Reached:
    """Return the end of a phase; under ``convert`` a changed parameter moves an open end (E39).

    The new end is never before the change: nothing ends in the past.
    """
    reach.as_of = start
    end = reach.of(phase.ends)
    if not phase.parameters or pack.existing_measures is Existing.KEEP:
        return end
    changes = {at for name in phase.parameters for at in pack.parameters[name].changes()}
    for change in sorted(at for at in changes if at > start):
        if end.at is not None and end.at <= change:
            break
        reach.as_of = change
        end = reach.of(phase.ends)
        if end.at is not None and end.at < change:
            end = Reached(change, end.facts)
    return end


def _capped(end: Reached, yellow_since: datetime, *, pack: Pack, occurrence: Occurrence) -> Reached:
    """Return the end within the pack's cap on yellow; a list owner's interval has none."""
    assert pack.chained_yellow is not None
    limit = add(yellow_since, pack.chained_yellow, zone=pack.zone)
    if occurrence.trigger is None or (end.at is not None and end.at <= limit):
        return end
    return Reached(limit, (), end.needs)


def _expiry(occurrence: Occurrence) -> datetime | None:
    """Return when a fact entered by hand stops counting (E46: it has an expiry)."""
    trigger = occurrence.trigger
    if trigger is None or not is_manual(trigger):
        return None
    return payload_instant(trigger, "expires_at")


def _waivers(pack: Pack, facts: Sequence[Fact]) -> Iterator[Waiver]:
    for fact in facts:
        if fact.kind != "waiver.granted":
            continue
        selector = fact.payload["measure"]
        named = selector.get("rule", ())
        wanted = frozenset([named] if isinstance(named, str) else named)
        start = payload_instant(fact, "from") or fact.occurred_at
        until = payload_instant(fact, "until") or fact.occurred_until
        for permission in pack.waivers:
            rules = wanted.intersection(permission.rules)
            if not rules:
                continue
            longest = add(start, permission.longest, zone=pack.zone)
            yield Waiver(
                fact=fact,
                permission=permission,
                when=Interval(start, sooner(until, longest)),
                rules=rules,
                phase=selector.get("phase"),
                trigger=selector.get("fact"),
            )


def _waived(measure: Measure, waivers: tuple[Waiver, ...]) -> Measure:
    holes = [waiver.when for waiver in waivers if waiver.applies(measure)]
    if not holes:
        return measure
    return replace(measure, pieces=tuple(measure.when.without(holes)))
