"""Django's registration of this app."""

from django.apps import AppConfig


class VenuesConfig(AppConfig):
    """The app venues."""

    name = "passlight.office.venues"
    label = "venues"
    default_auto_field = "django.db.models.BigAutoField"
