"""Addresses of recompute."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.recompute import views

app_name = "recompute"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.index, name="index"),
    path("start/", views.start, name="start"),
    path("<int:pk>/", views.detail, name="detail"),
]
