"""What officers decide on a batch: release by two people, refuse, look again.

Each is one transaction under the lock of tracing, with the facts that follow from it. Nobody
decides on a person: a batch is one case in one zone, released or refused as a whole.
"""

from uuid import UUID

from django.db import transaction

from passlight.core.kernel.clock import Clock
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import allowed
from passlight.office.exposures.following import begin
from passlight.office.exposures.landing import settle
from passlight.office.exposures.ledger import LIVE, Ledger
from passlight.office.exposures.models import BatchDecision, StoredExposure, VenueBatch
from passlight.office.exposures.refusing import refused
from passlight.office.exposures.states import BatchState, Decision, Reason
from passlight.office.exposures.telling import tell_outcome
from passlight.office.venues.models import Venue


def ask_release(batch: UUID, *, seen: int, reason: str, actor: User, clock: Clock) -> VenueBatch:
    """Ask for a release of what waits; somebody else gives it.

    Raises:
        ProblemError: when it is not the actor's, waits no more, or is not what they saw.
    """
    with transaction.atomic():
        begin(clock)
        held = _held(batch, actor, {BatchState.HELD}, seen)
        held.state = BatchState.ASKED.value
        held.asked_by, held.asked_at, held.asked_people = actor, clock.now(), seen
        held.save()
        _decide(held, Decision.ASKED, seen, actor, reason, clock)
        return held


def release(batch: UUID, *, seen: int, actor: User, clock: Clock) -> VenueBatch:
    """Release a batch that somebody else asked for: its exposures land (design.md 7).

    Raises:
        ProblemError: when the actor is no second person, or it is not what they saw.
    """
    with transaction.atomic():
        tracing = begin(clock)
        held = _held(batch, actor, {BatchState.ASKED}, seen)
        assert held.asked_by is not None
        if not actor.is_second_person(held.asked_by):
            raise refused("one-person", "Somebody else releases what you asked for.")
        _decide(held, Decision.RELEASED, seen, actor, "", clock)
        held.state = BatchState.RELEASED.value
        held.save()
        ledger = Ledger(tracing=tracing, clock=clock, reason=Reason.CASE.value)
        settle(held, ledger)
        ledger.land()
        tell_outcome(ledger.outcome, [], clock=clock)
        return held


def refuse(batch: UUID, *, reason: str, actor: User, clock: Clock) -> VenueBatch:
    """Drop a batch, whatever of it has landed; what is found there later is dropped as well.

    Raises:
        ProblemError: when it is not the actor's, is refused already, or no reason is given.
    """
    if not reason.strip():
        raise refused("no-reason", "Say why it is refused.", field="reason")
    with transaction.atomic():
        tracing = begin(clock)
        states = set(BatchState) - {BatchState.REFUSED}
        held = _held(batch, actor, states, None)
        _decide(held, Decision.REFUSED, people_in(held), actor, reason, clock)
        held.state = BatchState.REFUSED.value
        held.save()
        ledger = Ledger(tracing=tracing, clock=clock, reason=reason)
        settle(held, ledger)
        ledger.land()
        tell_outcome(ledger.outcome, [], clock=clock)
        return held


def reopen(batch: UUID, *, reason: str, actor: User, clock: Clock) -> VenueBatch:
    """Take a refusal back: the batch stands as the cap says.

    Raises:
        ProblemError: when it is not the actor's, was not refused, or no reason is given.
    """
    if not reason.strip():
        raise refused("no-reason", "Say why it is opened again.", field="reason")
    with transaction.atomic():
        tracing = begin(clock)
        held = _held(batch, actor, {BatchState.REFUSED}, None)
        _decide(held, Decision.REOPENED, people_in(held), actor, reason, clock)
        held.state = BatchState.HELD.value
        ledger = Ledger(tracing=tracing, clock=clock, reason=reason)
        settle(held, ledger)
        ledger.land()
        tell_outcome(ledger.outcome, [], clock=clock)
        return held


def people_in(batch: VenueBatch) -> int:
    """Return how many people a batch is about now."""
    live = StoredExposure.objects.filter(batch=batch, state__in=LIVE)
    return live.values("visits_key").distinct().count()


def _held(batch: UUID, actor: User, states: set[BatchState], seen: int | None) -> VenueBatch:
    held = VenueBatch.objects.select_for_update(of=("self",)).select_related("case").get(pk=batch)
    venue = Venue.objects.select_related("unit").get(pk=held.venue_id)
    if not allowed(actor, "exposures.release", venue.unit):
        raise refused("not-yours", "Somebody else decides on this venue.")
    if BatchState(held.state) not in states:
        raise refused("state", "Somebody has decided on this batch meanwhile.")
    if seen is not None and seen != people_in(held):
        raise refused(
            "changed",
            "More or fewer people are found by now; look again.",
            people=str(people_in(held)),
        )
    return held


def _decide(
    batch: VenueBatch, what: Decision, people: int, actor: User, reason: str, clock: Clock
) -> None:
    BatchDecision.objects.create(
        batch=batch, what=what.value, by=actor, at=clock.now(), people=people, reason=reason[:300]
    )
