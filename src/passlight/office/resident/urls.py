"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.resident import views

app_name = "resident"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.code, name="code"),
    path("worker.js", views.worker, name="worker"),
    path("visit/", views.visit, name="visit"),
    path("why/", views.why, name="why"),
    path("access/", views.access, name="access"),
]
