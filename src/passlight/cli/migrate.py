"""``passlight migrate``: the database, its tables, its roles and the keys, brought up to date."""

import os

import click
import psycopg
from psycopg import sql

from passlight.core.kernel.problem import Problem, ProblemError
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.database import DATABASE, Role, embedded, role_passwords, url_for
from passlight.runtime.settings import Settings, read_settings

CONNECT_SECONDS = 10
SERVER_VERSION_MIN = 150_000


@click.command("migrate")
@click.option("--quiet", is_flag=True, help="Say nothing when all is well.")
def command(*, quiet: bool) -> None:
    """Create or update the database, the database roles and the key files.

    Starts the embedded PostgreSQL unless PASSLIGHT_DATABASE_URL names a server, and leaves
    it running. Safe to run again: what is there already is kept.
    """
    settings = read_settings()
    start_server(settings)
    migrate(settings, verbosity=0 if quiet else 1)
    if not quiet:
        click.echo("The database, its roles and the keys are up to date.")


def start_server(settings: Settings) -> None:
    """Start the embedded server unless another one is named, and create the database.

    Raises:
        psycopg.OperationalError: when the named server does not answer.
        ProblemError: when it is too old.
    """
    if settings.database_url is not None:
        with psycopg.connect(settings.database_url, connect_timeout=CONNECT_SECONDS) as named:
            _require_version(named.info.server_version)
        return
    server = embedded(settings).start()
    with psycopg.connect(server, autocommit=True) as connection:
        found = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
        ).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _require_version(version: int) -> None:
    if version < SERVER_VERSION_MIN:
        raise ProblemError(
            Problem(
                code="accounts.server-too-old",
                message=f"The server is PostgreSQL {version // 10_000}.",
                remedy=f"Passlight needs PostgreSQL {SERVER_VERSION_MIN // 10_000} or newer.",
            )
        )


def migrate(settings: Settings, *, verbosity: int = 0) -> None:
    """Run the migrations as the owner, then apply roles and grants, then make the keys."""
    # Django's settings read both when they are first used, which is in this process.
    os.environ["PASSLIGHT_ROLE"] = Role.OWNER.value  # noqa: TID251  # set, not read
    os.environ["DJANGO_SETTINGS_MODULE"] = "passlight.office.settings"  # noqa: TID251  # set
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=verbosity)
    from passlight.office.accounts.database_roles import (
        apply_grants,
        check_complete,
        create_roles,
    )

    passwords = role_passwords(settings, SystemEntropy())
    with psycopg.connect(url_for(Role.OWNER, settings)) as connection, connection.cursor() as cur:
        create_roles(cur, passwords)
        check_complete(cur)
        apply_grants(cur)
    make_keys(settings)


def make_keys(settings: Settings) -> None:
    """Make the key files and the trust list that are missing or due."""
    from passlight.office.keyring.actions import ensure_keys
    from passlight.office.people.models import Person
    from passlight.runtime.keys import KeyFolder

    people = Person.objects.count()
    ensure_keys(SystemClock(), SystemEntropy(), KeyFolder(settings.keys), registered=people)
