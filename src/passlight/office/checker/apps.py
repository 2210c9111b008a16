"""Django's registration of this app."""

from django.apps import AppConfig


class CheckerConfig(AppConfig):
    """The app checker."""

    name = "passlight.office.checker"
    label = "checker"
    default_auto_field = "django.db.models.BigAutoField"
