"""Time of the simulated world: whole seconds from a Monday's midnight in the policy zone."""

from datetime import datetime, timedelta, timezone

ZONE = timezone(timedelta(hours=8))
ORIGIN = datetime(2026, 3, 2, tzinfo=ZONE)
MINUTE, HOUR, DAY = 60, 3600, 86_400


def instant(second: int) -> datetime:
    """Return the aware instant of a second of the world."""
    return ORIGIN + timedelta(seconds=int(second))


def second_of(moment: datetime) -> int:
    """Return the second of the world of an instant."""
    return int((moment - ORIGIN).total_seconds())


def iso(second: int) -> str:
    """Return the second as it stands in a file, with its offset."""
    return instant(second).isoformat()
