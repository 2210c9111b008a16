"""This app's lines in the menu."""

from passlight.office.notices.queries import unread_count
from passlight.office.pages.menu import Entry, register

register(
    Entry(
        code="notices.menu",
        route="notices:index",
        icon="bell",
        action="notices.use",
        order=15,
        count=unread_count,
    ),
    Entry(
        code="notices.contacts",
        route="notices:contacts",
        icon="phone",
        action="notices.contacts",
        order=75,
    ),
)
