"""Addresses of this app."""

from django.urls import URLPattern, URLResolver

app_name = "statuses"
urlpatterns: list[URLPattern | URLResolver] = []
