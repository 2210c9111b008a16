"""Django's registration of this app."""

from django.apps import AppConfig


class GatesConfig(AppConfig):
    """The app gates."""

    name = "passlight.office.gates"
    label = "gates"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Sign a door's document anew when what it says has changed."""
        from passlight.office.gates.publishing import publish_changed  # models are ready now
        from passlight.office.venues.doors import listen

        listen(publish_changed)
