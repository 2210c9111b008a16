"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from passlight.office.incidents import (
    correction_views,
    district_views,
    isolation_views,
    step_views,
    views,
)

app_name = "incidents"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.index, name="index"),
    path("new/", views.open_new, name="open"),
    path("street/", views.street, name="street"),
    path("corrections/", correction_views.index, name="corrections"),
    path("corrections/<int:pk>/", correction_views.decide, name="correction"),
    path("<uuid:pk>/", views.detail, name="detail"),
    path("<uuid:pk>/present/", views.present, name="present"),
    path("<uuid:pk>/evidence/<uuid:file>/", views.evidence_file, name="file"),
    path("<uuid:pk>/evidence/", step_views.evidence, name="evidence"),
    path("<uuid:pk>/steps/<slug:step>/", step_views.step, name="step"),
    path("<uuid:pk>/receive/", step_views.receive, name="receive"),
    path("<uuid:pk>/excuse/<slug:step>/", step_views.excuse, name="excuse"),
    path("<uuid:pk>/hand-over/", step_views.hand_over, name="hand-over"),
    path("<uuid:pk>/answer/", step_views.answer, name="answer"),
    path("<uuid:pk>/note/", step_views.note, name="note"),
    path("<uuid:pk>/reopen/", step_views.reopen, name="reopen"),
    path("<uuid:pk>/data-error/", correction_views.declare, name="data-error"),
    path("overview/", district_views.district, name="overview"),
    path("isolation/", isolation_views.isolation, name="isolation"),
    path("isolation/changes/", isolation_views.isolation_changes, name="isolation-changes"),
]
