"""This app's line in the menu, with the batches that wait for a person."""

from passlight.office.accounts.models import User
from passlight.office.feeds.queries import waiting
from passlight.office.pages.menu import Entry, register
from passlight.runtime.clock import SystemClock


def _waiting(user: User) -> int:
    return waiting(now=SystemClock().now())


register(
    Entry(
        code="feeds.menu",
        route="feeds:index",
        icon="up",
        action="feeds.view",
        order=20,
        count=_waiting,
        late=True,
    ),
)
