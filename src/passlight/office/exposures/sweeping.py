"""Sweeping a venue for a case: everybody whose visit shared its windows, by the definition."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from passlight.core.exposure.exposure import Exposure, exposures_of
from passlight.core.exposure.parameters import TracingParameters
from passlight.core.exposure.window import CaseWindow
from passlight.core.kernel.interval import Interval, merge
from passlight.office.exposures.cases import Tracing, core_window
from passlight.office.exposures.models import TracedCase
from passlight.office.exposures.states import CaseState
from passlight.office.exposures.visits import Places, in_parts, visits_of_people, who_came


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep found: exposures that count, who was there by zone, and when to look again.

    An exposure counts when its shortest part has passed, not before: nobody is coloured for
    minutes that lie in the future. ``again_at`` is when the next one is due.
    """

    found: tuple[Exposure, ...]
    present: dict[str, int]
    again_at: datetime | None


def sweep(
    case: TracedCase,
    venue: UUID,
    *,
    tracing: Tracing,
    only: Collection[str] | None = None,
) -> Swept:
    """Return what a case left behind at a venue; ``only`` looks at these people alone."""
    stored = case.windows.filter(venue_id=venue) if case.state == CaseState.ACTIVE.value else ()
    windows = [core_window(row, case) for row in stored]
    apart = {*case.own_keys, *case.household_keys}
    return sweep_windows(windows, venue, apart=apart, tracing=tracing, only=only)


def sweep_windows(
    windows: list[CaseWindow],
    venue: UUID,
    *,
    apart: Collection[str],
    tracing: Tracing,
    only: Collection[str] | None = None,
) -> Swept:
    """Return what these windows of one case at one venue left behind; nobody of ``apart``."""
    if not windows:
        return Swept(found=(), present={}, again_at=None)
    parameters, places, now = tracing.parameters, tracing.places, tracing.now
    places.learn([venue])
    spans = merge(Interval(window.since, window.until) for window in windows)
    who = set(only) if only is not None else who_came(venue, spans, parameters=parameters)
    found: list[Exposure] = []
    present: dict[str, set[str]] = {}
    for part in in_parts(who - set(apart)):
        for one in _exposures(windows, part, spans, places=places, parameters=parameters):
            present.setdefault(one.zone, set()).add(one.subject)
            if one.counts(parameters):
                found.append(one)
    shortest = timedelta(minutes=parameters.minutes_min)
    ready = [one for one in found if one.since + shortest <= now]
    waiting = [one.since + shortest for one in found if one.since + shortest > now]
    return Swept(
        found=tuple(ready),
        present={zone: len(people) for zone, people in present.items()},
        again_at=min(waiting, default=None),
    )


def _exposures(
    windows: list[CaseWindow],
    people: list[str],
    spans: list[Interval],
    *,
    places: Places,
    parameters: TracingParameters,
) -> Iterable[Exposure]:
    """Return every shared stretch, however short: who was there counts for the cap."""
    visits = {
        visit.key: visit
        for span in spans
        for visit in visits_of_people(people, span, places=places, parameters=parameters)
    }
    return exposures_of(windows, visits.values(), minutes_min=0)
