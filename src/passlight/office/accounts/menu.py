"""What accounts adds to the menu."""

from passlight.office.pages.menu import Entry, register

register(
    Entry(
        code="accounts.menu_users",
        route="accounts:users",
        icon="users",
        action="users.view",
        order=80,
    ),
    Entry(
        code="accounts.authenticator",
        route="accounts:authenticator",
        icon="lock",
        action="account.use",
        order=90,
    ),
)
