"""Reading what is traced: by the venues of one's units, by dose, under pseudonyms alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from passlight.office.accounts.models import Role, User
from passlight.office.accounts.roles import visible_units
from passlight.office.exposures.ledger import LIVE
from passlight.office.exposures.models import (
    PublishedLocation,
    StoredExposure,
    StoredWindow,
    TracedCase,
    VenueBatch,
)
from passlight.office.exposures.states import BatchState, CaseState, ExposureState
from passlight.office.venues.models import Venue

if TYPE_CHECKING:
    from uuid import UUID

WAITING: Final = (BatchState.HELD.value, BatchState.ASKED.value)
#: Least minutes of each line of a dose table, most first.
DOSES: Final = (60, 30, 15, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """A batch with its venue and its figures."""

    batch: VenueBatch
    venue: Venue | None
    people: int
    landed: int
    most_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """A case with its progress and its figures at the venues that the reader sees."""

    case: TracedCase
    venues: int
    left: int
    people: int
    landed: int
    waiting: int

    @property
    def swept(self) -> int:
        """Return how many of its venues have been looked at."""
        return max(0, self.venues - self.left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """How many people of a batch have at least so many minutes, and fewer than the line above."""

    least: int
    below: int | None
    people: int


def venues_visible(user: User) -> QuerySet[Venue]:
    """Return the venues of the user's units."""
    return Venue.objects.filter(unit__in=visible_units(user))


def cases_visible(user: User, *, show: str = "") -> QuerySet[TracedCase]:
    """Return the cases that were at a venue the user sees; the district sees every case.

    ``show`` narrows to those with a batch that waits, or that are traced no more.
    """
    venues = venues_visible(user).values("pk")
    cases = TracedCase.objects.order_by("-known_at", "-pk")
    if user.role not in {Role.DISTRICT_OFFICE.value, Role.AUDITOR.value}:
        windows = StoredWindow.objects.filter(case=OuterRef("pk"), venue_id__in=venues)
        batches = VenueBatch.objects.filter(case=OuterRef("pk"), venue_id__in=venues)
        cases = cases.filter(Exists(windows) | Exists(batches))
    if show == "waiting":
        held = VenueBatch.objects.filter(
            case=OuterRef("pk"), venue_id__in=venues, state__in=WAITING
        )
        return cases.filter(Exists(held))
    if show == "ended":
        return cases.exclude(state=CaseState.ACTIVE.value)
    return cases if show == "all" else cases.filter(state=CaseState.ACTIVE.value)


def batches_visible(user: User) -> QuerySet[VenueBatch]:
    """Return the batches at the venues that the user sees."""
    venues = venues_visible(user).values("pk")
    return VenueBatch.objects.filter(venue_id__in=venues).select_related("case", "asked_by")


def waiting_batches(user: User) -> QuerySet[VenueBatch]:
    """Return the batches that wait for a decision."""
    return batches_visible(user).filter(state__in=WAITING)


def batch_lines(batches: Iterable[VenueBatch]) -> list[BatchLine]:
    """Return batches with their figures, the highest dose first, in three queries."""
    rows = list(batches)
    live = StoredExposure.objects.filter(batch__in=rows, state__in=LIVE)
    counted: dict[UUID, dict[str, Any]] = {
        row["batch"]: dict(row)
        for row in live.values("batch").annotate(
            people=Count("visits_key", distinct=True),
            landed=Count("visits_key", distinct=True, filter=Q(state=ExposureState.LANDED.value)),
            most=Max("minutes"),
        )
    }
    venues = Venue.objects.in_bulk({row.venue_id for row in rows})
    lines = [
        BatchLine(
            batch=row,
            venue=venues.get(row.venue_id),
            people=counted.get(row.pk, {}).get("people", 0),
            landed=counted.get(row.pk, {}).get("landed", 0),
            most_minutes=counted.get(row.pk, {}).get("most") or 0,
        )
        for row in rows
    ]
    return sorted(lines, key=lambda line: (-line.most_minutes, -line.people, str(line.batch.pk)))


def case_lines(cases: Sequence[TracedCase], user: User) -> list[CaseLine]:
    """Return cases with their figures, in a fixed number of queries."""
    seen = set(venues_visible(user).values_list("pk", flat=True))
    windows: dict[int, set[UUID]] = {}
    for pk, venue in StoredWindow.objects.filter(case__in=cases).values_list("case", "venue_id"):
        windows.setdefault(int(pk), set()).add(venue)
    left = {
        row.pk: row.left
        for row in TracedCase.objects.filter(pk__in=[case.pk for case in cases]).annotate(
            left=Count("sweeps")
        )
    }
    batches = batch_lines(VenueBatch.objects.filter(case__in=cases, venue_id__in=seen))
    found: dict[int, list[BatchLine]] = {}
    for line in batches:
        found.setdefault(line.batch.case_id, []).append(line)
    return [
        CaseLine(
            case=case,
            venues=len(windows.get(case.pk, set())),
            left=left.get(case.pk, 0),
            people=sum(line.people for line in found.get(case.pk, ())),
            landed=sum(line.landed for line in found.get(case.pk, ())),
            waiting=sum(line.batch.state in WAITING for line in found.get(case.pk, ())),
        )
        for case in cases
    ]


def doses(batch: VenueBatch) -> list[Dose]:
    """Return the people of a batch by their longest dose."""
    most = (
        StoredExposure.objects.filter(batch=batch, state__in=LIVE)
        .values("visits_key")
        .annotate(most=Max("minutes"))
        .values_list("most", flat=True)
    )
    minutes = list(most)
    lines = []
    below: int | None = None
    for least in DOSES:
        inside = [m for m in minutes if m >= least and (below is None or m < below)]
        lines.append(Dose(least=least, below=below, people=len(inside)))
        below = least
    return lines


def exposures_by_dose(batch: VenueBatch) -> QuerySet[StoredExposure]:
    """Return the exposures of a batch in the order of the dose, highest first."""
    live = StoredExposure.objects.filter(batch=batch, state__in=LIVE)
    return live.order_by("-minutes", "-direct_minutes", "start", "fact_id")


def locations_in_force() -> QuerySet[PublishedLocation]:
    """Return the places that are public now, the newest first."""
    rows = PublishedLocation.objects.filter(withdrawn_at=None).select_related("venue")
    return rows.order_by("-start", "pk")


def place_of(fact_id: str) -> tuple[str, datetime] | None:
    """Return what a person may know of their own exposure: the class of venue and the time."""
    row = StoredExposure.objects.filter(fact_id=fact_id).select_related("batch").first()
    if row is None:
        return None
    venue = Venue.objects.filter(pk=row.batch.venue_id).first()
    return (venue.kind, row.start) if venue is not None else None
