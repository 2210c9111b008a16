"""A whole Passlight for a browser test: the four processes of an installation, and a town in it."""

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from passlight.runtime.clock import SystemClock
from passlight.runtime.postgres import EmbeddedPostgres
from passlight.runtime.processes import ProcessSpec, Supervisor
from passlight.runtime.services import HOST, answers, free_port, services
from passlight.runtime.settings import Settings
from tests.conftest import Installation, alone, installation_at
from tests.databases import Copies, copy_template

REPOSITORY = Path(__file__).resolve().parents[2]
TOWN = "passlight_town"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A running installation: where it answers, what is in it, how to reach its inside."""

    url: str
    town: dict[str, Any]
    installation: Installation
    supervisor: Supervisor

    def facts_key(self, name: str) -> str:
        """Return a resident's pseudonym in the domain of facts."""
        key: str = self.town["people"][name]["facts_key"]
        return key


@dataclass(frozen=True, kw_only=True)
class Town:
    """The town as it was made once for the run: its database, its home, what is in it."""

    server: EmbeddedPostgres
    database: str
    home: Path
    told: dict[str, Any]


def made_town(copies: Copies) -> Town:
    """Return the town, made by the first process of the run that asks."""
    with alone("town") as run:
        home, told, server = run / "town", run / "town.json", copies.server
        if not told.exists():
            shutil.rmtree(home, ignore_errors=True)
            shutil.copytree(run / "template", home)
            copy_template(server, TOWN)
            seeded = installation_at(server, TOWN, home).run(
                str(REPOSITORY / "tests/browser/district.py")
            )
            assert seeded.returncode == 0, seeded.stderr
            told.write_text(seeded.stdout, encoding="utf-8")
        return Town(
            server=server,
            database=TOWN,
            home=home,
            told=json.loads(told.read_text(encoding="utf-8")),
        )


@contextmanager
def copied(town: Town, home: Path) -> Iterator[Installation]:
    """Make an installation at ``home`` with a copy of the town that nobody else uses."""
    name = f"passlight_{uuid.uuid4().hex[:12]}"
    shutil.copytree(town.home, home)
    with alone("town"):  # one copy at a time: a database is copied only while nobody uses it
        copy_template(town.server, name, template=town.database)
    yield installation_at(town.server, name, home)
    with psycopg.connect(town.server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def running(installation: Installation, told: dict[str, Any]) -> Iterator[Stack]:
    """Run the processes of an installation that the town is in."""
    port = free_port()
    settings = replace(installation.settings, port=port, public_url=f"http://{HOST}:{port}")
    supervisor = Supervisor(logs=settings.home / "logs", clock=SystemClock())
    try:
        for spec in services(settings):
            supervisor.start(_inside(spec, settings))
        yield Stack(
            url=settings.public_url,
            town=told,
            installation=replace(installation, settings=settings),
            supervisor=supervisor,
        )
    finally:
        supervisor.stop()


def _inside(spec: ProcessSpec, settings: Settings) -> ProcessSpec:
    """Return the process with this test's database; it is ready when the whole answers."""
    named = {**spec.environment, "PASSLIGHT_DATABASE_URL": str(settings.database_url)}
    ready = answers(f"{settings.public_url}/healthz") if spec.name == "front" else None
    return replace(spec, environment=named, ready=ready)
