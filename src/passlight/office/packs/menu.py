"""This app's line in the menu."""

from passlight.office.pages.menu import Entry, register

register(
    Entry(code="packs.menu", route="packs:index", icon="paper", action="packs.view", order=40),
)
