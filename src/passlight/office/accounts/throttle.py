"""Guesses cost time: after a few wrong ones, the next try has to wait."""

from datetime import timedelta
from enum import StrEnum

from django.db.models import Q

from passlight.core.kernel.clock import Clock
from passlight.office.accounts.models import LoginFailure

WINDOW = timedelta(minutes=15)
FAILURES_A_USER_MAX = 5
FAILURES_A_NAME_MAX = 50
FAILURES_AN_ADDRESS_MAX = 50
_LONGEST = 64


class Guess(StrEnum):
    """What is being guessed. Kinds never mix: a login name cannot spend a clerk's searches."""

    PASSWORD = "password"  # noqa: S105  # a kind of guess
    CODE = "code"
    DOCUMENT = "document"
    DOOR = "door"
    GATE = "gate"


def wait(
    kind: Guess, name: str, clock: Clock, *, address: str = "", limit: int = FAILURES_A_USER_MAX
) -> timedelta | None:
    """Return how long the next try has to wait, None when it need not.

    Each failure counts for 15 minutes, so the wait ends by itself. With an address, ``limit``
    is for the name from there, and the name from everywhere and the address under every name
    have higher ones: whoever mistypes another person's name from elsewhere does not keep them
    out, and many addresses together get no further than the name's own limit.
    """
    now = clock.now()
    named = Q(username=_key(kind, name))
    counted = [(named, limit)]
    if address:
        counted = [
            (named & Q(address=address), limit),
            (named, FAILURES_A_NAME_MAX),
            (Q(address=address), FAILURES_AN_ADDRESS_MAX),
        ]
    for who, most in counted:
        recent = LoginFailure.objects.filter(who, at__gt=now - WINDOW).order_by("-at")
        nth = recent.values_list("at", flat=True)[most - 1 : most].first()
        if nth is not None:
            return nth + WINDOW - now
    return None


def failed(kind: Guess, name: str, clock: Clock, *, address: str = "") -> None:
    """Record a wrong guess; forget those that no longer count."""
    now = clock.now()
    LoginFailure.objects.filter(at__lte=now - WINDOW).delete()
    LoginFailure.objects.create(username=_key(kind, name), address=address[:45], at=now)


def succeeded(name: str) -> None:
    """Forget the failures of somebody who has proved who they are."""
    keys = [_key(kind, name) for kind in (Guess.PASSWORD, Guess.CODE)]
    LoginFailure.objects.filter(username__in=keys).delete()


def _key(kind: Guess, name: str) -> str:
    return f"{kind}:{name}"[:_LONGEST]
