"""Django's registration of this app."""

from django.apps import AppConfig


class FeedsConfig(AppConfig):
    """The app feeds."""

    name = "passlight.office.feeds"
    label = "feeds"
    default_auto_field = "django.db.models.BigAutoField"
