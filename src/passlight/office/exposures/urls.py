"""Addresses of exposures."""

from django.urls import URLPattern

app_name = "exposures"
urlpatterns: list[URLPattern] = []
