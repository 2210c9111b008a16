"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.packs import views

app_name = "packs"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.index, name="index"),
    path("shipped/<slug:name>/", views.store_shipped, name="store-shipped"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/difference/<int:other>/", views.difference, name="difference"),
    path("<int:pk>/preview/", views.begin_preview, name="begin-preview"),
    path("<int:pk>/publish/", views.publish, name="publish"),
    path("previews/<int:pk>/continue/", views.continue_preview, name="continue-preview"),
]
