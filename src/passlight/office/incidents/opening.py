"""Opening an incident: from a door's record, or by hand from any post.

One open incident a venue and person: a second finding joins the first. Somebody whom nobody
could name has an incident a record. First scan, first responsible (首扫负责制).
"""

import hashlib
import logging
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from passlight.core.incidents.event import AbnormalFinding, What
from passlight.core.incidents.steps import FindingKind, Step
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.core.places.hall import DutyRole
from passlight.office.accounts.models import Registration, User
from passlight.office.accounts.roles import allowed
from passlight.office.incidents.duty import chain
from passlight.office.incidents.models import RecordLink, StoredIncident
from passlight.office.incidents.plan import plan_for
from passlight.office.incidents.recording import HeldIncident, add, hold
from passlight.office.incidents.refusing import refused
from passlight.office.incidents.telling import tell
from passlight.office.incidents.wording import SYSTEM
from passlight.office.people.models import Person
from passlight.office.records.models import Record
from passlight.office.venues.models import Venue

log = logging.getLogger("passlight.incidents")

_KINDS = {
    "red": FindingKind.RED,
    "yellow": FindingKind.YELLOW,
    "temperature": FindingKind.FEVER,
    "symptoms": FindingKind.SYMPTOMS,
    "declaration": FindingKind.FALSE_DECLARATION,
}
# One device finds so many people at a place in a day, and no more: whoever floods a hall from a
# stolen phone buries the one incident that is real. The records are kept; a person looks.
OPENED_A_DEVICE_AND_DAY_MAX = 200
# So many scans of one person are told apart in the log; more only keep their link to it.
JOINED_EVENTS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFinding:
    """Something abnormal at a post: what, who as far as known, where, when, by whom."""

    venue: Venue
    kind: FindingKind
    found_at: datetime
    found_by: User | None
    visits_key: str | None = None
    entrance: str = ""
    role: str = ""
    record: str = ""
    sender: str = ""
    detail: str = ""


def open_from_record(record: Record, *, clock: Clock, entropy: Entropy) -> StoredIncident:
    """Return the incident of a door's record: the one it opens, or the one it joins.

    However often it is called with one record, that record opens or joins once.

    Raises:
        ProblemError: the record is of no venue of ours, says nothing abnormal, or comes from
            somebody who has no post there.
    """
    kind = finding_of(record)
    venue = None
    if record.venue_id is not None:
        venue = Venue.objects.select_related("unit").filter(pk=record.venue_id).first()
    if venue is None or kind is None:
        raise refused(
            "no-finding",
            f"record {record.key} tells of nothing abnormal at a venue of ours.",
            field="record",
        )
    scanner = scanner_of(record, venue)
    if record.payload.get("off_duty") and scanner is None:
        raise refused(
            "not-yours",
            f"record {record.key} is of a place where its sender has no post.",
            field="venue",
        )
    entry = _entry(record)
    found = NewFinding(
        venue=venue,
        kind=kind,
        found_at=record.occurred_at,
        found_by=scanner,
        visits_key=record.visits_key,
        entrance=record.entrance,
        role=str(entry.get("role", ""))[:16],
        record=record.key,
        sender=record.actor,
        detail=str(record.payload.get("note") or "")[:200],
    )
    return open_incident(found, clock=clock, entropy=entropy)


def open_by_hand(
    venue: Venue,
    kind: FindingKind,
    *,
    actor: User,
    clock: Clock,
    entropy: Entropy,
    person: Person | None = None,
    entrance: str = "",
    role: str = "visitor",
    detail: str = "",
    found_at: datetime | None = None,
) -> StoredIncident:
    """Open an incident from a post: door, desk, counter, or a member of staff on themselves.

    Raises:
        ProblemError: when ``actor`` may not, there.
    """
    if not allowed(actor, "incidents.open", venue.unit):
        raise refused("not-yours", "Not at that place.", field="venue")
    found = NewFinding(
        venue=venue,
        kind=kind,
        found_at=found_at or clock.now(),
        found_by=actor,
        visits_key=person.visits_key if person is not None else None,
        entrance=entrance,
        role=role,
        detail=detail,
    )
    return open_incident(found, clock=clock, entropy=entropy)


def open_incident(found: NewFinding, *, clock: Clock, entropy: Entropy) -> StoredIncident:
    """Return the incident that ``found`` opens or joins."""
    # A door's clock may run ahead of ours by what the gateway tolerates.
    found = replace(found, found_at=min(found.found_at, clock.now()))
    with transaction.atomic():
        _one_at_a_time(f"{found.venue.pk}/{found.visits_key or found.record}")
        if found.record:
            linked = RecordLink.objects.select_related("incident").filter(pk=found.record).first()
            if linked is not None:
                return linked.incident
        known = _running(found)
        if known is None:
            _check_flood(found)
        held = _join(found, known.pk, clock) if known else _open(found, clock, entropy)
        if found.record:
            RecordLink.objects.create(record=found.record, incident=held.stored)
        return held.stored


def finding_of(record: Record) -> FindingKind | None:
    """Return what is abnormal about a record; None when nothing is."""
    entry = _entry(record)
    findings = entry.get("findings")
    said = [record.answer, entry.get("requirement", "")]
    said += findings if isinstance(findings, list) else []
    for word in said:
        if word in _KINDS:
            return _KINDS[str(word)]
    return FindingKind.OTHER if record.kind in ("isolate", "report") else None


