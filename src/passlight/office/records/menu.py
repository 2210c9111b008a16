"""This app's line in the menu."""

from passlight.office.pages.menu import Entry, register

register(
    Entry(code="records.menu", route="records:index", icon="door", action="records.view", order=60)
)
