"""This app's line in the menu."""

from passlight.office.pages.menu import Entry, register

register(
    Entry(code="venues.menu", route="venues:index", icon="building", action="venues.view", order=50)
)
