"""Django's registration of this app."""

from django.apps import AppConfig
from django.forms import fields
from django.utils.module_loading import autodiscover_modules

from passlight.office.pages.language import lazy_message


class PagesConfig(AppConfig):
    """The app pages."""

    name = "passlight.office.pages"
    label = "pages"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Read every app's contribution to the menu; an empty field is told what to do about it."""
        autodiscover_modules("menu")
        fields.Field.default_error_messages["required"] = lazy_message("pages.required")
        fields.ChoiceField.default_error_messages["required"] = lazy_message("pages.choose_one")
