"""The follower of tracing: facts make and change cases, records make and change visits.

One turn takes the log of facts from where it stood, the records that have arrived, and the
sweeps that are due. Each piece is one transaction with the position it moves: killed anywhere,
it goes on there, and done twice is done once. One follower at a time holds ``TRACE_LOCK``.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Q

from passlight.core.exposure.parameters import TracingParameters
from passlight.core.kernel.clock import Clock
from passlight.office.exposures.cases import Tracing, ask_sweeps, refresh_person
from passlight.office.exposures.impact import impact
from passlight.office.exposures.index import WindowIndex
from passlight.office.exposures.landing import reconcile
from passlight.office.exposures.ledger import KIND, LIVE
from passlight.office.exposures.models import (
    ParametersVersion,
    PendingSweep,
    StoredExposure,
    TracedCase,
    TracePosition,
)
from passlight.office.exposures.parameters import parameters_from_json, parameters_in_force
from passlight.office.exposures.readings import CASE_KINDS, FOLLOWED
from passlight.office.exposures.states import BatchState, CaseState, Origin, Reason
from passlight.office.exposures.sweeping import sweep
from passlight.office.exposures.telling import newly_held, tell_outcome
from passlight.office.facts.models import FactVersion

log = logging.getLogger("passlight.exposures")

# Any number will do, as long as no other part of Passlight locks with it.
TRACE_LOCK: Final = 0x9A55_0040
FACTS_A_TURN: Final = 2_000
ARRIVALS_A_TURN: Final = 1_000
SWEEPS_A_TURN: Final = 20
CASES_A_TURN: Final = 50
# Fields of a fact that name another person.
_OTHERS: Final = ("a", "b", "other")
_TAKE = """
DELETE FROM exposures_arrival WHERE seq IN
  (SELECT seq FROM exposures_arrival ORDER BY seq LIMIT %s)
RETURNING visits_key, venue_id, occurred_at
"""


class Follower:
    """Follows facts and records; what it keeps in memory can be read again at any time."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._index = WindowIndex()

    def turn(self, clock: Clock) -> bool:
        """Do one turn and return whether more waits."""
        try:
            more = self._follow_facts(clock)
            more |= self._follow_parameters(clock)
            self._count_impact(clock)
            more |= self._follow_records(clock)
            return self._sweep(clock) or more
        except BaseException:
            # What was rolled back may be in memory already.
            self._index.forget()
            raise

    def _follow_facts(self, clock: Clock) -> bool:
        with transaction.atomic():
            tracing = begin(clock)
            position = _position()
            rows = list(
                FactVersion.objects.filter(seq__gt=position.facts_seq)
                .order_by("seq")
                .values_list("seq", "fact_id", "kind")[:FACTS_A_TURN]
            )
            if not rows:
                return False
            changed: list[TracedCase] = []
            for subject in sorted(_touched(rows, tracing)):
                changed += refresh_person(subject, tracing)
            position.facts_seq = rows[-1][0]
            position.save()
        self._index.learn(changed)
        return len(rows) == FACTS_A_TURN

    def _follow_parameters(self, clock: Clock) -> bool:
        """Read cases again that were traced by other parameters than those in force."""
        with transaction.atomic():
            tracing = begin(clock)
            stale = list(
                TracedCase.objects.exclude(params_hash=tracing.params_hash)
                .filter(state=CaseState.ACTIVE.value)
                .order_by("pk")[:CASES_A_TURN]
            )
            changed: list[TracedCase] = []
            for case in stale:
                changed += refresh_case(case, tracing)
        self._index.learn(changed)
        return len(stale) == CASES_A_TURN

    def _count_impact(self, clock: Clock) -> None:
        """Count what parameters that were asked for would change."""
        with transaction.atomic():
            asked = ParametersVersion.objects.filter(decided_at=None, impact__isnull=True).first()
            if asked is None:
                return
            parameters = parameters_from_json(asked.values)
            asked.impact = impact(Tracing(parameters=parameters, now=clock.now()))
            asked.impact_at = clock.now()
            asked.save(update_fields=["impact", "impact_at"])

    def _follow_records(self, clock: Clock) -> bool:
        """Probe the windows with what has arrived, and look again at whom it touches."""
        with transaction.atomic():
            tracing = begin(clock)
            with connection.cursor() as cursor:
                cursor.execute(_TAKE, [ARRIVALS_A_TURN])
                arrived: list[tuple[str, UUID, datetime]] = cursor.fetchall()
            if not arrived:
                return False
            self._index.read()
            keys = {key for key, _, _ in arrived}
            cases = self._index.cases_of(keys)
            changed: list[TracedCase] = []
            for case in TracedCase.objects.filter(pk__in=sorted(cases)):
                changed += refresh_case(case, tracing)
            for (pk, venue), people in sorted(
                self._touched_pairs(arrived, tracing).items(), key=str
            ):
                look(TracedCase.objects.get(pk=pk), venue, tracing, clock, only=people)
        self._index.learn(changed)
        return len(arrived) == ARRIVALS_A_TURN

    def _touched_pairs(
        self, arrived: Sequence[tuple[str, UUID, datetime]], tracing: Tracing
    ) -> dict[tuple[int, UUID], set[str]]:
        """Return the people to look at again, by case and venue."""
        pairs: dict[tuple[int, UUID], set[str]] = defaultdict(set)
        for key, venue, at in arrived:
            for case in self._index.probe(venue, at, tracing.parameters):
                pairs[case, venue].add(key)
        # Coming in anywhere ends a stay elsewhere: what was found of them may be less now.
        found = StoredExposure.objects.filter(
            visits_key__in={key for key, _, _ in arrived}, state__in=LIVE
        ).values_list("batch__case_id", "batch__venue_id", "visits_key")
        for pk, place, person in found.distinct():
            pairs[int(pk), place].add(person)
        waiting = set(
            PendingSweep.objects.filter(due_at__lte=tracing.now).values_list("case_id", "venue_id")
        )
        return {pair: people for pair, people in pairs.items() if pair not in waiting}

    def _sweep(self, clock: Clock) -> bool:
        for _ in range(SWEEPS_A_TURN):
            with transaction.atomic():
                tracing = begin(clock)
                due = (
                    PendingSweep.objects.filter(due_at__lte=tracing.now)
                    .order_by("due_at", "pk")
                    .select_related("case")
                    .first()
                )
                if due is None:
                    return False
                due.delete()
                look(due.case, due.venue_id, tracing, clock, reason=Reason(due.reason))
                if not due.case.sweeps.filter(due_at__lte=tracing.now).exists():
                    TracedCase.objects.filter(pk=due.case_id).update(swept_at=tracing.now)
        return True


