"""Django's registration of this app."""

from django.apps import AppConfig


class PacksConfig(AppConfig):
    """The app packs."""

    name = "passlight.office.packs"
    label = "packs"
    default_auto_field = "django.db.models.BigAutoField"
