"""Time in the simulated district: one fixed offset, whole minutes."""

from datetime import datetime, timedelta, timezone

ZONE = timezone(timedelta(hours=8))
EARLIEST = datetime(2026, 1, 1, tzinfo=ZONE)


def whole_minute(moment: datetime) -> datetime:
    """Return ``moment`` in the district's offset, cut to the minute."""
    return moment.astimezone(ZONE).replace(second=0, microsecond=0)


def iso(moment: datetime) -> str:
    """Return ``2026-03-01T10:00:00+08:00``."""
    return moment.astimezone(ZONE).isoformat(timespec="seconds")
