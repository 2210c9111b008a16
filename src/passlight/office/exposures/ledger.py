"""The ledger of one reconciliation: rows to write, events to add, facts to land and to retract."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from passlight.core.exposure.exposure import Exposure
from passlight.core.kernel.clock import Clock
from passlight.office.exposures.cases import Tracing
from passlight.office.exposures.models import ExposureEvent, StoredExposure, VenueBatch
from passlight.office.exposures.states import ExposureState, What
from passlight.office.facts.actions import land_facts, retract_facts
from passlight.office.facts.intake import FACTS_A_LANDING, NewFact

SOURCE: Final = "tracing"
KIND: Final = "exposure.derived"
LIVE: Final = (ExposureState.HELD.value, ExposureState.LANDED.value, ExposureState.DROPPED.value)
_COLUMNS: Final = (
    *("batch", "subject", "visits_key", "start", "end", "minutes", "direct_minutes"),
    *("imputed", "params_hash", "state", "changed_at"),
)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """How many people's exposures landed and were withdrawn, by batch: for the notices."""

    landed: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    withdrawn: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))


class Ledger:
    """Collects what changes and writes it: rows and events first, then the facts."""

    def __init__(self, *, tracing: Tracing, clock: Clock, reason: str) -> None:
        """Take the turn that it belongs to, and why anything in it is withdrawn."""
        self.tracing = tracing
        self.outcome = Outcome()
        self._clock = clock
        self._reason = reason
        self._batches: dict[UUID, VenueBatch] = {}
        self._rows: dict[str, StoredExposure] = {}
        self._events: list[ExposureEvent] = []
        self._to_land: dict[str, StoredExposure] = {}
        self._to_retract: dict[str, StoredExposure] = {}

    def keep(
        self,
        fact_id: str,
        found: Exposure,
        subject: str,
        batch: VenueBatch,
        row: StoredExposure | None,
    ) -> None:
        """Store what was found; what is stored and equal stays as it is."""
        wanted: dict[str, Any] = {
            "batch_id": batch.pk,
            "subject": subject,
            "visits_key": found.subject,
            "start": found.since,
            "end": found.until,
            "minutes": found.minutes,
            "direct_minutes": found.direct_minutes,
            "imputed": found.imputed,
            "params_hash": self.tracing.params_hash,
        }
        if row is None:
            row = StoredExposure(fact_id=fact_id, state=ExposureState.WITHDRAWN.value)
        gone = row.state == ExposureState.WITHDRAWN.value
        if not gone and all(getattr(row, name) == value for name, value in wanted.items()):
            return
        for name, value in wanted.items():
            setattr(row, name, value)
        if gone:
            # It waits; the state of its batch decides what becomes of it.
            row.state = ExposureState.HELD.value
        elif row.state == ExposureState.LANDED.value:
            self._to_land[fact_id] = row
        self._write(row, What.FOUND if gone else What.CHANGED)

    def withdraw(self, row: StoredExposure) -> None:
        """Take back what is found no more."""
        self._take_back(row)
        row.state = ExposureState.WITHDRAWN.value
        self._write(row, What.WITHDRAWN, reason=self._reason)

    def move(self, row: StoredExposure, state: ExposureState) -> None:
        """Give a stored exposure the state that its batch has now."""
        if state is ExposureState.LANDED:
            self._to_land[row.fact_id] = row
            self.outcome.landed[row.batch_id] += 1
        else:
            self._take_back(row)
        row.state = state.value
        what = {
            ExposureState.LANDED: What.LANDED,
            ExposureState.DROPPED: What.DROPPED,
            ExposureState.HELD: What.HELD,
        }[state]
        self._write(row, what, reason=self._reason if what is What.DROPPED else "")

    def store(self) -> None:
        """Write the rows and events collected so far."""
        StoredExposure.objects.bulk_create(
            self._rows.values(),
            update_conflicts=True,
            unique_fields=["fact_id"],
            update_fields=list(_COLUMNS),
            batch_size=2_000,
        )
        ExposureEvent.objects.bulk_create(self._events, batch_size=2_000)
        self._rows, self._events = {}, []

    def land(self) -> None:
        """Land and retract the facts: the last act, for it holds the lock that orders them."""
        for part in _parts(list(self._to_retract.values())):
            by_batch = f"tracing:{part[0].batch_id}"
            retract_facts(
                [row.fact_id for row in part],
                reason=self._reason,
                source=SOURCE,
                batch_id=by_batch,
                clock=self._clock,
            ).require_all()
        for part in _parts(list(self._to_land.values())):
            facts = [self._fact(row) for row in part]
            by_batch = f"tracing:{part[0].batch_id}"
            land_facts(facts, batch_id=by_batch, clock=self._clock).require_all()
        self._to_land, self._to_retract = {}, {}

    def _take_back(self, row: StoredExposure) -> None:
        self._to_land.pop(row.fact_id, None)
        if row.state == ExposureState.LANDED.value:
            self._to_retract[row.fact_id] = row
            self.outcome.withdrawn[row.batch_id] += 1

    def _fact(self, row: StoredExposure) -> NewFact:
        batch = self._batch(row.batch_id)
        return NewFact(
            fact_id=row.fact_id,
            kind=KIND,
            subject=row.subject,
            occurred_at=row.start,
            occurred_until=row.end,
            source=SOURCE,
            payload={
                "case_id": batch.case.case_id,
                "venue": str(batch.venue_id),
                "minutes": row.minutes,
                "direct_minutes": row.direct_minutes,
                "params_hash": row.params_hash,
            },
        )

    def _batch(self, pk: UUID) -> VenueBatch:
        known = self._batches.get(pk)
        if known is None:
            known = VenueBatch.objects.select_related("case").get(pk=pk)
            self._batches[pk] = known
        return known

    def _write(self, row: StoredExposure, what: What, *, reason: str = "") -> None:
        row.changed_at = self.tracing.now
        self._rows[row.fact_id] = row
        self._events.append(
            ExposureEvent(
                exposure=row.fact_id,
                batch_id=row.batch_id,
                what=what.value,
                reason=reason[:300],
                at=self.tracing.now,
                params_hash=row.params_hash,
                body={
                    "subject": row.subject,
                    "start": row.start.isoformat(),
                    "end": row.end.isoformat(),
                    "minutes": row.minutes,
                    "direct_minutes": row.direct_minutes,
                    "imputed": row.imputed,
                },
            )
        )


def _parts(rows: Sequence[StoredExposure]) -> Iterable[Sequence[StoredExposure]]:
    for start in range(0, len(rows), FACTS_A_LANDING):
        yield rows[start : start + FACTS_A_LANDING]
