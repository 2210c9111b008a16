"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.people import lists, views

app_name = "people"
urlpatterns: list[URLPattern | URLResolver] = [
    path("find/", views.find, name="find"),
    path("register/", views.register, name="register"),
    path("handles/", lists.handles, name="handles"),
    path("access/", lists.access_list, name="access"),
    path("tasks/", lists.tasks, name="tasks"),
    path("tasks/<int:pk>/", views.task_page, name="task"),
    path("<uuid:pk>/", views.person_page, name="person"),
    path("<uuid:pk>/reveal/", views.reveal, name="reveal"),
    path("<uuid:pk>/devices/<int:device>/end/", views.end_device, name="end-device"),
]
