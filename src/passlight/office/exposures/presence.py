"""Records of doors as check-ins and check-outs: which of them prove that somebody was there.

A static poster can be scanned from anywhere (Zhengzhou, Luca: field/06 0), so a self-scan of it
is weak: it neither exposes others, nor is exposed, nor ends a visit somewhere else. Confirmed it
counts like any other: by a door that admitted the same person there within ``CONFIRMED_WITHIN``,
whose record then says when they came in, or by staff who verified their code.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from passlight.core.exposure.visits import VenueCheckIn, VenueCheckOut
from passlight.core.places.venue_code import Presence

CHECKIN: Final = "checkin"
ADMIT: Final = "admit"
VERIFICATION: Final = "verification"
EXIT: Final = "exit"
PRESENCE_KINDS: Final = (CHECKIN, ADMIT, VERIFICATION, EXIT)
#: A scan at the poster and the door's record of the same person are one entry within this time.
CONFIRMED_WITHIN: Final = timedelta(minutes=30)
# What a record says of itself when its time, its sender or its chain cannot be trusted.
_DOUBTS: Final = ("claimed_at", "off_duty", "branch", "conflicts_with")


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorRecord:
    """What a record says about somebody's presence."""

    key: str
    kind: str
    subject: str
    venue: str
    zone: str
    at: datetime
    presence: Presence = Presence.STRONG


ZoneOf = Callable[[str, str], str | None]


def door_record(
    *,
    key: str,
    kind: str,
    visits_key: str,
    venue: str,
    entrance: str,
    occurred_at: datetime,
    payload: dict[str, Any],
    zone_of: ZoneOf,
) -> DoorRecord | None:
    """Return what a record proves; None when its time, sender or chain is in doubt.

    Nobody is coloured for a time that nobody is sure of, by a phone that was off duty, or by a
    box that was copied: such records stay what they are, and prove no presence.
    """
    entry = payload.get("entry") or {}
    if any(payload.get(doubt) for doubt in _DOUBTS) or entry.get("clock") == "unsure":
        return None
    zone = zone_of(venue, entrance)
    if zone is None:
        zone = str(entry.get("zone") or payload.get("zone") or "")
    weak = kind == CHECKIN and payload.get("presence") != "strong"
    return DoorRecord(
        key=key,
        kind=kind,
        subject=visits_key,
        venue=venue,
        zone=zone,
        at=occurred_at,
        presence=Presence.WEAK if weak else Presence.STRONG,
    )


def check_ins(
    records: Iterable[DoorRecord],
) -> tuple[list[VenueCheckIn], list[VenueCheckOut]]:
    """Return who came in and who went out, whatever the order in which the records come.

    Scans of one person at one zone with no longer than ``CONFIRMED_WITHIN`` between them are one
    entry, at the first that proves it; each depends on its neighbours in time alone.
    """
    places: dict[tuple[str, str], list[DoorRecord]] = defaultdict(list)
    for record in records:
        places[record.subject, record.venue].append(record)
    came: list[VenueCheckIn] = []
    went: list[VenueCheckOut] = []
    for (subject, venue), found in places.items():
        found.sort(key=lambda record: (record.at, record.key))
        exits = [record.at for record in found if record.kind == EXIT]
        went.extend(VenueCheckOut(subject=subject, venue=venue, at=at) for at in exits)
        came.extend(_entries(found, exits))
    return came, went


def _entries(found: Sequence[DoorRecord], exits: Sequence[datetime]) -> Iterable[VenueCheckIn]:
    admits = [record for record in found if record.kind == ADMIT]
    seen = [record for record in found if record.kind == VERIFICATION]
    strong: list[DoorRecord] = []
    for record in found:
        if record.kind not in {CHECKIN, ADMIT}:
            continue
        # A door that admitted them says itself when they came in, and where.
        confirmed = _near(record, seen) and not _near(record, admits)
        if record.presence is Presence.STRONG or confirmed:
            strong.append(record)
    by_zone: dict[str, list[DoorRecord]] = defaultdict(list)
    for record in strong:
        by_zone[record.zone].append(record)
    for records in by_zone.values():
        before: datetime | None = None
        for record in records:
            if before is None or not _same_entry(before, record.at, exits):
                yield _check_in(record)
            before = record.at


def _near(record: DoorRecord, others: Iterable[DoorRecord]) -> bool:
    return any(abs(other.at - record.at) <= CONFIRMED_WITHIN for other in others)


def _same_entry(before: datetime, at: datetime, exits: Iterable[datetime]) -> bool:
    return at - before <= CONFIRMED_WITHIN and not any(before < out <= at for out in exits)


def _check_in(record: DoorRecord) -> VenueCheckIn:
    return VenueCheckIn(
        key=record.key,
        subject=record.subject,
        venue=record.venue,
        zone=record.zone,
        at=record.at,
        presence=Presence.STRONG,
    )
