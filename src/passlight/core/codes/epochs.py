"""Epochs: the days of a status index, 1,440 minutes from 04:00 of the realm (PL1 2.5)."""

from typing import Final

from passlight.core.codes.layout import START_ZERO, minutes_of

OVERLAP_MINUTES: Final = 120

_DAY_MINUTES = 1440
_DAWN_MINUTES = 240
_MINUTE_SECONDS = 60


def epoch_of(start: int, *, offset: int) -> int:
    """Return the epoch of a start in minutes since 2026-01-01Z; ``offset`` is the realm's, fixed.

    Clock changes do not exist here: an epoch always has 1,440 minutes.
    """
    return (start + offset - _DAWN_MINUTES) // _DAY_MINUTES


def epoch_start(epoch: int, *, offset: int) -> int:
    """Return an epoch's first minute."""
    return epoch * _DAY_MINUTES + _DAWN_MINUTES - offset


def epoch_end(epoch: int, *, offset: int) -> int:
    """Return the first minute after an epoch."""
    return epoch_start(epoch + 1, offset=offset)


def epoch_at(seconds: int, *, offset: int) -> int:
    """Return the epoch of a POSIX second."""
    return epoch_of(minutes_of(seconds), offset=offset)


def epoch_end_seconds(epoch: int, *, offset: int) -> int:
    """Return the POSIX second at which an epoch ends."""
    return START_ZERO + epoch_end(epoch, offset=offset) * _MINUTE_SECONDS
