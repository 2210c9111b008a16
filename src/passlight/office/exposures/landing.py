"""From what a sweep found to rows, events and facts: the difference is written, and no more.

Done twice is done once: what is stored and equal is left alone, and a fact that says the same
does not land again.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID, uuid5

from passlight.core.exposure.caps import case_place, held_zones
from passlight.core.exposure.exposure import Exposure
from passlight.core.kernel.clock import Clock
from passlight.core.places.venue_code import Presence
from passlight.office.exposures.cases import Tracing
from passlight.office.exposures.ledger import LIVE, SOURCE, Ledger, Outcome
from passlight.office.exposures.models import StoredExposure, TracedCase, VenueBatch
from passlight.office.exposures.states import (
    BatchState,
    Decision,
    ExposureState,
    Reason,
)
from passlight.office.people.models import Person

_BATCHES: Final = UUID("6f1a9a5e-4b0c-5c1d-9b53-9c5c6f7c1e10")
_STATE_OF: Final[Mapping[str, ExposureState]] = {
    BatchState.CLEAR.value: ExposureState.LANDED,
    BatchState.RELEASED.value: ExposureState.LANDED,
    BatchState.HELD.value: ExposureState.HELD,
    BatchState.ASKED.value: ExposureState.HELD,
    BatchState.REFUSED.value: ExposureState.DROPPED,
}


def exposure_id(case: TracedCase, found: Exposure) -> str:
    """Return the id of the fact: the same pair of visits has the same one for ever.

    It stands on the page of whoever was exposed, so it is a digest: neither the case nor the
    place can be read from it.
    """
    visits = f"{found.visit_key}\n{found.case_visit_key}"
    pair = f"{case.fact_id}\n{found.venue}\n{found.zone}\n{visits}"
    return f"{SOURCE}:{hashlib.sha256(pair.encode()).hexdigest()[:32]}"


def reconcile(
    case: TracedCase,
    venue: UUID,
    found: Sequence[Exposure],
    *,
    tracing: Tracing,
    reason: Reason,
    clock: Clock,
    present: Mapping[str, int] | None,
    only: Collection[str] | None = None,
) -> Outcome:
    """Make the rows of a case at a venue say what was found; ``only`` about these people.

    Call it in a transaction. ``present`` is None when only some people were looked at: what
    was known of the crowd stays.
    """
    ledger = Ledger(tracing=tracing, clock=clock, reason=reason.value)
    subjects = _subjects({one.subject for one in found})
    wanted = {exposure_id(case, one): one for one in found if one.subject in subjects}
    batches = {batch.zone: batch for batch in case.batches.filter(venue_id=venue)}
    for zone in sorted({one.zone for one in wanted.values()} - batches.keys()):
        batches[zone] = _new_batch(case, venue, zone)
    rows = StoredExposure.objects.filter(batch__in=list(batches.values()))
    if only is not None:
        rows = rows.filter(visits_key__in=list(only))
    stored = {row.fact_id: row for row in rows}
    for fact_id, row in stored.items():
        if fact_id not in wanted and row.state in LIVE:
            ledger.withdraw(row)
    for fact_id, one in sorted(wanted.items()):
        ledger.keep(fact_id, one, subjects[one.subject], batches[one.zone], stored.get(fact_id))
    ledger.store()
    for batch in batches.values():
        if present is not None:
            batch.present = present.get(batch.zone, 0)
        settle(batch, ledger)
    ledger.land()
    return ledger.outcome


def settle(batch: VenueBatch, ledger: Ledger) -> None:
    """Give a batch its state by the cap, and everything that waits in it the state that follows.

    What has landed stays landed when a crowd follows: nobody turns green because others came.
    """
    batch.state = _state(batch, ledger.tracing)
    if batch.state not in {BatchState.ASKED.value, BatchState.HELD.value}:
        batch.asked_by, batch.asked_at, batch.asked_people = None, None, 0
    batch.save()
    state = _STATE_OF[batch.state]
    others = StoredExposure.objects.filter(batch=batch, state__in=LIVE).exclude(state=state.value)
    if state is ExposureState.HELD:
        others = others.exclude(state=ExposureState.LANDED.value)
    for row in others.order_by("fact_id"):
        ledger.move(row, state)
    ledger.store()


def _state(batch: VenueBatch, tracing: Tracing) -> str:
    if batch.state == BatchState.REFUSED.value:
        return batch.state
    live = StoredExposure.objects.filter(batch=batch, state__in=LIVE)
    if batch.state == BatchState.RELEASED.value:
        released = batch.decisions.filter(what=Decision.RELEASED.value).order_by("-pk").first()
        known = released.people if released is not None else 0
        people = live.values("visits_key").distinct().count()
        more = people > known + tracing.parameters.cap.people_max
        return BatchState.HELD.value if more else batch.state
    if _is_crowd(batch, tracing):
        return batch.state if batch.state == BatchState.ASKED.value else BatchState.HELD.value
    return BatchState.CLEAR.value


def _is_crowd(batch: VenueBatch, tracing: Tracing) -> bool:
    """Return whether the batch is over the cap, by the definition; it counts people alone."""
    cap = tracing.parameters.cap
    live = StoredExposure.objects.filter(batch=batch, state__in=LIVE)
    # One more than the cap is over it; a stadium is not read to know that.
    rows = live.order_by("visits_key").distinct("visits_key")[: cap.people_max + 1]
    found = [core_exposure(row, batch) for row in rows]
    present = {case_place(one): max(batch.present, len(found)) for one in found[:1]}
    return bool(held_zones(found, present=present, cap=cap))


def core_exposure(row: StoredExposure, batch: VenueBatch) -> Exposure:
    """Return a stored exposure as the definition reads it; its visits are named by its id."""
    return Exposure(
        case_id=batch.case.fact_id,
        subject=row.visits_key,
        venue=str(batch.venue_id),
        zone=batch.zone,
        visit_key=row.fact_id,
        case_visit_key="",
        since=row.start,
        until=row.end,
        minutes=row.minutes,
        direct_minutes=row.direct_minutes,
        certain_minutes=row.minutes,
        presence=Presence.STRONG,
        imputed=row.imputed,
    )


def _subjects(keys: Collection[str]) -> dict[str, str]:
    people = Person.objects.filter(visits_key__in=list(keys))
    return dict(people.values_list("visits_key", "facts_key"))


def _new_batch(case: TracedCase, venue: UUID, zone: str) -> VenueBatch:
    return VenueBatch(
        id=uuid5(_BATCHES, f"{case.fact_id}\n{venue}\n{zone}"),
        case=case,
        venue_id=venue,
        zone=zone,
        state=BatchState.CLEAR.value,
    )
