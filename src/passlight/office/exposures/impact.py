"""What other parameters would change: everything is found again, and no row is written."""

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

from passlight.core.exposure.caps import held_zones
from passlight.core.exposure.exposure import Exposure
from passlight.core.exposure.window import CaseWindow
from passlight.office.exposures.cases import Tracing, core_window, read_person, windows_of
from passlight.office.exposures.ledger import LIVE
from passlight.office.exposures.models import StoredExposure, TracedCase, VenueBatch
from passlight.office.exposures.states import BatchState, CaseState, Origin
from passlight.office.exposures.sweeping import sweep_windows

#: The newest cases that an impact is counted over; a setting.
CASES_COUNTED: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """People found by now and by the other parameters, over the newest cases."""

    cases: int
    of_cases: int
    before: int
    after: int
    more: int
    fewer: int
    held_before: int
    held_after: int


def impact(tracing: Tracing) -> dict[str, int]:
    """Return how many people the parameters of ``tracing`` would find, beside those found now."""
    active = TracedCase.objects.filter(state=CaseState.ACTIVE.value)
    cases = list(active.order_by("-known_at", "-pk")[:CASES_COUNTED])
    found_now = StoredExposure.objects.filter(batch__case__in=cases, state__in=LIVE)
    now = {(int(pk), key) for pk, key in found_now.values_list("batch__case_id", "visits_key")}
    would: set[tuple[int, str]] = set()
    held = 0
    for case in cases:
        found, crowds = _found(case, tracing)
        would |= {(case.pk, one.subject) for one in found}
        held += crowds
    waiting = VenueBatch.objects.filter(
        case__in=cases, state__in=[BatchState.HELD.value, BatchState.ASKED.value]
    )
    counted = Impact(
        cases=len(cases),
        of_cases=active.count(),
        before=len(now),
        after=len(would),
        more=len(would - now),
        fewer=len(now - would),
        held_before=waiting.count(),
        held_after=held,
    )
    return asdict(counted)


def _found(case: TracedCase, tracing: Tracing) -> tuple[list[Exposure], int]:
    by_venue: dict[UUID, list[CaseWindow]] = defaultdict(list)
    apart = {*case.own_keys, *case.household_keys}
    for window in _windows(case, tracing):
        by_venue[UUID(window.venue)].append(window)
    found: list[Exposure] = []
    crowds = 0
    for venue, windows in sorted(by_venue.items()):
        swept = sweep_windows(windows, venue, apart=apart, tracing=tracing)
        found.extend(swept.found)
        present = {(case.fact_id, str(venue), zone): count for zone, count in swept.present.items()}
        crowds += len(held_zones(swept.found, present=present, cap=tracing.parameters.cap))
    return found, crowds


def _windows(case: TracedCase, tracing: Tracing) -> list[CaseWindow]:
    if case.origin == Origin.FOREIGN.value:
        return [core_window(row, case) for row in case.windows.all()]
    person = read_person(case.subject, tracing)
    reading = next((one for one in person.readings if one.fact_id == case.fact_id), None)
    if reading is None:
        return []
    return windows_of(case.fact_id, person.circle.own_keys, reading.infectious, tracing)
