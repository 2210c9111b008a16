"""This app's lines in the menu: what waits for somebody, and how many."""

from passlight.office.accounts.models import User
from passlight.office.incidents.queries import corrections_visible, open_incidents, unacknowledged
from passlight.office.pages.menu import Entry, register


def _open(user: User) -> int:
    return open_incidents(user).count()


def _waiting(user: User) -> int:
    return unacknowledged(user).count()


def _undecided(user: User) -> int:
    return corrections_visible(user).filter(decided_at=None).count()


register(
    Entry(
        code="incidents.street.menu",
        route="incidents:street",
        icon="bell",
        action="incidents.street",
        order=4,
        count=_waiting,
        late=True,
    ),
    Entry(
        code="overview.district",
        route="incidents:overview",
        icon="home",
        action="incidents.overview",
        order=5,
    ),
    Entry(
        code="incidents.menu",
        route="incidents:index",
        icon="shield",
        action="incidents.view",
        order=14,
        count=_open,
        late=True,
    ),
    Entry(
        code="incidents.corrections.menu",
        route="incidents:corrections",
        icon="edit",
        action="incidents.corrections",
        order=16,
        count=_undecided,
        late=True,
    ),
    Entry(
        code="overview.isolation_menu",
        route="incidents:isolation",
        icon="door",
        action="incidents.view",
        order=15,
    ),
)
