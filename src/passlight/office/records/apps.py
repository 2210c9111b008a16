"""Django's registration of this app."""

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """The app records."""

    name = "passlight.office.records"
    label = "records"
    default_auto_field = "django.db.models.BigAutoField"
