"""Django's registration of this app."""

from django.apps import AppConfig


class GatesConfig(AppConfig):
    """The app gates."""

    name = "passlight.office.gates"
    label = "gates"
    default_auto_field = "django.db.models.BigAutoField"
