"""The colours as the product gives them, for any moment and any state of knowledge.

``PersonColours`` asks the evaluator that explains. What was known up to ``known`` decides which
facts are read, so a door that is behind gets what it got. ``answer`` evaluates from nothing each
time; ``colour`` is the quick way of a served book: a person's own steps, kept until a fact of
theirs arrives, and beneath green the state of the sources, which is the same for everyone.
"""

import hashlib
from array import array
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from passlight.core.facts.book import FactBook
from passlight.core.facts.fact import Fact
from passlight.core.kernel.colour import Colour
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.pack import Pack
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import evaluate
from passlight.core.status.freshness import Deliveries, deliveries_of
from passlight.core.status.line import status_line
from passlight.core.status.timeline import Timeline
from passlight.simulation.outbreak.draws import Ints
from passlight.simulation.outbreak.hours import instant, second_of
from passlight.simulation.outbreak.town import Town, person_of, subject_of

NOBODY = -1
_EVER = -(2**62)
_Steps = tuple[tuple[int, ...], tuple[Colour, ...]]


@dataclass(frozen=True, slots=True)
class Answer:
    """One status: the colour, the facts of its measures, and the digest of its exact bytes."""

    colour: Colour
    facts: tuple[str, ...]
    digest: str


class Colours(Protocol):
    """Something that knows facts and answers with colours."""

    def learn(self, facts: Iterable[Fact]) -> None:
        """Take in facts that landed; each counts from its own ``recorded_at`` on."""
        ...

    def colour(self, person: int, at: int, known: int) -> Colour:
        """Return the colour at second ``at`` as known at second ``known``."""
        ...

    def answer(self, person: int, at: int, known: int) -> Answer:
        """Return the same with its reasons and the digest of its line."""
        ...

    def plain(self, at: Ints, known: Ints, *, identified: bool) -> Counter[Colour]:
        """Return how often each colour is the answer for somebody of whom nothing is known."""
        ...


def digest_of(line: bytes, pack: Pack) -> str:
    """Return the digest that a receipt keeps of a status line and of the pack behind it."""
    return hashlib.sha256(pack.hash.encode() + b"\n" + line).hexdigest()[:32]


class PersonColours:
    """Colours by ``core.status``, one person at a time."""

    def __init__(self, pack: Pack, town: Town) -> None:
        self.pack = pack
        self.book = FactBook()
        self._schedule = PackSchedule.only(pack)
        self._visitors = frozenset(town.visitors().tolist())
        # When something about a person, about areas, from a source came to be known, in order.
        self._recorded: dict[int, array[int]] = {}
        self._areas_recorded: list[int] = []
        self._heard: list[int] = []
        self._travelled: set[int] = set()
        self._areas: AreaHistory | None = None
        self._deliveries: Deliveries | None = None
        self._kept: dict[int, tuple[tuple[int, int], _Steps]] = {}

    def learn(self, facts: Iterable[Fact]) -> None:
        """Take in facts that landed."""
        for fact in facts:
            self.book.add(fact)
            second = second_of(fact.recorded_at)
            if fact.about_person:
                self._concerns(fact, second)
            elif fact.kind == "source.delivered":
                insort(self._heard, second)
                self._deliveries = None
            else:
                insort(self._areas_recorded, second)
                self._areas = None

    def _concerns(self, fact: Fact, second: int) -> None:
        """Note whom a fact concerns: its subject, and whom the versions before it named."""
        people = {fact.subject}
        if fact.ver > 1:
            people.update(
                one.subject for one in self.book.versions(people) if one.fact_id == fact.fact_id
            )
        for one in people:
            person = person_of(one)
            insort(self._recorded.setdefault(person, array("q")), second)
            if fact.kind == "travel.arrived":
                self._travelled.add(person)

    def colour(self, person: int, at: int, known: int) -> Colour:
        """Return the colour at second ``at`` as known at second ``known``."""
        own = bisect_right(self._recorded.get(person, ()), known)
        if own == 0:
            return Colour.UNKNOWN if person in self._visitors else self._unmarked(at, known)
        listed = bisect_right(self._areas_recorded, known) if person in self._travelled else 0
        kept = self._kept.get(person)
        if kept is None or kept[0] != (own, listed):
            timeline = self._evaluate(subject_of(person), known, deliveries=None)
            kept = self._kept[person] = ((own, listed), _steps(timeline))
        starts, colours = kept[1]
        found = colours[bisect_right(starts, at) - 1]
        return self._unmarked(at, known) if found is Colour.GREEN else found

    def _unmarked(self, at: int, known: int) -> Colour:
        """Return the colour of an identified person without any fact: green, or nobody knows."""
        heard = (bisect_right(self._heard, known), 0)
        kept = self._kept.get(NOBODY)
        if kept is None or kept[0] != heard:
            timeline = self._evaluate("", known, deliveries=self._delivered())
            kept = self._kept[NOBODY] = (heard, _steps(timeline))
        starts, colours = kept[1]
        return colours[bisect_right(starts, at) - 1]

    def plain(self, at: Ints, known: Ints, *, identified: bool) -> Counter[Colour]:
        """Return how often each colour is the answer for somebody of whom nothing is known."""
        found: Counter[Colour] = Counter()
        if not identified:
            found[Colour.UNKNOWN] = len(at)
            return +found
        heard = np.searchsorted(np.array(self._heard), known, side="right")
        for state in np.unique(heard).tolist():
            own = heard == state
            timeline = self._evaluate("", int(known[own][0]), deliveries=self._delivered())
            starts, colours = _steps(timeline)
            place = np.searchsorted(np.array(starts), at[own], side="right") - 1
            for index, count in enumerate(np.bincount(place, minlength=len(colours)).tolist()):
                found[colours[index]] += count
        return +found

    def answer(self, person: int, at: int, known: int) -> Answer:
        """Return the colour with its reasons and the digest of its line."""
        subject = subject_of(person)
        own = bisect_right(self._recorded.get(person, ()), known)
        timeline = self._evaluate(
            subject,
            known,
            deliveries=self._delivered(),
            identified=own > 0 or person not in self._visitors,
        )
        status = timeline.status(instant(at))
        facts = dict.fromkeys(fact for measure in status.measures for fact in measure.facts)
        return Answer(status.colour, tuple(facts), digest_of(status_line(status), self.pack))

    def _delivered(self) -> Deliveries:
        if self._deliveries is None:
            self._deliveries = deliveries_of(self.book.source_facts)
        return self._deliveries

    def _evaluate(
        self, subject: str, known: int, *, deliveries: Deliveries | None, identified: bool = True
    ) -> Timeline:
        if self._areas is None:
            self._areas = AreaHistory.of(self.book.area_facts, self._schedule.area_codes)
        return evaluate(
            self._schedule,
            self.book.versions([subject]),
            areas=self._areas,
            known_at=instant(known),
            identified=identified,
            subject=subject,
            members=(subject,),
            deliveries=deliveries,
        )


def _steps(timeline: Timeline) -> _Steps:
    """Return the seconds from which on each colour holds, and the colours."""
    segments = timeline.segments()
    starts = tuple(_EVER if one.start is None else second_of(one.start) for one in segments)
    return starts, tuple(one.colour for one in segments)
