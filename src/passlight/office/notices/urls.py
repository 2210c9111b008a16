"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.notices import contact_views, views

app_name = "notices"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.index, name="index"),
    path("read/", views.read, name="read"),
    path("<int:notice_id>/again/", views.again, name="again"),
    path("contacts/", contact_views.index, name="contacts"),
    path("contacts/add/", contact_views.add, name="contact_add"),
    path("contacts/<uuid:contact_id>/remove/", contact_views.remove, name="contact_remove"),
    path("contacts/<uuid:contact_id>/test/", contact_views.test, name="contact_test"),
]
