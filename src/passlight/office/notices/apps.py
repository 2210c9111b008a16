"""Django's registration of this app."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """The app notices."""

    name = "passlight.office.notices"
    label = "notices"
    default_auto_field = "django.db.models.BigAutoField"
