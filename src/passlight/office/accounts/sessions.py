"""Ending a session: with it ends every grant that was given in it."""

from django.contrib.auth import logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from passlight.core.kernel.clock import Clock
from passlight.office.accounts import actions

SESSION_GRANTS = "grants"
# One browser renews its grant each time the page is opened; one behind these is ended.
SESSION_GRANTS_MAX = 8


def keep_grant(session: SessionBase, jti: str, *, clock: Clock) -> None:
    """Remember a grant of this session; what no longer fits is ended, so none is forgotten."""
    kept = [*session.get(SESSION_GRANTS, []), jti]
    for surplus in kept[:-SESSION_GRANTS_MAX]:
        actions.revoke_grant(surplus, clock=clock)
    session[SESSION_GRANTS] = kept[-SESSION_GRANTS_MAX:]


def end_session(request: HttpRequest, *, clock: Clock) -> None:
    """Log out, whoever it was and why ever: by hand, after a time, for the next person."""
    for jti in request.session.get(SESSION_GRANTS, []):
        actions.revoke_grant(jti, clock=clock)
    logout(request)
