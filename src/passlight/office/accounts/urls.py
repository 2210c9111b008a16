"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.accounts import grants, views

app_name = "accounts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", views.log_in, name="login"),
    path("login/code/", views.second_step, name="second-step"),
    path("account/code/", views.authenticator, name="authenticator"),
    path("logout/", views.log_out, name="logout"),
    path("users/", views.user_list, name="users"),
    path("users/add/", views.user_add, name="user-add"),
    path("users/<int:pk>/", views.user_page, name="user"),
    path("users/<int:pk>/lock/", views.user_lock, name="user-lock"),
    path("users/<int:pk>/unlock/", views.user_unlock, name="user-unlock"),
    path("me/grant/", grants.resident_grant, name="resident-grant"),
    path("checker/grant/", grants.checker_grant, name="checker-grant"),
]
