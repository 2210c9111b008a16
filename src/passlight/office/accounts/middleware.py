"""Sessions end: after a while without use, and after a while whatever happens (field/06 3.11)."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse

from passlight.office.accounts.models import Role
from passlight.office.accounts.sessions import end_session
from passlight.runtime.clock import SystemClock

OFFICE_IDLE = timedelta(minutes=15)
OFFICE_ABSOLUTE = timedelta(hours=12)
# role → (idle, absolute). A checker's shift has quiet hours; a resident's phone is their own,
# and every grant it gets still ends within a day.
LIMITS: dict[str, tuple[timedelta, timedelta]] = {
    Role.RESIDENT: (timedelta(days=30), timedelta(days=90)),
    Role.CHECKER: (timedelta(hours=4), timedelta(hours=12)),
}
OPENED = "opened_at"
SEEN = "seen_at"
# Writing the session once a minute is enough to measure a quarter of an hour.
SEEN_STEP = timedelta(minutes=1)


class SessionLimitsMiddleware:
    """Logs out whoever was idle too long or has been logged in too long."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.clock = SystemClock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, as nobody when the session is over."""
        if request.user.is_authenticated:
            self._touch(request, self.clock.now())
        return self.get_response(request)

    def _touch(self, request: HttpRequest, now: datetime) -> None:
        session = request.session
        role = getattr(request.user, "role", "")
        idle, absolute = LIMITS.get(role, (OFFICE_IDLE, OFFICE_ABSOLUTE))
        opened = datetime.fromisoformat(session.setdefault(OPENED, now.isoformat()))
        seen = datetime.fromisoformat(session.setdefault(SEEN, now.isoformat()))
        if now - seen > idle or now - opened > absolute:
            end_session(request, clock=self.clock)
            request.session["ended"] = "idle" if now - seen > idle else "absolute"
        elif now - seen > SEEN_STEP:
            session[SEEN] = now.isoformat()
