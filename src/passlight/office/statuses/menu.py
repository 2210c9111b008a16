"""This app's line in the menu."""

from passlight.office.pages.menu import Entry, register

register(
    Entry(
        code="statuses.menu",
        route="statuses:index",
        icon="why",
        action="statuses.view",
        order=50,
    ),
)
