"""Django's registration of this app."""

from django.apps import AppConfig


class ResidentConfig(AppConfig):
    """The app resident."""

    name = "passlight.office.resident"
    label = "resident"
    default_auto_field = "django.db.models.BigAutoField"
