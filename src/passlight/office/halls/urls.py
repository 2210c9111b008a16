"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.halls import display_views, plan_views, roster_views, views

app_name = "halls"
urlpatterns: list[URLPattern | URLResolver] = [
    path("places/", views.index, name="index"),
    path("places/new/", views.new, name="new"),
    path("plans/", plan_views.index, name="plans"),
    path("plans/new/", plan_views.new, name="plan_new"),
    path("plans/<uuid:plan_id>/withdraw/", plan_views.withdraw, name="plan_withdraw"),
    path("duty/", roster_views.duty, name="duty"),
    path("duty/<int:duty_id>/withdraw/", roster_views.duty_withdraw, name="duty_withdraw"),
    path("places/<uuid:hall_id>/", views.detail, name="detail"),
    path("places/<uuid:hall_id>/head-count/", views.head_count, name="head_count"),
    path("places/<uuid:hall_id>/state/", views.state, name="state"),
    path("places/<uuid:hall_id>/plan/", plan_views.of_hall, name="plan"),
    path("places/<uuid:hall_id>/staff/", roster_views.staff, name="staff"),
    path(
        "places/<uuid:hall_id>/staff/<int:member_id>/end/", roster_views.staff_end, name="staff_end"
    ),
    path("places/<uuid:hall_id>/display/", display_views.display, name="display"),
    path("places/<uuid:hall_id>/display/now/", display_views.display_now, name="display_now"),
    path("places/<uuid:hall_id>/count/", display_views.count, name="count"),
]
