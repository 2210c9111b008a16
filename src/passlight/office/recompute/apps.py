"""Django's registration of this app."""

from django.apps import AppConfig


class RecomputeConfig(AppConfig):
    """The app recompute."""

    name = "passlight.office.recompute"
    label = "recompute"
    default_auto_field = "django.db.models.BigAutoField"
