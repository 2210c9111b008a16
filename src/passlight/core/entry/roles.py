"""Roles at a door (field/03 L1): who somebody is to the policies there."""

from typing import Final

CLAIMED: Final = ("visitor", "companion", "courier")
_MINUTE_SECONDS: Final = 60
_DAY_SECONDS: Final = 86_400


def role_for(*, staff: bool, started_today: bool, claimed: str | None = None) -> str:
    """Return the role under which a door decides.

    Staff scan at the start of work and show 24 h then (S4 三(二)4); their later entries of the
    day are those of everybody, 48 h (三(二)1). What somebody claims never makes them staff, and
    never takes the stricter start of work from one who is.
    """
    if staff:
        return "staff-reentry" if started_today else "staff"
    return claimed if claimed in CLAIMED else "visitor"


def started(last_admitted_at: int | None, *, now: int, offset: int) -> bool:
    """Return whether an admitted entry (POSIX seconds) already began this realm's day."""
    if last_admitted_at is None:
        return False
    shift = offset * _MINUTE_SECONDS
    return (last_admitted_at + shift) // _DAY_SECONDS == (now + shift) // _DAY_SECONDS
