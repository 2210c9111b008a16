"""Django's registration of this app."""

from django.apps import AppConfig


class KeyringConfig(AppConfig):
    """The app keyring."""

    name = "passlight.office.keyring"
    label = "keyring"
    default_auto_field = "django.db.models.BigAutoField"
