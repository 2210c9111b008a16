"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.checker import views

app_name = "checker"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.door, name="door"),
    path("worker.js", views.worker, name="worker"),
    path("post/", views.post, name="post"),
    path("arrivals/", views.recent, name="arrivals"),
    path("arrival/", views.arrival, name="arrival"),
    path("incident/", views.incident, name="incident"),
    path("identity/", views.identity, name="identity"),
    path("document/", views.document, name="document"),
]
