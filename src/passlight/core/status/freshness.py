"""Freshness of mandatory sources: without their deliveries nobody is vouched green (E47)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from passlight.core.facts.fact import SOURCE_PREFIX, Fact, Op
from passlight.core.facts.history import known_from
from passlight.core.kernel.calendar import add
from passlight.core.kernel.interval import Interval
from passlight.core.rules.pack import MandatorySource, Pack

Deliveries = Mapping[str, Sequence[Interval]]
"""The deliveries of each source, in order: known from when we had one until it was withdrawn."""


def deliveries_of(facts: Iterable[Fact]) -> dict[str, list[Interval]]:
    """Return the deliveries that ``source.delivered`` facts tell, each from when we had it.

    One that a later version takes back, or says of another source, is none from then on; a later
    version that says the same again leaves it.
    """
    held: dict[str, list[Fact]] = defaultdict(list)
    for fact in known_from(facts).values():
        held[fact.fact_id].append(fact)
    found: dict[str, list[Interval]] = defaultdict(list)
    for versions in held.values():
        for fact in filter(_delivers, versions):
            withdrawn = (
                other.recorded_at
                for other in versions
                if other.ver > fact.ver and not (_delivers(other) and other.subject == fact.subject)
            )
            known = Interval(fact.recorded_at, min(withdrawn, default=None))
            if not known.empty:
                found[fact.subject.removeprefix(SOURCE_PREFIX)].append(known)
    return {source: sorted(told, key=_start) for source, told in found.items()}


def _delivers(fact: Fact) -> bool:
    about_source = fact.subject.startswith(SOURCE_PREFIX)
    return fact.op is Op.ASSERT and fact.kind == "source.delivered" and about_source


def _start(known: Interval) -> datetime:
    assert known.start is not None, "a delivery has come at some time"
    return known.start


def stale_intervals(
    pack: Pack, deliveries: Deliveries, *, known_at: datetime | None
) -> tuple[tuple[MandatorySource, tuple[Interval, ...]], ...]:
    """Return when each mandatory source of the pack had been silent for too long."""
    return tuple(
        (source, tuple(_silences(source, pack, deliveries.get(source.source, ()), known_at)))
        for source in pack.mandatory
    )


def _silences(
    source: MandatorySource, pack: Pack, told: Sequence[Interval], known_at: datetime | None
) -> Iterable[Interval]:
    heard = [
        _start(known)
        for known in told
        if (known.end is None if known_at is None else known.covers(known_at))
    ]
    silent_from: datetime | None = None
    for index, time in enumerate(heard):
        if index == 0 or (silent_from is not None and silent_from < time):
            yield Interval(silent_from, time)
        silent_from = add(time, source.within, zone=pack.zone)
    yield Interval(silent_from, None)
