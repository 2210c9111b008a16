"""What people adds to the menu."""

from passlight.office.accounts.models import User
from passlight.office.pages.menu import Entry, register
from passlight.office.people.models import IdentityTask


def waiting_tasks(_user: User) -> int:
    """Return how many documents came with two names."""
    return IdentityTask.objects.count()


register(
    Entry(
        code="people.menu_find", route="people:find", icon="idcard", action="people.find", order=10
    ),
    Entry(
        code="people.menu_tasks",
        route="people:tasks",
        icon="swap",
        action="people.tasks",
        order=12,
        count=waiting_tasks,
    ),
    Entry(
        code="people.menu_handles",
        route="people:handles",
        icon="user",
        action="people.handles",
        order=60,
    ),
    Entry(
        code="people.menu_access",
        route="people:access",
        icon="eye",
        action="people.access",
        order=5,
    ),
)
