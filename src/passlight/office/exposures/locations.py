"""Places and times that are public: chosen windows go out, publications from elsewhere come in.

What goes out names a venue and a time, and nothing of whom it was about. What comes in is
matched with the venues by name after a second officer has looked, and becomes windows like any
other: lingering is in them already.
"""

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from passlight.city.publication import (
    FIRST_LAYOUT,
    SECOND_LAYOUT,
    PublishedEvent,
    is_publication,
    read_publication,
    write_publication,
)
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.problem import Problem
from passlight.core.places.venue_code import Presence
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import allowed
from passlight.office.exposures.cases import ask_sweeps
from passlight.office.exposures.following import begin
from passlight.office.exposures.models import (
    ForeignList,
    PublishedLocation,
    StoredWindow,
    TracedCase,
)
from passlight.office.exposures.queries import locations_in_force
from passlight.office.exposures.refusing import refused
from passlight.office.exposures.states import BeginsBy, CaseState, Origin, Reason
from passlight.office.venues.models import Venue


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """A row of a foreign list and the venue of ours that it names, if there is one."""

    id: str
    event: str
    location: str
    since: datetime
    until: datetime
    advice: str
    venue: Venue | None


def publish(
    windows: Sequence[StoredWindow],
    *,
    advice_zh: str,
    advice_en: str,
    actor: User,
    clock: Clock,
) -> int:
    """Make windows public and return how many are new.

    Raises:
        ProblemError: when one is at a venue that is not the actor's.
    """
    venues = Venue.objects.select_related("unit").in_bulk({row.venue_id for row in windows})
    made = 0
    with transaction.atomic():
        for row in windows:
            venue = venues.get(row.venue_id)
            if venue is None or not allowed(actor, "exposures.publish", venue.unit):
                raise refused("not-yours", "Somebody else decides on this venue.")
            _, new = PublishedLocation.objects.get_or_create(
                venue=venue,
                start=row.since,
                end=row.until,
                withdrawn_at=None,
                defaults={
                    "advice_zh": advice_zh,
                    "advice_en": advice_en,
                    "added_by": actor,
                    "added_at": clock.now(),
                },
            )
            made += new
    return made


def withdraw(location: PublishedLocation, *, actor: User, clock: Clock) -> None:
    """Take a place out of the public list; that it stood there stays known.

    Raises:
        ProblemError: when it is not the actor's.
    """
    if not allowed(actor, "exposures.publish", location.venue.unit):
        raise refused("not-yours", "Somebody else decides on this venue.")
    PublishedLocation.objects.filter(pk=location.pk, withdrawn_at=None).update(
        withdrawn_by=actor, withdrawn_at=clock.now()
    )


