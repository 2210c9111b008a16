"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.incidents import district_views, isolation_views

app_name = "incidents"
urlpatterns: list[URLPattern | URLResolver] = [
    path("overview/", district_views.district, name="overview"),
    path("isolation/", isolation_views.isolation, name="isolation"),
    path("isolation/changes/", isolation_views.isolation_changes, name="isolation-changes"),
]
