"""``passlight migrate`` on an empty home: server, database, roles, keys; and again."""

import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg

from passlight.runtime.database import Role, embedded, url_for
from passlight.runtime.settings import Settings, child_environment, read_settings


def migrate(settings: Settings) -> subprocess.CompletedProcess[str]:
    environment = child_environment(
        PASSLIGHT_HOME=str(settings.home), PASSLIGHT_KEYS=str(settings.keys)
    )
    environment.pop("PASSLIGHT_DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, "-m", "passlight.cli.main", "migrate"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_from_nothing_and_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = replace(read_settings(), home=home, keys=home / "keys", database_url=None)
    try:
        first = migrate(settings)
        assert first.returncode == 0, first.stderr
        assert "up to date" in first.stdout
        keys = {path.name: path.read_bytes() for path in settings.keys.glob("*.key")}
        for role in Role:
            with psycopg.connect(url_for(role, settings)) as opened:
                assert opened.execute("SELECT current_user").fetchone() == (role.login,)
        with psycopg.connect(url_for(Role.GATEWAY, settings)) as opened:
            assert opened.execute("SELECT count(*) FROM keyring_trustlist").fetchone() == (1,)
        again = migrate(settings)
        assert again.returncode == 0, again.stderr
        after = {path.name: path.read_bytes() for path in settings.keys.glob("*.key")}
        assert {name: after.get(name) for name in keys} == keys, "no key is ever made anew"
        open_to_others = [
            path.name
            for path in settings.keys.iterdir()
            if stat.S_IMODE(path.stat().st_mode) & 0o77
        ]
        assert open_to_others == []
    finally:
        embedded(settings).stop(mode="immediate")


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    environment = child_environment(
        PASSLIGHT_HOME=str(tmp_path),
        PASSLIGHT_KEYS=str(tmp_path / "keys"),
        PASSLIGHT_DATABASE_URL="postgresql://owner:secret@127.0.0.1:1/none",
    )
    done = subprocess.run(
        [sys.executable, "-m", "passlight.cli.main", "migrate"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "127.0.0.1" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr
