"""This app's line in the menu."""

from passlight.office.accounts.models import User
from passlight.office.pages.menu import Entry, register
from passlight.office.recompute.queries import still_different


def _waiting(_user: User) -> int | None:
    return still_different() or None


register(
    Entry(
        code="recompute.menu",
        route="recompute:index",
        icon="again",
        action="recompute.view",
        order=52,
        count=_waiting,
        late=True,
    ),
)
