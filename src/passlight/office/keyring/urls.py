"""Addresses of this app."""

from django.urls import URLPattern, URLResolver

app_name = "keyring"
urlpatterns: list[URLPattern | URLResolver] = []
