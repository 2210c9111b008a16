"""Django's registration of this app."""

from django.apps import AppConfig


class HallsConfig(AppConfig):
    """The app halls."""

    name = "passlight.office.halls"
    label = "halls"
    default_auto_field = "django.db.models.BigAutoField"
