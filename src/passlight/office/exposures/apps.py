"""Django's registration of this app."""

from django.apps import AppConfig


class ExposuresConfig(AppConfig):
    """The app exposures."""

    name = "passlight.office.exposures"
    label = "exposures"
    default_auto_field = "django.db.models.BigAutoField"
