"""What a set of fact versions says as of one moment of knowledge.

The result depends on the *set* alone, never on the order or the batches in which it came
(E12, E14, E50).
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import pairwise
from operator import attrgetter

from passlight.core.facts.fact import Fact, Op
from passlight.core.facts.kinds import kind_rank

_ASSERT = Op.ASSERT
_OCCURRED = attrgetter("occurred_at")


def fact_order(fact: Fact) -> tuple[datetime, int, str]:
    """Return the sort key in which evaluation reads facts (field/08 1.6)."""
    return (fact.occurred_at, kind_rank(fact.kind), fact.fact_id)


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """Return the facts in the order of ``fact_order``, which decides where instants are equal."""
    ordered = sorted(facts, key=_OCCURRED)
    for one, other in pairwise(ordered):
        if one.occurred_at == other.occurred_at:
            ordered.sort(key=fact_order)
            break
    return ordered


def known_from(facts: Iterable[Fact]) -> dict[tuple[str, int], Fact]:
    """Return the first delivery of every version; a delivery twice is one version (E12).

    Two different contents under one (fact_id, ver) are a sender's error that intake reports;
    here the earlier recorded stands, and between equals the one that reads smaller, so that
    no order of arrival can matter.
    """
    versions: dict[tuple[str, int], Fact] = {}
    for fact in facts:
        key = (fact.fact_id, fact.ver)
        held = versions.get(key)
        if held is None or _stands_before(fact, held):
            versions[key] = fact
    return versions


def _stands_before(fact: Fact, held: Fact) -> bool:
    if fact.recorded_at != held.recorded_at:
        return fact.recorded_at < held.recorded_at
    return not fact.same_content(held) and _reading(fact) < _reading(held)


def _reading(fact: Fact) -> tuple[str, ...]:
    return (
        fact.op,
        fact.kind,
        fact.subject,
        fact.occurred_at.isoformat(),
        str(fact.occurred_until),
        fact.source,
        repr(sorted(fact.payload.items(), key=lambda item: item[0])),
    )


def current_facts(facts: Iterable[Fact], *, known_at: datetime | None) -> list[Fact]:
    """Return the facts in force as known at ``known_at``, in evaluation order.

    ``None`` means that everything is known. The highest version recorded by then holds;
    a retraction leaves nothing.
    """
    versions: Collection[Fact] = list(facts)
    if len({fact.fact_id for fact in versions}) < len(versions):
        versions = _latest(versions, known_at=known_at)
    return in_order(
        [
            fact
            for fact in versions
            if fact.op is _ASSERT and (known_at is None or fact.recorded_at <= known_at)
        ]
    )


def _latest(facts: Iterable[Fact], *, known_at: datetime | None) -> Collection[Fact]:
    """Return the highest version of each fact that was recorded by then."""
    latest: dict[str, Fact] = {}
    for fact in known_from(facts).values():
        if known_at is not None and fact.recorded_at > known_at:
            continue
        held = latest.get(fact.fact_id)
        if held is None or fact.ver > held.ver:
            latest[fact.fact_id] = fact
    return latest.values()


def versions_of_kinds(facts: Iterable[Fact], kinds: Collection[str]) -> list[Fact]:
    """Return every version of each fact that ever was of one of ``kinds``, in the order given.

    A later version may be of another kind, or withdraw the fact under another kind and subject:
    whoever reads by kind alone would go on believing what has been taken back.
    """
    held = list(facts)
    ever = {fact.fact_id for fact in held if fact.kind in kinds}
    return [fact for fact in held if fact.fact_id in ever]
