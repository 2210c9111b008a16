"""Evaluating people over the stored facts: one picture of the log for worker, preview, pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from passlight.core.facts.book import FactBook
from passlight.core.facts.identity import clusters
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import evaluate
from passlight.core.status.freshness import Deliveries
from passlight.core.status.timeline import Timeline
from passlight.office.facts import queries
from passlight.office.statuses.shared import SharedFacts, deliveries_asked


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationFailure:
    """A person whose evaluation raised: never a colour, always a task."""

    error: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the log says up to ``up_to`` apart from the people: areas, who is whom, deliveries."""

    up_to: int
    known_at: datetime | None
    schedule: PackSchedule
    areas: AreaHistory
    clusters: Mapping[str, frozenset[str]]
    deliveries: Deliveries | None

    def evaluate(self, people: Mapping[int, str]) -> dict[int, Timeline | EvaluationFailure]:
        """Return what the rules give for each of ``people`` (ordinal → subject in the log).

        One person's fault stays that person's: the others are evaluated all the same.
        """
        members = {ordinal: self.members(key) for ordinal, key in people.items()}
        book = FactBook()
        for fact in queries.facts_of(frozenset().union(*members.values()), up_to=self.up_to):
            book.add(fact)
        found: dict[int, Timeline | EvaluationFailure] = {}
        for ordinal, key in people.items():
            try:
                found[ordinal] = evaluate(
                    self.schedule,
                    book.versions(sorted(members[ordinal])),
                    areas=self.areas,
                    known_at=self.known_at,
                    subject=key,
                    members=members[ordinal],
                    deliveries=self.deliveries,
                )
            except Exception as error:  # noqa: BLE001  # whatever it is, it must not stop the others
                found[ordinal] = EvaluationFailure(error=error)
        return found

    def members(self, subject: str) -> frozenset[str]:
        """Return who is the same person as ``subject``, itself included."""
        return self.clusters.get(subject, frozenset((subject,)))


class LogReader:
    """Reads situations one after another; what concerns many is read once and followed."""

    def __init__(self) -> None:
        self.shared = SharedFacts()

    def situation_for(
        self, subject: str, schedule: PackSchedule, *, up_to: int, known_at: datetime
    ) -> Situation:
        """Return the situation of one person; the area lists only where a fact names an area."""
        linked = clusters(queries.identity_facts(up_to=up_to), known_at=known_at)
        if queries.name_areas(linked.get(subject, {subject})):
            return self.situation(schedule, up_to=up_to, known_at=known_at)
        return Situation(
            up_to=up_to,
            known_at=known_at,
            schedule=schedule,
            areas=AreaHistory.of(()),
            clusters=linked,
            deliveries=deliveries_asked(schedule, lambda: queries.delivery_facts(up_to=up_to)),
        )

    def situation(
        self, schedule: PackSchedule, *, up_to: int, known_at: datetime | None = None
    ) -> Situation:
        """Return what the log says up to ``up_to``, which never goes down for one reader.

        Its clusters are those of now, and follow the reader, unless ``known_at`` is given.
        """
        self.shared.read(up_to)
        shared = self.shared
        linked = shared.clusters if known_at is None else shared.clusters_known_at(known_at)
        return Situation(
            up_to=up_to,
            known_at=known_at,
            schedule=schedule,
            areas=shared.areas(schedule),
            clusters=linked,
            deliveries=shared.deliveries(schedule),
        )
