"""Loads Django for a simulation that enters its district into an installation."""

import os

from passlight.core.kernel.problem import Problem, ProblemError


def set_up_office() -> None:
    """Load Django under the role that this process was given (the office's by default).

    Raises:
        ProblemError: when the database does not answer.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "passlight.office.settings")
    import django
    from django.db import DatabaseError, connection

    django.setup()
    try:
        connection.ensure_connection()
    except DatabaseError:
        raise ProblemError(
            Problem(
                code="simulation.no-database",
                message="The installation's database does not answer.",
                remedy="Run passlight migrate first, or leave --into-database out.",
            )
        ) from None
