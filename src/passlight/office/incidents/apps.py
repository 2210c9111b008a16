"""Django's registration of this app."""

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """The app incidents."""

    name = "passlight.office.incidents"
    label = "incidents"
    default_auto_field = "django.db.models.BigAutoField"
