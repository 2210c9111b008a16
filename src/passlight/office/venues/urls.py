"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.venues import poster_views, views

app_name = "venues"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.index, name="index"),
    path("new/", views.register, name="register"),
    path("<uuid:venue_id>/", views.detail, name="detail"),
    path("<uuid:venue_id>/edit/", views.edit, name="edit"),
    path("<uuid:venue_id>/activity/", views.activity, name="activity"),
    path("<uuid:venue_id>/entrances/", views.entrances, name="entrances"),
    path(
        "<uuid:venue_id>/entrances/<str:code>/activity/",
        views.entrance_activity,
        name="entrance_activity",
    ),
    path("<uuid:venue_id>/poster.pdf", poster_views.pdf, name="poster"),
    path("<uuid:venue_id>/poster.png", poster_views.picture, name="poster_picture"),
]
