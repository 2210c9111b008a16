"""Whom tracing tells: a batch that waits, people found, and people found no more (E36).

No name, no case and no number of a person: a place and a count. A withdrawal goes to whoever was
told of the batch, whoever is in charge by then.
"""

from collections.abc import Iterable
from uuid import UUID

from passlight.core.kernel.clock import Clock
from passlight.office.accounts.models import Role, Unit
from passlight.office.exposures.ledger import Outcome
from passlight.office.exposures.models import VenueBatch
from passlight.office.exposures.states import BatchState
from passlight.office.notices.actions import notify
from passlight.office.notices.recipients import RoleHolder
from passlight.office.venues.models import Venue


def tell_outcome(outcome: Outcome, waiting: Iterable[VenueBatch], *, clock: Clock) -> None:
    """Write the notices of one reconciliation into its transaction."""
    for pk, count in sorted(outcome.landed.items(), key=lambda item: str(item[0])):
        _tell(pk, "messages.exposure_landed", clock=clock, count=count)
    for pk, count in sorted(outcome.withdrawn.items(), key=lambda item: str(item[0])):
        _tell_again(pk, "messages.exposure_withdrawn", clock=clock, count=count)
    for batch in waiting:
        people = batch.exposures.values("visits_key").distinct().count()
        _tell(batch.pk, "messages.exposure_held", clock=clock, count=people)


def newly_held(before: dict[UUID, str], batches: Iterable[VenueBatch]) -> list[VenueBatch]:
    """Return the batches that wait for an officer and did not before."""
    return [
        batch
        for batch in batches
        if batch.state == BatchState.HELD.value
        and before.get(batch.pk) not in {BatchState.HELD.value, BatchState.ASKED.value}
    ]


def _tell(pk: UUID, code: str, *, clock: Clock, count: int) -> None:
    batch = VenueBatch.objects.select_for_update().get(pk=pk)
    venue = Venue.objects.select_related("unit").filter(pk=batch.venue_id).first()
    if venue is None:
        return
    posts = [RoleHolder(unit=unit, role=role) for unit, role in _chain(venue.unit)]
    known = {tuple(one) for one in batch.told}
    batch.told = sorted(known | {(post.unit.pk, post.role.value) for post in posts})
    batch.save(update_fields=["told"])
    notify(posts, code, {"hall": _named(venue), "count": count}, clock=clock)


def _tell_again(pk: UUID, code: str, *, clock: Clock, count: int) -> None:
    batch = VenueBatch.objects.get(pk=pk)
    venue = Venue.objects.filter(pk=batch.venue_id).first()
    if venue is None:
        return
    units = Unit.objects.in_bulk([unit for unit, _ in batch.told])
    posts = [
        RoleHolder(unit=units[unit], role=Role(role)) for unit, role in batch.told if unit in units
    ]
    notify(posts, code, {"hall": _named(venue), "count": count}, clock=clock)


def _chain(unit: Unit) -> list[tuple[Unit, Role]]:
    """Return the venue's own street office and the district office above it."""
    above = [int(pk) for pk in unit.path.strip("/").split("/")]
    district = Unit.objects.filter(pk=above[0]).first()
    found = [(unit, Role.STREET_OFFICE)]
    if district is not None:
        found.append((district, Role.DISTRICT_OFFICE))
    return found


def _named(venue: Venue) -> dict[str, str]:
    return {"zh": venue.name, "en": venue.name_en}
