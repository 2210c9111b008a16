"""Evaluating people over the stored facts: one picture of the log for worker, preview, pages."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from passlight.core.facts.fact import Fact
from passlight.core.rules.areas import AreaHistory
from passlight.core.rules.schedule import PackSchedule
from passlight.core.status.evaluate import evaluate
from passlight.core.status.freshness import Deliveries, deliveries_of
from passlight.core.status.timeline import Timeline
from passlight.office.facts import queries
from passlight.office.statuses.clusters import Clusters


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
    clusters: Clusters
    deliveries: Deliveries | None

    def evaluate(self, people: Mapping[int, str]) -> dict[int, Timeline | EvaluationFailure]:
        """Return what the rules give for each of ``people`` (ordinal → subject in the log).

        One person's fault stays that person's: the others are evaluated all the same.
        """
        subjects = {member for key in people.values() for member in self.clusters.of(key)}
        versions = _Versions(queries.facts_of(subjects, up_to=self.up_to))
        found: dict[int, Timeline | EvaluationFailure] = {}
        for ordinal, key in people.items():
            members = self.clusters.of(key)
            try:
                found[ordinal] = evaluate(
                    self.schedule,
                    versions.naming(members),
                    areas=self.areas,
                    known_at=self.known_at,
                    subject=key,
                    members=members,
                    deliveries=self.deliveries,
                )
            except Exception as error:  # noqa: BLE001  # whatever it is, it must not stop the others
                found[ordinal] = EvaluationFailure(error=error)
        return found


class LogReader:
    """Reads situations one after another; the area lists are read once and followed."""

    def __init__(self) -> None:
        self._area_facts: list[Fact] = []
        self._areas: tuple[PackSchedule, int, AreaHistory] | None = None

    def situation(
        self, schedule: PackSchedule, *, up_to: int, known_at: datetime | None = None
    ) -> Situation:
        """Return what the log says up to ``up_to``, which never goes down for one reader."""
        deliveries = None
        if any(pack.mandatory for pack in schedule.packs):
            deliveries = deliveries_of(queries.delivery_facts(up_to=up_to))
        return Situation(
            up_to=up_to,
            known_at=known_at,
            schedule=schedule,
            areas=self._history(schedule, up_to),
            clusters=Clusters.known(queries.identity_facts(up_to=up_to), known_at=known_at),
            deliveries=deliveries,
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

    def naming(self, members: Iterable[str]) -> list[Fact]:
        """Return every version of every fact that ever named one of ``members``."""
        fact_ids = {fact_id for member in members for fact_id in self._naming.get(member, ())}
        return [version for fact_id in sorted(fact_ids) for version in self._by_fact[fact_id]]
