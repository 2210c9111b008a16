"""The plan: which keys and epochs an installation needs at a moment (PL1 2.5, 8). Pure."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from passlight.core.codes.epochs import epoch_at
from passlight.core.codes.layout import Purpose
from passlight.core.codes.trust import TrustedKey

DAY: Final = 86_400
PHONE_SIGNS: Final = 7 * DAY
PHONE_STARTS: Final = PHONE_SIGNS + 3 * DAY + 2 * 3600
PHONE_LISTED: Final = 12 * DAY
# The next key is on every verifier's list for a day and a half before it signs first.
PHONE_AHEAD: Final = 2 * DAY
PHONE_OVERLAP: Final = DAY // 2
STANDING_LISTED: Final = 10 * 365 * DAY
STANDING_PURPOSES: Final = (Purpose.LIST, Purpose.VENUE, Purpose.GRANT)
EPOCHS_AHEAD: Final = 3
# A door's record may come seven days late, of a code in its epoch's overlap: the person behind
# its index can be named only by that epoch's key.
EPOCHS_BEHIND: Final = 8
# Epoch keys are made early, so that a late run at 04:00 leaves nobody without three.
EPOCH_MARGIN: Final = 2 * 3600
RESEAL_SECONDS: Final = DAY


def kept_keys(keys: Iterable[TrustedKey], *, now: int) -> list[TrustedKey]:
    """Return the keys that stay on the list."""
    return [key for key in keys if now < key.listed_until]


def next_phone_start(keys: Iterable[TrustedKey], *, now: int) -> int | None:
    """Return when a new phone key must begin, or None while one lasts long enough."""
    ends = [k.signs_until for k in keys if k.purpose is Purpose.PHONE and not k.revoked]
    last = max(ends, default=0)
    if last <= now:
        return now - now % 60 - 60  # a hot code may start in the minute before
    return last - PHONE_OVERLAP if last - now < PHONE_AHEAD else None


def phone_key(public_key: bytes, *, realm: str, slot_code: int, starts_from: int) -> TrustedKey:
    """Return a phone key with the windows of PL1 8."""
    return TrustedKey(
        realm=realm,
        purpose=Purpose.PHONE,
        public_key=public_key,
        slot_code=slot_code,
        starts_from=starts_from,
        signs_until=starts_from + PHONE_SIGNS,
        starts_until=starts_from + PHONE_STARTS,
        listed_until=starts_from + PHONE_LISTED,
    )


def standing_key(
    public_key: bytes, *, realm: str, purpose: Purpose, starts_from: int
) -> TrustedKey:
    """Return a key that stands until it is replaced by hand: list, venue, grant."""
    until = starts_from + STANDING_LISTED
    return TrustedKey(
        realm=realm,
        purpose=purpose,
        public_key=public_key,
        starts_from=starts_from,
        signs_until=until,
        starts_until=until,
        listed_until=until,
    )


def epochs_in_use(*, now: int, offset: int) -> range:
    """Return the epochs whose keys are made: the last, this one, three ahead."""
    first = epoch_at(now, offset=offset) - 1
    return range(first, epoch_at(now + EPOCH_MARGIN, offset=offset) + EPOCHS_AHEAD + 1)


def epochs_kept(*, now: int, offset: int) -> range:
    """Return the epochs whose keys are not destroyed yet: those in use, and eight days behind.

    Codes and lists are made for the epochs in use alone; the others only name who was at a door
    that could not send its records before (PL1 2.5 says three ahead and the last: the week
    behind is what offline doors cost).
    """
    in_use = epochs_in_use(now=now, offset=offset)
    return range(epoch_at(now, offset=offset) - EPOCHS_BEHIND, in_use.stop)


def without_lost(
    keys: Iterable[TrustedKey], *, held: Collection[bytes], now: int
) -> list[TrustedKey]:
    """Return the list when some phone keys' private halves are gone (a disk restored, a power cut).

    What such a key signed stays good; it signs no more, and one that never signed is dropped.
    """
    kept = []
    for key in keys:
        lost = key.purpose is Purpose.PHONE and not key.revoked and key.kid not in held
        if not lost or now >= key.signs_until:
            kept.append(key)
        elif key.starts_from < now:
            kept.append(replace(key, signs_until=now))
    return kept


def signs_no_more(key: TrustedKey, *, now: int) -> bool:
    """Return whether a key's private half must be destroyed."""
    return key.revoked or now >= key.signs_until


def revoked(keys: Iterable[TrustedKey], kid: bytes) -> list[TrustedKey]:
    """Return the keys with the one named revoked."""
    return [replace(key, revoked=True) if key.kid == kid else key for key in keys]
