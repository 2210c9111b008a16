"""Django's registration of this app."""

from django.apps import AppConfig


class FactsConfig(AppConfig):
    """The app facts."""

    name = "passlight.office.facts"
    label = "facts"
    default_auto_field = "django.db.models.BigAutoField"
