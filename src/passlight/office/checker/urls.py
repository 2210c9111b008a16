"""Addresses of this app."""

from django.urls import URLPattern, URLResolver

app_name = "checker"
urlpatterns: list[URLPattern | URLResolver] = []
