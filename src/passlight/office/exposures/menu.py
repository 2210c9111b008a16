"""This app's lines in the menu: what waits for two people, and the public list."""

from passlight.office.accounts.models import User
from passlight.office.exposures.queries import waiting_batches
from passlight.office.pages.menu import Entry, register


def _waiting(user: User) -> int:
    return waiting_batches(user).count()


register(
    Entry(
        code="exposures.menu",
        route="exposures:index",
        icon="users",
        action="exposures.view",
        order=17,
        count=_waiting,
        late=True,
    ),
    Entry(
        code="exposures.places.menu",
        route="exposures:places",
        icon="pin",
        action="exposures.publish",
        order=18,
    ),
    Entry(
        code="exposures.parameters.menu",
        route="exposures:parameters",
        icon="keys",
        action="exposures.parameters",
        order=19,
    ),
)
