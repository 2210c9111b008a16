"""Django's registration of this app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class PagesConfig(AppConfig):
    """The app pages."""

    name = "passlight.office.pages"
    label = "pages"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Read every app's contribution to the menu."""
        autodiscover_modules("menu")
