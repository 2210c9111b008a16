"""Who scanned this entrance's venue code just now: at their own door nobody scans twice.

A venue may not ask for both its venue code and the sentinel (field/01 1.2). The list names
nobody: a time, a colour and four signs that the visitor's own page shows as well.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from passlight.core.entry.one_scan import EntryCheckIn, scan_asked
from passlight.core.kernel.problem import ProblemError
from passlight.office.checker.posts import Post
from passlight.office.halls.queries import door_document
from passlight.office.people.models import Person
from passlight.office.records.models import Record

ARRIVALS_MAX = 30
LONGEST = timedelta(hours=24)
SIGNS = 4


def arrivals(post: Post, now: datetime) -> list[dict[str, Any]]:
    """Return the check-ins that this door accepts in place of a scan, newest first."""
    rows = list(_recent(post, now))
    together: dict[str, int] = {}
    for row in rows:
        if row.payload.get("joins"):
            lead = str(row.payload["joins"])
            together[lead] = together.get(lead, 0) + int(row.payload.get("companions") or 0)
    shown = [
        {
            "key": row.key,
            "check": row.key[:SIGNS].upper(),
            "at": row.occurred_at.isoformat(),
            "answer": row.answer or "unknown",
            "companions": together.get(row.key, 0),
        }
        for row in rows
        if not row.payload.get("joins")
    ]
    return shown[:ARRIVALS_MAX]


def person_of(post: Post, key: str, now: datetime) -> Person | None:
    """Return who made a check-in that this door still accepts."""
    row = next((row for row in _recent(post, now) if row.key == key), None)
    if row is None or row.visits_key is None:
        return None
    return Person.objects.filter(visits_key=row.visits_key).first()


def person_by_signs(post: Post, signs: str, now: datetime) -> Person | None:
    """Return who made the one check-in with these signs; two with the same ones are none."""
    found = {row.visits_key for row in _recent(post, now) if row.key[:SIGNS].upper() == signs}
    if len(found) != 1 or None in found:
        return None
    return Person.objects.filter(visits_key=found.pop()).first()


def _recent(post: Post, now: datetime) -> Iterator[Record]:
    venue, entrance = post.venue.pk, post.entrance.code
    try:
        door = door_document(venue, entrance, now)
    except ProblemError:  # a plan with a gap: the door asks everybody to scan
        return
    rows = Record.objects.filter(
        kind="checkin",
        venue_id=venue,
        entrance=entrance,
        occurred_at__gt=now - min(timedelta(minutes=door.one_of_minutes), LONGEST),
    ).order_by("-occurred_at")
    for row in rows[: 4 * ARRIVALS_MAX]:
        check_in = EntryCheckIn(venue=venue, entrance=entrance, at=row.occurred_at)
        if scan_asked(door, check_in, now=now) is None:
            yield row