def look(
    case: TracedCase,
    venue: UUID,
    tracing: Tracing,
    clock: Clock,
    *,
    reason: Reason = Reason.VISIT,
    only: Iterable[str] | None = None,
) -> None:
    """Sweep a venue for a case and write the difference, in the caller's transaction."""
    people = None if only is None else set(only)
    if people is not None and _may_be_crowd(case, venue, people, tracing.parameters):
        # A share of those present can only be told with all of them in sight.
        ask_sweeps(case, [venue], reason=Reason.VISIT, due_at=tracing.now)
        return
    swept = sweep(case, venue, tracing=tracing, only=people)
    before = dict(case.batches.filter(venue_id=venue).values_list("pk", "state"))
    outcome = reconcile(
        case,
        venue,
        swept.found,
        tracing=tracing,
        reason=reason,
        clock=clock,
        present=swept.present if people is None else None,
        only=people,
    )
    if swept.again_at is not None:
        ask_sweeps(case, [venue], reason=Reason.VISIT, due_at=swept.again_at)
    batches = case.batches.filter(venue_id=venue)
    tell_outcome(outcome, newly_held(before, batches), clock=clock)


def refresh_case(case: TracedCase, tracing: Tracing) -> list[TracedCase]:
    """Read one case again, wherever its windows come from."""
    if case.origin == Origin.FACT.value:
        return refresh_person(case.subject, tracing) or [_mark(case, tracing)]
    venues = set(case.windows.values_list("venue_id", flat=True))
    ask_sweeps(case, venues, reason=Reason.PARAMETERS, due_at=tracing.now)
    return [_mark(case, tracing)]


def _mark(case: TracedCase, tracing: Tracing) -> TracedCase:
    case.params_hash, case.refreshed_at = tracing.params_hash, tracing.now
    case.save(update_fields=["params_hash", "refreshed_at"])
    return case


def _may_be_crowd(
    case: TracedCase, venue: UUID, people: set[str], parameters: TracingParameters
) -> bool:
    """Return whether ``people`` may take a batch that nobody decided on over the share."""
    batches = case.batches.filter(venue_id=venue, state=BatchState.CLEAR.value)
    counted = Count("exposures__visits_key", filter=Q(exposures__state__in=LIVE), distinct=True)
    most = max(batches.annotate(people=counted).values_list("people", flat=True), default=0)
    return most + len(people) >= parameters.cap.share_people_min


def begin(clock: Clock) -> Tracing:
    """Take the lock of tracing for this transaction, and what it goes by."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TRACE_LOCK])
    return Tracing(parameters=parameters_in_force(), now=clock.now())


def _position() -> TracePosition:
    position, _ = TracePosition.objects.get_or_create(pk=1, defaults={"facts_seq": 0})
    return position


def _touched(rows: Sequence[tuple[int, str, str]], tracing: Tracing) -> set[str]:
    """Return the people whose cases may differ by these facts, in any of their versions."""
    ids = {fact_id for _, fact_id, kind in rows if kind != KIND}
    named: set[str] = set()
    cases: set[str] = set()
    versions = FactVersion.objects.filter(fact_id__in=ids)
    ever = set(versions.filter(kind__in=FOLLOWED).values_list("fact_id", flat=True))
    told = versions.filter(fact_id__in=ever).values_list("kind", "subject", "payload")
    for kind, subject, payload in told:
        named |= {subject, *(str(payload[name]) for name in _OTHERS if payload.get(name))}
        if kind in CASE_KINDS:
            cases.add(subject)
    people = {subject: tracing.subjects_of(subject) for subject in named}
    known = set(
        TracedCase.objects.filter(
            subject__in={one for group in people.values() for one in group}
        ).values_list("subject", flat=True)
    )
    return cases | {subject for subject, group in people.items() if group & known}