def scanner_of(record: Record, venue: Venue) -> User | None:
    """Return who scanned: the checker whose device sent it, or the guard beside a sentinel.

    A badge is only what somebody typed: it stands for nobody where a checker's own device tells
    who it is, and for nobody who has no post at this place.
    """
    device = Registration.objects.select_related("user").filter(handle=record.actor).first()
    found: User | None = device.user if device is not None else None
    if device is None:  # a sentinel, or a visitor's own scan of a poster
        badge = _entry(record).get("guard")
        known = User.objects.filter(badge=badge) if isinstance(badge, str) and badge else None
        found = known.select_related("unit").first() if known is not None else None
    if found is None or not allowed(found, "incidents.open", venue.unit):
        return None
    return found


def _entry(record: Record) -> dict[str, Any]:
    entry = record.payload.get("entry") if isinstance(record.payload, dict) else None
    return entry if isinstance(entry, dict) else {}


def _one_at_a_time(what: str) -> None:
    key = int.from_bytes(hashlib.sha256(f"incident/{what}".encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def _running(found: NewFinding) -> StoredIncident | None:
    """Return the incident that this finding belongs to: the open one, or the one of its time.

    A door that was offline may tell late of what it saw before an incident was closed.
    """
    if found.visits_key is None:
        return None
    rows = StoredIncident.objects.filter(venue=found.venue, visits_key=found.visits_key)
    opened = rows.filter(closed_at=None).first()
    if opened is not None:
        return opened
    of_its_day = rows.filter(day=_day(found.found_at), closed_at__gte=found.found_at)
    of_its_time = rows.filter(found_at__lte=found.found_at, closed_at__gte=found.found_at)
    return of_its_time.order_by("found_at").first() or of_its_day.order_by("found_at").first()


def _check_flood(found: NewFinding) -> None:
    """Refuse a device that has opened too many today; until the hall itself has, nothing is asked.

    Raises:
        ProblemError: the record is set aside with this reason.
    """
    today = StoredIncident.objects.filter(venue=found.venue, day=_day(found.found_at))
    if not found.record or today.count() < OPENED_A_DEVICE_AND_DAY_MAX:
        return
    links = RecordLink.objects.filter(incident__in=today).values("record")
    sent = Record.objects.filter(key__in=links, actor=found.sender)
    if sent.count() >= OPENED_A_DEVICE_AND_DAY_MAX:
        log.error("venue %s: one device reports without end; look at it", found.venue.pk)
        raise refused("flood", "One device has reported too many people today.", field="record")


def _join(found: NewFinding, incident: UUID, clock: Clock) -> HeldIncident:
    held = hold(incident)
    assert held.incident is not None, "it has events"
    if len(held.incident.findings) < JOINED_EVENTS_MAX:
        finding = AbnormalFinding(kind=found.kind, record=found.record, detail=found.detail)
        add(
            held, What.JOINED, actor=found.found_by, clock=clock, at=found.found_at, finding=finding
        )
    return held


def _open(found: NewFinding, clock: Clock, entropy: Entropy) -> HeldIncident:
    now = clock.now()
    plan = plan_for(found.venue, found.found_at)
    people = chain(found.venue.unit, DutyRole.DUTY_LEADER, now)
    owner = found.found_by or (people[0] if people else None)
    deputy = next((user for user in people if user != owner), None)
    day = _day(found.found_at)
    ordinal = _next_number(found.venue, found.found_at)
    stored = StoredIncident(
        id=UUID(bytes=entropy.token(16), version=4),
        venue=found.venue,
        unit=found.venue.unit,
        entrance=found.entrance,
        day=day,
        ordinal=ordinal,
        number=f"{day:%m%d}-{ordinal:02d}",
        kind=found.kind.value,
        visits_key=found.visits_key,
        role=found.role,
        found_at=found.found_at,
        opened_at=now,
        opened_by=found.found_by,
        plan=plan.version,
        limits=dict(plan.minutes),
        step=Step.FOUND.value,
        events=0,
        changed_at=now,
    )
    held = HeldIncident(stored=stored, incident=None)
    event = add(
        held,
        What.OPENED,
        actor=found.found_by,
        clock=clock,
        at=found.found_at,
        finding=AbnormalFinding(kind=found.kind, record=found.record, detail=found.detail),
        to=owner.badge if owner is not None else SYSTEM,
        deputy=deputy.badge if deputy is not None else "",
        unit=str(found.venue.unit_id),
        bodies=plan.bodies,
    )
    tell(stored, event, clock=clock)
    return held


def _next_number(venue: Venue, found_at: datetime) -> int:
    """Return the next number of the day; its row is held until commit, so none is left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO incidents_number AS n (venue_id, day, last) VALUES (%s, %s, 1)"
            " ON CONFLICT (venue_id, day) DO UPDATE SET last = n.last + 1 RETURNING last",
            [venue.pk, _day(found_at)],
        )
        (number,) = cursor.fetchone()
    return int(number)


def _day(moment: datetime) -> Any:
    return moment.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


__all__ = ["NewFinding", "finding_of", "open_by_hand", "open_from_record", "open_incident"]
