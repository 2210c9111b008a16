"""This app's lines in the menu."""

from passlight.office.pages.menu import Entry, register

register(
    Entry(
        code="overview.district",
        route="incidents:overview",
        icon="home",
        action="incidents.overview",
        order=5,
    ),
    Entry(
        code="overview.isolation_menu",
        route="incidents:isolation",
        icon="hand",
        action="incidents.view",
        order=12,
    ),
)
