"""Measures (管控措施): coloured half-open intervals, each from one rule, phase and occurrence."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import lt
from typing import NamedTuple

from passlight.core.facts.fact import Fact
from passlight.core.facts.intake import is_manual
from passlight.core.kernel.calendar import add
from passlight.core.kernel.colour import Colour
from passlight.core.kernel.interval import Interval, sooner
from passlight.core.rules.areas import Listings
from passlight.core.rules.pack import Pack, Phase, Rule, WaiverPermission
from passlight.core.status.occurrence import Occurrence
from passlight.core.status.plan import PackPlan, PhasePlan, RulePlan
from passlight.core.status.reach import Need, Reached
from passlight.core.status.reading import PersonFacts, payload_instant

_WAIVER = "waiver.granted"
# What ``Interval(...)`` and ``Measure(...)`` call in the end. A person has several of both, and the
# way there by the names of the fields takes longer than the making.
_new = tuple.__new__
MeasureKey = tuple[str, int, tuple[str, ...]]


class Measure(NamedTuple):
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
        return (self.rule.id, self.phase.index, tuple([fact.fact_id for fact in self.trigger]))

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
        if not self.closing and len(self.trigger) == 1:
            return (self.trigger[0].fact_id,)
        return tuple({fact.fact_id: None for fact in self.trigger + self.closing})

    def order(self) -> tuple[int, datetime, str, int, tuple[str, ...]]:
        """Return the sort key of the file format: red first, from, rule, phase, facts."""
        return (
            -self.phase.colour.strictness,
            self.start,
            self.rule.id,
            self.phase.index,
            self.facts,
        )

    def active(self, instant: datetime) -> bool:
        """Return whether it is in force and not waived."""
        for start, end in self.pieces:
            if (start is None or start <= instant) and (end is None or instant < end):
                return True
        return False


def strongest_first(measures: Sequence[Measure]) -> tuple[Measure, ...]:
    """Return the measures in their ``order``, which mostly they have by colour and start."""
    if len(measures) > 1:
        ranks = [(-measure.phase.colour.strictness, measure.when[0]) for measure in measures]
        if not all(map(lt, ranks, ranks[1:])):
            measures = sorted(measures, key=Measure.order)
    return tuple(measures)


class Question(NamedTuple):
    """Asked instead of a colour when an area is known too coarsely for a list (E22)."""

    rule: Rule
    fact: Fact
    listing: Fact
    when: Interval


class Waiver(NamedTuple):
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


class Outcome(NamedTuple):
    """Everything that one pack makes of one person's facts, over all of time."""

    measures: tuple[Measure, ...]
    questions: tuple[Question, ...]
    waivers: tuple[Waiver, ...]


def apply_pack(plan: PackPlan, facts: Sequence[Fact], *, areas: Listings) -> Outcome:
    """Return the measures, questions and waivers of a person under the pack of ``plan``."""
    pack = plan.pack
    person = PersonFacts(facts, zone=pack.zone)
    waivers: tuple[Waiver, ...] = ()
    if pack.waivers and _WAIVER in person.by_kind:
        waivers = tuple(_waivers(pack, person.by_kind[_WAIVER]))
    measures: list[Measure] = []
    questions: list[Question] = []
    for rule in plan.rules_for(person.by_kind):
        for occurrence in rule.find(person, areas):
            chain = _phases(rule, occurrence, pack)
            if occurrence.coarse is not None:
                if chain:
                    questions.append(_question(rule.rule, occurrence, chain))
            elif waivers:
                measures.extend(_waived(measure, waivers) for measure in chain)
            else:
                measures.extend(chain)
    return Outcome(tuple(measures), tuple(questions), waivers)


def _question(rule: Rule, occurrence: Occurrence, chain: list[Measure]) -> Question:
    assert occurrence.coarse is not None
    return Question(
        rule=rule,
        fact=occurrence.facts[0],
        listing=occurrence.coarse.fact,
        when=Interval(chain[0].when.start, chain[-1].when.end),
    )


def _phases(rule: RulePlan, occurrence: Occurrence, pack: Pack) -> list[Measure]:
    """Return the phases that have a duration, in order.

    A phase with ``until`` at or before ``from`` is skipped and the next one starts at ``from``.
    """
    found: list[Measure] = []
    expiry = _expiry(occurrence)
    yellow_since: datetime | None = None
    for plan in rule.phases:
        phase, starts, ends, changes, cap = plan
        occurrence.as_of = occurrence.start
        start = starts(occurrence)[0]
        if start is None or (expiry is not None and start >= expiry):
            break
        occurrence.as_of = start
        ended = ends(occurrence)
        if changes:
            ended = _moved(ended, plan, occurrence, start)
        if cap is not None and occurrence.trigger is not None:
            yellow_since = yellow_since or start
            ended = _capped(ended, cap(yellow_since, start))
        end, closing, needs = ended
        if expiry is not None and (end is None or end > expiry):
            end, closing, needs = expiry, (), ()
        if end is not None and end <= start:
            occurrence.prev_until = start
            continue
        when = _new(Interval, (start, end))
        told = (pack, rule.rule, phase, when, occurrence.facts, closing, needs, (when,))
        found.append(_new(Measure, told))
        occurrence.prev_until = end
    return found


def _moved(ended: Reached, phase: PhasePlan, occurrence: Occurrence, start: datetime) -> Reached:
    """Return the end of a phase as changed parameters move it while it is open (E39).

    The new end is never before the change: nothing ends in the past.
    """
    for change in phase.changes:
        if change <= start:
            continue
        end = ended[0]
        if end is not None and end <= change:
            break
        occurrence.as_of = change
        ended = phase.ends(occurrence)
        end, closing, _ = ended
        if end is not None and end < change:
            ended = change, closing, ()
    return ended


def _capped(ended: Reached, limit: datetime) -> Reached:
    """Return the end within the pack's cap on yellow; a list owner's interval has none."""
    end, _, needs = ended
    return ended if end is not None and end <= limit else (limit, (), needs)


def _expiry(occurrence: Occurrence) -> datetime | None:
    """Return when a fact entered by hand stops counting (E46: it has an expiry)."""
    trigger = occurrence.trigger
    if trigger is None or "expires_at" not in trigger.payload or not is_manual(trigger):
        return None
    return payload_instant(trigger, "expires_at")


def _waivers(pack: Pack, facts: Sequence[Fact]) -> Iterator[Waiver]:
    for fact in facts:
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
    return measure._replace(pieces=tuple(measure.when.without(holes)))
