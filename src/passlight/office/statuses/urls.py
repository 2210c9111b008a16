"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.statuses import views

app_name = "statuses"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.index, name="index"),
    path("tasks/", views.tasks, name="tasks"),
    path("<str:handle>/", views.explain_page, name="explain"),
]
