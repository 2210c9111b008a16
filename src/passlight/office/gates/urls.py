"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.gates import machine_views, views

app_name = "gates"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.index, name="index"),
    path("new/", views.new, name="new"),
    path("alarms/", views.alarms, name="alarms"),
    path("alarms/<int:alarm_id>/seen/", views.alarm_seen, name="alarm_seen"),
    path("<uuid:device_id>/", views.detail, name="detail"),
    path("<uuid:device_id>/confirm/", views.confirm_device, name="confirm"),
    path("<uuid:device_id>/end/", views.end, name="end"),
    # What devices ask, in JSON.
    path("initialize", machine_views.start, name="initialize"),
    path("grant", machine_views.grant, name="grant"),
    path("document", machine_views.document, name="document"),
    path("arrival", machine_views.arrival, name="arrival"),
    path("receipt", machine_views.receipt, name="receipt"),
]
