"""Freshness of mandatory sources: without their deliveries nobody is vouched green (E47)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from passlight.core.facts.fact import SOURCE_PREFIX, Fact
from passlight.core.kernel.calendar import add
from passlight.core.kernel.interval import Interval
from passlight.core.rules.pack import MandatorySource, Pack

Deliveries = Mapping[str, Sequence[datetime]]
"""When each source delivered, in order."""


def deliveries_of(facts: Iterable[Fact]) -> dict[str, list[datetime]]:
    """Return the deliveries that ``source.delivered`` facts tell, each from when we had it."""
    found: dict[str, list[datetime]] = defaultdict(list)
    for fact in facts:
        if fact.kind == "source.delivered":
            found[fact.subject.removeprefix(SOURCE_PREFIX)].append(fact.recorded_at)
    return {source: sorted(times) for source, times in found.items()}


def stale_intervals(
    pack: Pack, deliveries: Deliveries, *, known_at: datetime | None
) -> tuple[tuple[MandatorySource, tuple[Interval, ...]], ...]:
    """Return when each mandatory source of the pack had been silent for too long."""
    return tuple(
        (source, tuple(_silences(source, pack, deliveries.get(source.source, ()), known_at)))
        for source in pack.mandatory
    )


def _silences(
    source: MandatorySource, pack: Pack, times: Sequence[datetime], known_at: datetime | None
) -> Iterable[Interval]:
    heard = [time for time in times if known_at is None or time <= known_at]
    silent_from: datetime | None = None
    for index, time in enumerate(heard):
        if index == 0 or (silent_from is not None and silent_from < time):
            yield Interval(silent_from, time)
        silent_from = add(time, source.within, zone=pack.zone)
    yield Interval(silent_from, None)
