"""Addresses of the office; each app keeps its own."""

from django.urls import include, path

handler500 = "passlight.office.pages.views.fault"
urlpatterns = [
    path("", include("passlight.office.pages.urls")),
    path("", include("passlight.office.accounts.urls")),
    path("people/", include("passlight.office.people.urls")),
    path("feeds/", include("passlight.office.feeds.urls")),
    path("facts/", include("passlight.office.facts.urls")),
    path("packs/", include("passlight.office.packs.urls")),
    path("statuses/", include("passlight.office.statuses.urls")),
    path("venues/", include("passlight.office.venues.urls")),
    path("records/", include("passlight.office.records.urls")),
    path("halls/", include("passlight.office.halls.urls")),
    path("gates/", include("passlight.office.gates.urls")),
    path("incidents/", include("passlight.office.incidents.urls")),
    path("notices/", include("passlight.office.notices.urls")),
    path("exposures/", include("passlight.office.exposures.urls")),
    path("recompute/", include("passlight.office.recompute.urls")),
    path("me/", include("passlight.office.resident.urls")),
    path("checker/", include("passlight.office.checker.urls")),
]
