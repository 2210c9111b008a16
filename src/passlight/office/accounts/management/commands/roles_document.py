"""``python -m django roles_document``: print the table of roles and actions."""

from typing import Any

from django.core.management.base import BaseCommand

from passlight.office.accounts.roles_document import render


class Command(BaseCommand):
    """Prints ``docs/roles.md``."""

    help = "Print the table of roles and actions as Markdown."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print the document."""
        self.stdout.write(render(), ending="")
