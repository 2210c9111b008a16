"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.facts import views

app_name = "facts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.index, name="index"),
    path("<int:seq>/", views.detail, name="detail"),
]
