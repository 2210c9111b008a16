"""Wrong passwords cost time: after five, the next try has to wait."""

from datetime import timedelta

from django.db.models import Q

from passlight.core.kernel.clock import Clock
from passlight.office.accounts.models import LoginFailure

WINDOW = timedelta(minutes=15)
FAILURES_A_USER_MAX = 5
FAILURES_AN_ADDRESS_MAX = 50


def wait(
    username: str, address: str, clock: Clock, *, limit: int = FAILURES_A_USER_MAX
) -> timedelta | None:
    """Return how long ``username`` or ``address`` has to wait, None when it need not.

    An empty address is nobody's; ``username`` may be any key whose misses count alike. Each
    failure counts for 15 minutes, so the wait ends by itself: whoever mistypes another
    person's name can delay them, never lock them out.
    """
    now = clock.now()
    counted = [(Q(username=username), limit)]
    if address:
        counted.append((Q(address=address), FAILURES_AN_ADDRESS_MAX))
    for who, most in counted:
        recent = LoginFailure.objects.filter(who, at__gt=now - WINDOW).order_by("-at")
        nth = recent.values_list("at", flat=True)[most - 1 : most].first()
        if nth is not None:
            return nth + WINDOW - now
    return None


def failed(username: str, address: str, clock: Clock) -> None:
    """Record a wrong password or second factor; forget those that no longer count."""
    now = clock.now()
    LoginFailure.objects.filter(at__lte=now - WINDOW).delete()
    LoginFailure.objects.create(username=username[:64], address=address[:45], at=now)


def succeeded(username: str) -> None:
    """Forget the failures of somebody who has proved who they are."""
    LoginFailure.objects.filter(username=username).delete()
