"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.feeds import views

app_name = "feeds"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.index, name="index"),
    path("upload/", views.upload, name="upload"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/release/", views.release, name="release"),
    path("<int:pk>/resume/", views.resume, name="resume"),
]
