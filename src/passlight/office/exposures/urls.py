"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.exposures import location_views, parameter_views, views

app_name = "exposures"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.index, name="index"),
    path("cases/<int:pk>/", views.case, name="case"),
    path("batches/<uuid:pk>/", views.batch, name="batch"),
    path("batches/<uuid:pk>/<slug:act>/", views.decide, name="decide"),
    path("parameters/", parameter_views.parameters, name="parameters"),
    path("parameters/<int:pk>/", parameter_views.decide, name="decide-parameters"),
    path("cases/<int:pk>/publish/", location_views.publish, name="publish"),
    path("places/", location_views.places, name="places"),
    path("places/<int:pk>/withdraw/", location_views.withdraw, name="withdraw"),
    path("lists/<int:pk>/", location_views.foreign, name="foreign"),
    path("locations/", location_views.public, name="public"),
    path("locations.csv", location_views.public_csv, name="public-csv"),
]
