"""Test age on a ten-minute grid, counted to now and never only to the start (PL1 2.7)."""

from passlight.core.codes.layout import NO_TEST, START_ZERO, Body

_BIN_MINUTES = 10
_MINUTE_SECONDS = 60
_DAY_SECONDS = 86_400
_HOUR_SECONDS = 3600


def encode_test_age(*, start: int, sampled_at: int | None) -> tuple[int, int]:
    """Return bytes 10 and 11: hours and tens of minutes from the sampling's bin to the start's.

    A sample taken after the start (a start in the last minute) counts as taken at the start.
    """
    if sampled_at is None:
        return NO_TEST, 0
    sampled_bin = (sampled_at - START_ZERO) // (_BIN_MINUTES * _MINUTE_SECONDS)
    bins = max(0, start // _BIN_MINUTES - sampled_bin)
    hours, tens = divmod(bins, 6)
    return (NO_TEST, 0) if hours >= NO_TEST else (hours, tens)


def sampled_from(body: Body) -> int | None:
    """Return S in POSIX seconds: the sampling lies in [S, S + 10 min); None without a test."""
    if body.test_hours == NO_TEST:
        return None
    bins = body.start // _BIN_MINUTES - 6 * body.test_hours - body.test_tens
    return START_ZERO + bins * _BIN_MINUTES * _MINUTE_SECONDS


def age_seconds(sampled: int, *, now: int) -> int:
    """Return the age that counts: to now, at most ten minutes in the resident's favour."""
    return max(0, now - (sampled + _BIN_MINUTES * _MINUTE_SECONDS))


def sampled_on(sampled: int, *, offset: int) -> int:
    """Return the realm's calendar day of S, in days since 1970-01-01 (calendar-day rules)."""
    return (sampled + offset * _MINUTE_SECONDS) // _DAY_SECONDS


def is_within_hours(sampled: int | None, *, now: int, hours_max: int) -> bool:
    """Return whether a test is recent enough by elapsed time."""
    if sampled is None:
        return False
    return age_seconds(sampled, now=now) <= hours_max * _HOUR_SECONDS


def is_within_days(sampled: int | None, *, now: int, days_max: int, offset: int) -> bool:
    """Return whether a test is recent enough by calendar days of the realm."""
    if sampled is None:
        return False
    today = (now + offset * _MINUTE_SECONDS) // _DAY_SECONDS
    return today - sampled_on(sampled, offset=offset) <= days_max
