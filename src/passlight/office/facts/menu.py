"""This app's line in the menu."""

from passlight.office.pages.menu import Entry, register

register(
    Entry(code="facts.menu", route="facts:index", icon="list", action="facts.view", order=30),
)
