"""A whole Passlight for a browser test: the four processes of an installation, and a town in it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from passlight.runtime.clock import SystemClock
from passlight.runtime.processes import ProcessSpec, Supervisor
from passlight.runtime.services import HOST, answers, free_port, services
from passlight.runtime.settings import Settings
from tests.conftest import Installation

REPOSITORY = Path(__file__).resolve().parents[2]


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


@contextmanager
def running(installation: Installation) -> Iterator[Stack]:
    """Fill the installation with the town and run its processes."""
    seeded = installation.run(str(REPOSITORY / "tests/browser/district.py"))
    assert seeded.returncode == 0, seeded.stderr
    port = free_port()
    settings = replace(installation.settings, port=port, public_url=f"http://{HOST}:{port}")
    supervisor = Supervisor(logs=settings.home / "logs", clock=SystemClock())
    try:
        for spec in services(settings):
            supervisor.start(_inside(spec, settings))
        yield Stack(
            url=settings.public_url,
            town=json.loads(seeded.stdout),
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
