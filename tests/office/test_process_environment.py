"""What processes are given and leave behind: no owner's password, no log for everybody."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.database import Role, role_passwords, url_for
from passlight.runtime.processes import Supervisor
from passlight.runtime.services import services
from passlight.runtime.settings import child_environment, read_settings


def test_processes_learn_where_the_server_is_and_not_its_owner(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = "postgresql://boss:s3cret-owner@db.example:5433/city?sslmode=require"
    monkeypatch.setenv("PASSLIGHT_DATABASE_URL", owner)
    settings = replace(read_settings(), home=tmp_path, keys=tmp_path / "keys")
    assert settings.database_url == owner, "control"
    role_passwords(settings, SystemEntropy())
    for spec in services(settings):
        given = child_environment(**spec.environment)
        assert "s3cret-owner" not in " ".join([*given.values(), *spec.command])
        theirs = replace(settings, database_url=given["PASSLIGHT_DATABASE_URL"])
        for role in (Role.OFFICE, Role.EVALUATOR, Role.GATEWAY):
            found = urlsplit(url_for(role, theirs))
            assert found.username == role.login
            assert found.password == role_passwords(settings)[role.value]
            assert (found.hostname, found.port, found.path) == ("db.example", 5433, "/city")
            assert found.query == "sslmode=require"


def test_logs_are_their_owners(tmp_path) -> None:
    Supervisor(logs=tmp_path / "logs", clock=SystemClock())
    assert (tmp_path / "logs").stat().st_mode & 0o077 == 0
