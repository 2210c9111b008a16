"""This app's lines in the menu."""

from passlight.office.pages.menu import Entry, register

register(
    Entry(code="halls.menu", route="halls:index", icon="pin", action="halls.view", order=40),
    Entry(
        code="halls.plan.menu", route="halls:plans", icon="shield", action="plans.view", order=42
    ),
    Entry(
        code="halls.duty.menu", route="halls:duty", icon="users", action="rosters.view", order=44
    ),
)
