"""Evaluating people over the stored facts: one picture of the log for worker, preview, pages."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from passlight.core.facts.fact import Fact
from passlight.core.facts.history import current_facts
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import Timeline, evaluate
from passlight.office.facts import queries
from passlight.office.statuses.clusters import Clusters


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What the rules give for one person, and the facts they were given."""

    timeline: Timeline
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationFailure:
    """A person whose evaluation raised: never a colour, always a task."""

    error: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the log says up to ``up_to`` apart from the people: areas, and who is whom."""

    up_to: int
    known_at: datetime | None
    schedule: PackSchedule
    areas: AreaHistory
    clusters: Clusters

    def evaluate(self, people: Mapping[int, str]) -> dict[int, Evaluation | EvaluationFailure]:
        """Return what the rules give for each of ``people`` (ordinal → subject in the log).

        One person's fault stays that person's: the others are evaluated all the same.
        """
        subjects = {member for key in people.values() for member in self.clusters.of(key)}
        versions = _Versions(queries.facts_of(subjects, up_to=self.up_to))
        found: dict[int, Evaluation | EvaluationFailure] = {}
        for ordinal, key in people.items():
            try:
                found[ordinal] = self._one(versions.of(self.clusters.of(key), self.known_at))
            except Exception as error:  # noqa: BLE001  # whatever it is, it must not stop the others
                found[ordinal] = EvaluationFailure(error=error)
        return found

    def _one(self, facts: Sequence[Fact]) -> Evaluation:
        timeline = evaluate(self.schedule, facts, areas=self.areas, known_at=self.known_at)
        return Evaluation(timeline=timeline, facts=tuple(facts))


class LogReader:
    """Reads situations one after another; the area lists are read once and followed."""

    def __init__(self) -> None:
        self._area_facts: list[Fact] = []
        self._areas: tuple[PackSchedule, int, AreaHistory] | None = None

    def situation(
        self, schedule: PackSchedule, *, up_to: int, known_at: datetime | None = None
    ) -> Situation:
        """Return what the log says up to ``up_to``, which never goes down for one reader."""
        return Situation(
            up_to=up_to,
            known_at=known_at,
            schedule=schedule,
            areas=self._history(schedule, up_to),
            clusters=Clusters.known(queries.identity_facts(up_to=up_to), known_at=known_at),
        )

    def _history(self, schedule: PackSchedule, up_to: int) -> AreaHistory:
        after = self._area_facts[-1].seq if self._area_facts else 0
        assert after is not None, "facts of the log have numbers"
        self._area_facts += queries.area_facts(after=after, up_to=up_to)
        known = len(self._area_facts)
        if self._areas is None or self._areas[0] is not schedule or self._areas[1] != known:
            history = AreaHistory.of(self._area_facts, schedule.area_codes)
            self._areas = (schedule, known, history)
        return self._areas[2]


class _Versions:
    """Versions by fact, and the facts that ever named a subject."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._by_fact: dict[str, list[Fact]] = defaultdict(list)
        self._naming: dict[str, set[str]] = defaultdict(set)
        for fact in facts:
            self._by_fact[fact.fact_id].append(fact)
            self._naming[fact.subject].add(fact.fact_id)

    def of(self, cluster: Iterable[str], known_at: datetime | None) -> list[Fact]:
        """Return every version of the facts that are about the cluster as known then.

        A fact that a correction has moved to somebody else is left out with all its versions.
        """
        members = frozenset(cluster)
        found: list[Fact] = []
        for fact_id in sorted({name for member in members for name in self._naming[member]}):
            versions = self._by_fact[fact_id]
            latest = current_facts(versions, known_at=known_at)
            if not latest or latest[0].subject in members:
                found.extend(versions)
        return found
