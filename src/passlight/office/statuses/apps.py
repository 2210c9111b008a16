"""Django's registration of this app."""

from django.apps import AppConfig


class StatusesConfig(AppConfig):
    """The app statuses."""

    name = "passlight.office.statuses"
    label = "statuses"
    default_auto_field = "django.db.models.BigAutoField"
