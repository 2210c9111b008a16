"""A person's facts as the rules read them: by kind, with the two times of a test result.

A result is *measured* when it was sampled: gaps, ages and ``since`` compare that. It *counts*
from when it was reported: nobody is released before anyone could know (E23, design.md 4).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from zoneinfo import ZoneInfo

from passlight.core.facts.dates import is_dated, releases_at
from passlight.core.facts.fact import Fact
from passlight.core.facts.history import fact_order, in_order
from passlight.core.rules.points import Condition, Filter, Test

#: So many things of one person are looked through as they are: an index costs more than it saves.
FEW = 16
_SAMPLES = frozenset({"lab.result", "lab.sampled"})
# Looked up once: a member of an Enum is found anew each time that it is named.
_IS, _PRESENT, _AT_LEAST = Test.IS, Test.PRESENT, Test.AT_LEAST
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
        told = fact.payload.get("left_at") or fact.payload.get("arrived_at")
        return _instant(told) if told else fact.occurred_at
    return ended


Counted = tuple[datetime, datetime, Fact]
"""When a fact that ends or counts something was measured, from when on it counts, and the fact."""


def _counted(fact: Fact, zone: ZoneInfo) -> Counted:
    measured = counts = fact.occurred_at
    if is_dated(fact):
        measured = counts = releases_at(fact, zone)
    elif fact.kind in _SAMPLES:
        measured = payload_instant(fact, "sampled_at") or counts
        counts = max(counts, measured)
    return measured, counts, fact


def _counting(one: Counted) -> tuple[datetime, datetime, int, str]:
    """Return the order in which facts count; where instants are equal, that of evaluation."""
    return (one[1], *fact_order(one[2]))


def meets(condition: Condition, fact: Fact) -> bool:
    """Return whether the payload meets one condition."""
    value = fact.payload.get(condition.field)
    test = condition.test
    if test is _IS:
        return value in condition.values
    if test is _PRESENT:
        return (value is not None) is condition.values[0]
    if not isinstance(value, int | float):
        return False
    limit: float = condition.values[0]
    return value >= limit if test is _AT_LEAST else value <= limit


_NONE: Sequence[Fact] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """A filter that stands for all that equal it, so that it is found again by being the same."""

    filter: Filter


@lru_cache(maxsize=4096)
def wanted_of(wanted: Filter) -> Wanted:
    """Return the one that stands for a filter."""
    return Wanted(wanted)


class PersonFacts:
    """The current facts of one person under one pack."""

    __slots__ = ("_counted", "by_kind", "zone")

    def __init__(self, facts: Sequence[Fact], *, zone: ZoneInfo) -> None:
        self.zone = zone
        self.by_kind: dict[str, list[Fact]] = {}
        self._counted: dict[Wanted, list[Counted]] = {}
        for fact in facts:
            alike = self.by_kind.get(fact.kind)
            if alike is None:
                self.by_kind[fact.kind] = [fact]
            else:
                alike.append(fact)

    def matching(self, wanted: Filter) -> Sequence[Fact]:
        """Return the facts that pass a filter, in evaluation order."""
        by_kind = self.by_kind
        held = [by_kind[kind] for kind in wanted.kinds if kind in by_kind]
        if not held:
            return _NONE
        found = held[0] if len(held) == 1 else in_order(chain.from_iterable(held))
        for condition in wanted.where:
            found = [fact for fact in found if meets(condition, fact)]
        return found

    def counted(self, wanted: Wanted) -> list[Counted]:
        """Return the facts that pass a filter, in the order in which they count."""
        found = self._counted.get(wanted)
        if found is None:
            found = [_counted(fact, self.zone) for fact in self.matching(wanted.filter)]
            if len(found) > 1:
                found.sort(key=_counting)
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
) -> tuple[Sequence[Fact], tuple[Conflict, ...]]:
    """Return the facts without those that a better source contradicts, and the conflicts.

    A kind that the pack does not rank is left alone: all of its facts count, and the strictest
    measure wins.
    """
    ranked = [fact for fact in facts if fact.kind in rankings and fact.kind in _NATURAL_KEYS]
    if len(ranked) < 2:  # noqa: PLR2004
        return facts, ()
    groups: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in ranked:
        key = fact.payload.get(_NATURAL_KEYS[fact.kind][0])
        if key:
            groups[fact.kind, key].append(fact)
    conflicts: list[Conflict] = []
    dropped: set[str] = set()
    for (kind, key), group in sorted(groups.items(), key=itemgetter(0)):
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
