"""Addresses of recompute."""

from django.urls import URLPattern

app_name = "recompute"
urlpatterns: list[URLPattern] = []