def public_csv(*, second: bool = True) -> str:
    """Return the public list in a layout that other health offices read."""
    zone = ZoneInfo(settings.TIME_ZONE)
    events = [
        PublishedEvent(
            id=str(row.pk),
            event=_plain(row.venue.name),
            location=_plain(row.venue.address),
            since=row.start,
            until=row.end,
            advice=_plain(row.advice_zh),
            added=f"{row.added_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        )
        for row in locations_in_force()
    ]
    return write_publication(
        events, layout=SECOND_LAYOUT if second else FIRST_LAYOUT, timezone=zone
    )


def upload(
    content: bytes, *, name: str, timezone: ZoneInfo, actor: User, clock: Clock
) -> tuple[ForeignList, list[Problem]]:
    """Read a publication and keep its rows for a second officer; return it and what was wrong.

    Raises:
        ProblemError: when the file has none of the layouts, or has no row that can be read.
    """
    if not allowed(actor, "exposures.change"):
        raise refused("not-yours", "Somebody else matches places.")
    with tempfile.TemporaryDirectory(prefix="passlight-") as folder:
        path = Path(folder) / "publication.csv"
        path.write_bytes(content)
        if not is_publication(path):
            raise refused("layout", "None of the layouts of a publication.", field="file")
        read = read_publication(path, timezone=timezone)
    if not read.events:
        raise refused("no-rows", "No row can be read.", field="file")
    rows = [
        {
            "id": event.id,
            "event": event.event,
            "location": event.location,
            "since": event.since.isoformat(),
            "until": event.until.isoformat(),
            "advice": event.advice,
        }
        for event in read.events
    ]
    kept = ForeignList.objects.create(
        name=name,
        layout=timezone.key,
        digest=f"sha256:{hashlib.sha256(content).hexdigest()}",
        rows=rows,
        uploaded_by=actor,
        uploaded_at=clock.now(),
    )
    return kept, read.problems


def matched(foreign: ForeignList, actor: User) -> list[Matched]:
    """Return the rows with the venues that they name: by id, by name, or by address.

    A name that two venues have matches none: nobody is coloured for a guess.
    """
    by_name: dict[str, Venue | None] = {}
    for venue in Venue.objects.select_related("unit"):
        if allowed(actor, "exposures.change", venue.unit):
            for name in {str(venue.pk), venue.name, venue.name_en, venue.address}:
                key = _folded(name)
                by_name[key] = None if key in by_name else venue
    return [_matched(row, by_name) for row in foreign.rows]


def decide(pk: int, *, accepted: bool, reason: str, actor: User, clock: Clock) -> ForeignList:
    """Accept a list, by somebody else than who uploaded it, or turn it down.

    Raises:
        ProblemError: when the actor is no second person, or it is decided on already.
    """
    with transaction.atomic():
        begin(clock)
        foreign = ForeignList.objects.select_for_update().get(pk=pk)
        if foreign.decided_at is not None:
            raise refused("state", "This list has its answer.")
        two = actor.is_second_person(foreign.uploaded_by)
        if not allowed(actor, "exposures.change") or not two:
            raise refused("one-person", "Somebody else decides on what you uploaded.")
        foreign.decided_by, foreign.decided_at = actor, clock.now()
        foreign.accepted, foreign.reason = accepted, reason[:300]
        foreign.save(update_fields=["decided_by", "decided_at", "accepted", "reason"])
        if accepted:
            for number, row in enumerate(matched(foreign, actor)):
                if row.venue is not None:
                    _trace(foreign, number, row, row.venue, clock)
        return foreign


def _trace(foreign: ForeignList, number: int, row: Matched, venue: Venue, clock: Clock) -> None:
    """Make a row a case of its own whose windows are what was published."""
    now = clock.now()
    case = TracedCase.objects.create(
        fact_id=f"foreign:{foreign.pk}:{number}",
        subject=f"foreign:{foreign.pk}",
        kind="published",
        case_id=row.id,
        origin=Origin.FOREIGN.value,
        foreign=foreign,
        state=CaseState.ACTIVE.value,
        begins_by=BeginsBy.PUBLISHED.value,
        infectious_from=row.since,
        isolated_at=row.until,
        is_isolated=True,
        params_hash="",
        known_at=now,
        refreshed_at=now,
    )
    zones = set(venue.entrances.values_list("zone", flat=True)) or {""}
    StoredWindow.objects.bulk_create(
        StoredWindow(
            case=case,
            visit=f"{case.fact_id}/{zone}",
            venue_id=venue.pk,
            zone=zone,
            since=row.since,
            direct_until=row.until,
            until=row.until,
            certain_direct_until=row.until,
            certain_until=row.until,
            presence=int(Presence.STRONG),
        )
        for zone in sorted(zones)
    )
    ask_sweeps(case, [UUID(str(venue.pk))], reason=Reason.CASE, due_at=now)


def _matched(row: dict[str, Any], by_name: dict[str, Venue | None]) -> Matched:
    names = (row["id"], row["event"], row["location"])
    venue = next((v for v in (by_name.get(_folded(name)) for name in names) if v), None)
    return Matched(
        id=row["id"],
        event=row["event"],
        location=row["location"],
        since=datetime.fromisoformat(row["since"]),
        until=datetime.fromisoformat(row["until"]),
        advice=row["advice"],
        venue=venue,
    )


def _plain(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula (field/06 0)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
