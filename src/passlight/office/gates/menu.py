"""This app's line in the menu."""

from passlight.office.pages.menu import Entry, register

register(Entry(code="gates.menu", route="gates:index", icon="scan", action="gates.view", order=55))
