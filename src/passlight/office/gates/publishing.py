"""Publishing door documents: made by the halls' plan, signed here, followed by gateways.

A document is signed anew when what it says has changed, or when half of its life is over; a
device that hears nothing for seven days stops deciding by it.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import rfc8785
from django.conf import settings
from django.db import connection, transaction
from django.db.models import OuterRef, Q, Subquery

from passlight.core.codes.envelope import DOOR, seal_envelope
from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose
from passlight.core.entry.door_document import DoorDocument
from passlight.core.kernel.base64url import base64url
from passlight.core.kernel.canonical import content_hash
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.problem import ProblemError
from passlight.office.gates.models import GateDoor
from passlight.office.halls.queries import door_document
from passlight.office.venues.models import Entrance
from passlight.runtime.clock import SystemEntropy
from passlight.runtime.keys import KeyFolder
from passlight.runtime.signing import seal_key

CHANNEL = "passlight_doors"
HALF_LIFE = timedelta(days=3, hours=12)

_LOCK = 0x9A55_0020
_LOG = logging.getLogger(__name__)


def publish_doors(venue_ids: Iterable[UUID] | None = None, *, clock: Clock) -> int:
    """Sign what changed at the doors of these venues (of all, without any); return how many.

    A door whose document cannot be made keeps its former one, and the others get theirs.
    """
    doors = Entrance.objects.filter(active=True, venue__active=True)
    if venue_ids is not None:
        doors = doors.filter(venue_id__in=list(venue_ids))
    published = 0
    for venue_id, code in doors.order_by("venue_id", "code").values_list("venue_id", "code"):
        try:
            published += _publish(venue_id, code, clock=clock)
        except ProblemError as error:
            _LOG.error("door %s of %s: %s", code, venue_id, error.problems[0].code)
    if published:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
    return published


def publish_changed(venue_ids: Sequence[UUID], clock: Clock) -> None:
    """Publish at the doors of venues about which something has just been changed."""
    try:
        publish_doors(venue_ids, clock=clock)
    except FileNotFoundError:  # before the installation has keys; the jobs process comes later
        _LOG.warning("no key to sign door documents yet")


def publish_due(clock: Clock) -> bool:
    """Publish at doors that have no document, or one that a plan or pack has just ended.

    For the process of jobs, every few seconds; nothing waits to be done at once.
    """
    held = GateDoor.objects.filter(venue=OuterRef("venue"), entrance=OuterRef("code"))
    newest = held.order_by("-version").values("until")[:1]
    wanted = (
        Entrance.objects.filter(active=True, venue__active=True)
        .annotate(until=Subquery(newest))
        .filter(Q(until=None) | Q(until__lte=clock.now()))
    )
    venues = set(wanted.values_list("venue_id", flat=True))
    if venues:
        publish_doors(venues, clock=clock)
    return False


def publish_round(clock: Clock) -> bool:
    """Look at every door, for the process of jobs, every few minutes: what changed is found."""
    publish_doors(clock=clock)
    return False


def _publish(venue_id: UUID, code: str, *, clock: Clock) -> int:
    now = clock.now()
    folder = KeyFolder(settings.PASSLIGHT.keys)
    seal = base64url(bytes(seal_key(folder, SystemEntropy()).public_key))
    door = door_document(venue_id, code, now, seal=seal)
    digest = _digest(door)
    with transaction.atomic():
        with connection.cursor() as cursor:  # two publishers at once make one version
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        last = (
            GateDoor.objects.filter(venue_id=venue_id, entrance=code).order_by("-version").first()
        )
        if last is not None and bytes(last.digest) == digest and not _is_old(last, door, now):
            return 0
        # Doors tell the newer one by its second.
        if last is not None and last.made_at >= door.made_at:
            door = replace(door, made_at=last.made_at + timedelta(seconds=1))
        GateDoor.objects.create(
            venue_id=venue_id,
            entrance=code,
            version=last.version + 1 if last is not None else 1,
            digest=digest,
            document=seal_envelope(
                rfc8785.dumps(door.to_json()), kind=DOOR, signer=_signer(folder)
            ),
            made_at=door.made_at,
            until=door.effective_until,
        )
    return 1


def _is_old(last: GateDoor, door: DoorDocument, now: datetime) -> bool:
    """Return whether a new one would hold longer, and the last has lived half of its life."""
    return door.effective_until > last.until and last.until - now < HALF_LIFE


def _digest(door: DoorDocument) -> bytes:
    """Return the digest of all that a door decides by: not of when this was made, or how long."""
    said = door.to_json()
    for moment in ("made_at", "effective_until"):
        del said[moment]
    return bytes.fromhex(content_hash(said).removeprefix("sha256:"))


def _signer(folder: KeyFolder) -> Issuer:
    seed = folder.read(Purpose.LIST.value)
    return Issuer.of_seed(seed, realm=settings.PASSLIGHT.realm, purpose=Purpose.LIST, slot_code=0)
