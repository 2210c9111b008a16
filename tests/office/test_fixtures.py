"""The database fixtures that every other test of the office stands on."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import psycopg
import pytest
from django.db import ProgrammingError, connection

from passlight.runtime.database import Role
from tests.conftest import Installation


def test_a_role_is_limited_inside_django(
    as_role: Callable[[Role], AbstractContextManager[None]],
) -> None:
    with as_role(Role.OFFICE), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("passlight_office",)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("passlight_owner",)
    with pytest.raises(ProgrammingError), as_role(Role.OFFICE), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE own (id int)")


def test_every_role_can_log_in(role_urls: dict[Role, str]) -> None:
    for role, url in role_urls.items():
        with psycopg.connect(url) as opened:
            assert opened.execute("SELECT current_user").fetchone() == (role.login,)


def test_an_installation_has_its_own_migrated_database(installation: Installation) -> None:
    for role, url in installation.urls.items():
        with psycopg.connect(url) as opened:
            assert opened.execute("SELECT current_user").fetchone() == (role.login,)
    done = installation.run(*("-m", "django", "migrate", "--check"), role=Role.OFFICE)
    assert done.returncode == 0, done.stderr
