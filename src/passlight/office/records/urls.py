"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.records import views

app_name = "records"
urlpatterns: list[URLPattern | URLResolver] = [path("", views.index, name="index")]
