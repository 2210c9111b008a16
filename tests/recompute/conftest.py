"""The environment in which set-based work runs on a test's database."""

import pytest

from passlight.runtime.database import Role


@pytest.fixture
def city(transactional_db, role_urls, monkeypatch, tmp_path):
    """A home of its own, every change carried set-based, a hundred people a bucket or as set."""
    monkeypatch.setenv("PASSLIGHT_HOME", str(tmp_path))
    monkeypatch.setenv("PASSLIGHT_DATABASE_URL", role_urls[Role.OWNER])
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "passlight.office.settings")
    monkeypatch.setenv("PASSLIGHT_ROLE", "evaluator")
    monkeypatch.setenv("PASSLIGHT_SWITCH_PEOPLE", "0")
    monkeypatch.setenv("PASSLIGHT_CITY_BUCKET", "100")
    return tmp_path
