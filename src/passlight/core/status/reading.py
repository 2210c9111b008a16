"""A person's facts as the rules read them: by kind, with the two times of a test result.

A result is *measured* when it was sampled: gaps, ages and ``since`` compare that. It *counts*
from when it was reported: nobody is released before anyone could know (E23, design.md 4).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from passlight.core.facts.dates import is_dated, releases_at
from passlight.core.facts.fact import Fact
from passlight.core.facts.history import fact_order
from passlight.core.rules.points import Condition, Filter, Test

_SAMPLES = frozenset({"lab.result", "lab.sampled"})
# Facts of these kinds speak of the same thing when the key is equal, and contradict each other
# when the value differs (field/08 1.6).
_NATURAL_KEYS = {"lab.result": ("sample_id", "value"), "order.started": ("order_id", "type")}


@lru_cache(maxsize=65536)
def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def payload_instant(fact: Fact, key: str) -> datetime | None:
    """Return the time in a payload field, or None when there is none."""
    value = fact.payload.get(key)
    return _instant(value) if value else None


def left_at(fact: Fact, *, ended: datetime | None) -> datetime | None:
    """Return when a traveller or guest, whose stay ``ended`` then, left; None while inside."""
    if fact.kind == "travel.arrived":
        return (
            payload_instant(fact, "left_at")
            or payload_instant(fact, "arrived_at")
            or fact.occurred_at
        )
    return ended


@dataclass(frozen=True, slots=True)
class Counted:
    """A fact that ends or counts something."""

    measured: datetime
    counts: datetime
    fact: Fact


def _counted(fact: Fact, zone: ZoneInfo) -> Counted:
    if is_dated(fact):
        end = releases_at(fact, zone)
        return Counted(end, end, fact)
    if fact.kind in _SAMPLES:
        measured = payload_instant(fact, "sampled_at") or fact.occurred_at
        return Counted(measured, max(measured, fact.occurred_at), fact)
    return Counted(fact.occurred_at, fact.occurred_at, fact)


def meets(condition: Condition, fact: Fact) -> bool:
    """Return whether the payload meets one condition."""
    value = fact.payload.get(condition.field)
    if condition.test is Test.PRESENT:
        return (value is not None) is condition.values[0]
    if condition.test is Test.IS:
        return value in condition.values
    if not isinstance(value, int | float):
        return False
    limit: float = condition.values[0]
    return value >= limit if condition.test is Test.AT_LEAST else value <= limit


class PersonFacts:
    """The current facts of one person under one pack."""

    __slots__ = ("_by_kind", "_counted", "zone")

    def __init__(self, facts: Iterable[Fact], *, zone: ZoneInfo) -> None:
        self.zone = zone
        self._by_kind: dict[str, list[Fact]] = defaultdict(list)
        self._counted: dict[Filter, list[Counted]] = {}
        for fact in facts:
            self._by_kind[fact.kind].append(fact)

    def has(self, kinds: tuple[str, ...]) -> bool:
        """Return whether there is a fact of one of these kinds at all."""
        return any(kind in self._by_kind for kind in kinds)

    def matching(self, wanted: Filter) -> list[Fact]:
        """Return the facts that pass a filter, in evaluation order."""
        if len(wanted.kinds) == 1:
            found = self._by_kind.get(wanted.kinds[0], [])
        else:
            found = [fact for kind in wanted.kinds for fact in self._by_kind.get(kind, ())]
            found.sort(key=fact_order)
        if wanted.where:
            found = [fact for fact in found if all(meets(one, fact) for one in wanted.where)]
        return found

    def counted(self, wanted: Filter) -> list[Counted]:
        """Return the facts that pass a filter, in the order in which they count."""
        found = self._counted.get(wanted)
        if found is None:
            found = [_counted(fact, self.zone) for fact in self.matching(wanted)]
            found.sort(key=lambda one: (one.counts, *fact_order(one.fact)))
            self._counted[wanted] = found
        return found


@dataclass(frozen=True, slots=True)
class Conflict:
    """Facts that contradict each other about one thing; all stay visible, ``kept`` counts."""

    kind: str
    key: str
    kept: tuple[str, ...]
    set_aside: tuple[str, ...]


def settle(
    facts: Sequence[Fact], rankings: Mapping[str, tuple[str, ...]]
) -> tuple[list[Fact], tuple[Conflict, ...]]:
    """Return the facts without those that a better source contradicts, and the conflicts.

    A kind that the pack does not rank is left alone: all of its facts count, and the strictest
    measure wins.
    """
    groups: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.kind in rankings and fact.kind in _NATURAL_KEYS:
            key = fact.payload.get(_NATURAL_KEYS[fact.kind][0])
            if key:
                groups[fact.kind, key].append(fact)
    conflicts: list[Conflict] = []
    dropped: set[str] = set()
    for (kind, key), group in sorted(groups.items()):
        field = _NATURAL_KEYS[kind][1]
        if len({str(fact.payload.get(field)) for fact in group}) < 2:  # noqa: PLR2004
            continue
        ranks = {fact.fact_id: _rank(fact.source, rankings[kind]) for fact in group}
        best = min(ranks.values())
        kept = tuple(fact_id for fact_id, rank in ranks.items() if rank == best)
        aside = tuple(fact_id for fact_id, rank in ranks.items() if rank != best)
        dropped.update(aside)
        conflicts.append(Conflict(kind, key, kept, aside))
    return [fact for fact in facts if fact.fact_id not in dropped], tuple(conflicts)


def _rank(source: str, ranking: tuple[str, ...]) -> int:
    return ranking.index(source) if source in ranking else len(ranking)
