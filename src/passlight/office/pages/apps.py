"""Django's registration of this app."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """The app pages."""

    name = "passlight.office.pages"
    label = "pages"
    default_auto_field = "django.db.models.BigAutoField"
