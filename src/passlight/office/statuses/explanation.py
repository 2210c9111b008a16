"""The explanation of a status: what, why, until when, from which facts, and what to do about it.

One component for the person and for the office, computed by the same engine as the door's
answer. It can be asked for any moment, as known at any moment (field/08 1.1): with ``known_at``
equal to ``at`` it is what was known when the door was asked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from passlight.core.facts.fact import Fact
from passlight.core.kernel.colour import Colour
from passlight.core.rules.pack import Pack
from passlight.core.status.measures import Measure
from passlight.core.status.status import Segment, Status, need_texts
from passlight.core.status.timeline import Timeline
from passlight.office.facts.queries import last_seq
from passlight.office.facts.words import kind_name_in
from passlight.office.packs.schedule import schedule, seq_known_at
from passlight.office.pages import formats
from passlight.office.pages.sources import source_name_in
from passlight.office.people.models import Person
from passlight.office.statuses.evaluation import EvaluationFailure, LogReader
from passlight.office.statuses.queries import publication_in_force, segment_at
from passlight.office.statuses.wording import Sentence, say
from passlight.runtime.catalogue import LANGUAGES
from passlight.runtime.settings import read_variable

#: The newest stretches of a long history; older ones are found by asking for their time.
STORY_STEPS_MAX = 12
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A stretch of one colour on the timeline."""

    colour: str
    now: bool
    when: Sentence
    title: Sentence
    lines: tuple[Sentence, ...]
    notes: tuple[Sentence, ...]

    @property
    def field(self) -> str:
        """Return the class of the status field."""
        return _field(self.colour)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedFact:
    """A fact behind a measure: what it is, who said so, when it happened, when we learned."""

    fact_id: str
    ver: int
    name: Sentence
    role: Sentence | None
    told: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedRule:
    """A rule behind a measure, with the sentence of the notice that it carries out."""

    title: Sentence
    basis: str
    ref: str
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything the page shows, in both languages, in the order in which it shows it."""

    colour: str
    title: Sentence
    headline: Sentence
    outlook: Sentence
    todo: tuple[Sentence, ...]
    story: tuple[Step, ...]
    facts: tuple[UsedFact, ...]
    rules: tuple[UsedRule, ...]
    pack_line: Sentence
    past: Sentence | None
    shown: Sentence | None
    phone: str
    at_field: str
    known_field: str
    status: Status | None

    @property
    def field(self) -> str:
        """Return the class of the status field."""
        return _field(self.colour)


def explain(
    person: Person, at: datetime, known_at: datetime | None = None, *, now: datetime | None = None
) -> Explanation:
    """Return why ``person`` has the status of ``at``, as known at ``known_at`` (default ``at``).

    ``now`` is the reader's present: another moment is told as what it is, the past.
    """
    known_at = known_at or at
    now = now or at
    found = _timeline(person, known_at)
    status = found.status(at) if found is not None else None
    colour = status.colour if status is not None else Colour.UNKNOWN
    measures = status.measures if status is not None else ()
    return Explanation(
        colour=colour.value,
        title=say(f"statuses.why.{colour.value}"),
        headline=_headline(colour, status),
        outlook=_outlook(colour, status),
        todo=tuple(_todo(status)) if status is not None else (),
        story=tuple(_story(found, at, present=at >= now)) if found is not None else (),
        facts=tuple(_facts(measures)),
        rules=tuple(_rules(measures)),
        pack_line=_pack_line(status.pack if status is not None else None),
        past=_past(at, known_at, now),
        shown=_shown(person, at),
        phone=contact_phone(),
        at_field=_input(at),
        known_field=_input(known_at),
        status=status,
    )


def contact_phone() -> str:
    """Return the number to call when something on these pages is wrong."""
    return read_variable("PASSLIGHT_CONTACT_PHONE", "12345")


def _timeline(person: Person, known_at: datetime) -> Timeline | None:
    packs = schedule(seq_known_at(known_at))
    if not packs.packs:
        return None
    situation = LogReader().situation_for(
        person.facts_key, packs, up_to=last_seq(), known_at=known_at
    )
    found = situation.evaluate({person.ordinal: person.facts_key})[person.ordinal]
    return None if isinstance(found, EvaluationFailure) else found


def _headline(colour: Colour, status: Status | None) -> Sentence:
    if status is None or status.reason is None:
        return say(f"statuses.headline.{colour.value}")
    return _sentence(status.reason.phase.reason.to_json())


def _outlook(colour: Colour, status: Status | None) -> Sentence:
    """Return what becomes of the colour: a date when there is one, a condition when not."""
    if status is None or colour in {Colour.CLOSED, Colour.UNKNOWN}:
        return say(f"statuses.outlook.{colour.value}")
    change = status.next_change
    if change is not None:
        word = say(f"pages.colour.{change.colour.value}")
        return say("statuses.outlook.change", moment=change.at, colour=word)
    if colour is Colour.GREEN:
        return say("statuses.outlook.green")
    return say("statuses.outlook.open")


def _todo(status: Status) -> Iterable[Sentence]:
    seen: list[Sentence] = []
    for measure in status.measures:
        wanted = [measure.phase.advice.to_json()]
        wanted += [one.to_json() for one in need_texts(measure, zone=status.zone)]
        for one in wanted:
            sentence = _sentence(one)
            if sentence not in seen:
                seen.append(sentence)
                yield sentence
    for question in status.questions:
        yield say("statuses.question", fact=_kind(question.fact))


def _story(timeline: Timeline, at: datetime, *, present: bool) -> list[Step]:
    """Return the stretches of colour, the latest first; ``at`` lies in the one marked now."""
    segments = list(timeline.segments())
    if len(segments) > 1 and segments[1].start is not None and segments[1].start <= at:
        # The time before the first rules is nobody's story: the second stretch is the oldest.
        before = timeline.status(segments[1].start - timedelta(microseconds=1))
        if before.pack is None:
            segments[:2] = [Segment(None, segments[1].colour, segments[1].reason)]
    ends = [*(segment.start for segment in segments[1:]), None]
    steps = []
    for segment, end in zip(segments, ends, strict=True):
        now = (segment.start is None or segment.start <= at) and (end is None or at < end)
        moment = at if now else segment.start or (end - timedelta(microseconds=1) if end else at)
        when = _when(segment.start, end, at=at if now else None, present=present)
        steps.append(_step(timeline.status(moment), when, now=now))
    current = next(place for place, step in enumerate(steps) if step.now)
    first = max(0, min(current - STORY_STEPS_MAX // 2, len(steps) - STORY_STEPS_MAX))
    return steps[first : first + STORY_STEPS_MAX][::-1]


def _step(status: Status, when: Sentence, *, now: bool) -> Step:
    word = say(f"pages.colour.{status.colour.value}")
    if status.measures:
        first, *others = status.measures
        lines = [_measure_line(first)]
        lines += [
            say("statuses.measure_also", reason=_reason(measure), line=_measure_line(measure))
            for measure in others
        ]
        title = say(
            "statuses.step.because",
            colour=word,
            reason=_reason(first),
        )
        notes = [note for measure in status.measures for note in _extent(measure)]
    else:
        title, lines = word, [say(f"statuses.step.{status.colour.value}")]
        notes = []
    notes += [_sentence(badge.text.to_json()) for badge in status.badges]
    return Step(
        colour=status.colour.value,
        now=now,
        when=when,
        title=title,
        lines=tuple(lines),
        notes=tuple(notes),
    )


def _when(
    start: datetime | None, end: datetime | None, *, at: datetime | None, present: bool
) -> Sentence:
    """Return when a stretch is; ``at`` is the moment asked about when it lies in this one."""
    tense = "now" if present else "then"
    if at is not None and start is not None and end is not None:
        day, days = (at - start) // DAY + 1, -(-(end - start) // DAY)
        return say(f"statuses.when.{tense}_day", day=day, days=days)
    if at is not None:
        return say(f"statuses.when.{tense}")
    if start is not None:
        return say("statuses.when.from", moment=start)
    if end is not None:
        return say("statuses.when.before", moment=end)
    return say("statuses.when.always")


def _measure_line(measure: Measure) -> Sentence:
    """Return what brought a measure about, and how far along it is when it has stages."""
    if not measure.trigger:
        return say("statuses.measure_silence")
    fact, phases = _kind(measure.trigger[0]), len(measure.rule.phases)
    if phases == 1:
        return say("statuses.measure", fact=fact)
    phase = measure.phase.index + 1
    return say("statuses.measure_phase", fact=fact, phase=phase, phases=phases)


def _reason(measure: Measure) -> Sentence:
    return _sentence(measure.phase.reason.to_json())


def _extent(measure: Measure) -> list[Sentence]:
    if measure.when.end is None:
        return [say("statuses.extent_open", start=measure.start)]
    return [say("statuses.extent", start=measure.start, end=measure.when.end)]


def _facts(measures: Sequence[Measure]) -> Iterable[UsedFact]:
    seen: set[str] = set()
    for measure in measures:
        for role, facts in (("trigger", measure.trigger), ("closing", measure.closing)):
            for fact in facts:
                if fact.fact_id not in seen:
                    seen.add(fact.fact_id)
                    yield UsedFact(
                        fact_id=fact.fact_id,
                        ver=fact.ver,
                        name=_kind(fact),
                        role=say(f"statuses.role.{role}"),
                        told=say(
                            "statuses.told",
                            source=_source(fact),
                            occurred=fact.occurred_at,
                            recorded=fact.recorded_at,
                        ),
                    )


def _rules(measures: Sequence[Measure]) -> Iterable[UsedRule]:
    seen: set[tuple[str, str]] = set()
    for measure in measures:
        key = (measure.pack.key, measure.rule.id)
        if key not in seen:
            seen.add(key)
            basis = measure.rule.basis
            yield UsedRule(
                title=say("statuses.rule", reason=_reason(measure), rule=measure.rule.id),
                basis=basis.text,
                ref=basis.ref,
                url=basis.url,
            )


def _pack_line(pack: Pack | None) -> Sentence:
    if pack is None or pack.effective.start is None:
        return say("statuses.pack_none")
    digest = pack.hash.removeprefix("sha256:")[:12]
    start = pack.effective.start
    return say(
        "statuses.pack",
        name=_sentence(pack.name.to_json()),
        pack=pack.key,
        start={language: formats.long_moment(start, language) for language in LANGUAGES},
        hash=digest,
    )


def _past(at: datetime, known_at: datetime, now: datetime) -> Sentence | None:
    if at >= now and known_at >= now:
        return None
    if known_at == at:
        return say("statuses.past_then", at=at)
    return say("statuses.past", at=at, known=known_at)


def _shown(person: Person, at: datetime) -> Sentence | None:
    """Return what doors were really told at ``at``: from the log of publications."""
    published = publication_in_force(person.ordinal, known_at=at)
    if published is None:
        return say("statuses.shown_nothing", at=at)
    part = segment_at(published.segments, at)
    return say(
        "statuses.shown",
        at=at,
        colour=say(f"pages.colour.{part['colour']}"),
        seq=published.seq,
        published=published.as_of,
    )


def _kind(fact: Fact) -> Sentence:
    return {language: kind_name_in(fact.kind, language) for language in LANGUAGES}


def _source(fact: Fact) -> Sentence:
    return {language: source_name_in(fact.source, language) for language in LANGUAGES}


def _sentence(texts: dict[str, str]) -> Sentence:
    return {"zh": texts["zh"], "en": texts["en"]}


def _input(moment: datetime) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M:%S")


def _field(colour: str) -> str:
    return colour if colour in {"green", "yellow", "red"} else "unknown"
