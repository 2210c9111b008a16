"""``passlight serve``: run an installation on this machine."""

import signal
import subprocess
import sys
from dataclasses import replace
from types import FrameType

import click

from passlight.runtime.clock import SystemClock
from passlight.runtime.database import embedded
from passlight.runtime.processes import ProcessFailedError, ProcessSpec, Supervisor
from passlight.runtime.services import HOST, environment, port_is_free, services
from passlight.runtime.settings import PORT_MAX, Settings, child_environment, read_settings

PORT = click.IntRange(1, PORT_MAX)


class Stop:
    """Becomes true when the process is asked to end."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)

    def __call__(self) -> bool:
        """Return whether it was asked."""
        return self.asked

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def require_free_port(port: int) -> None:
    """End with status 2 when another program holds the port."""
    if not port_is_free(port):
        click.echo(
            f"Port {port} is in use. Stop the other program, or choose another: PORT=8001 …",
            err=True,
        )
        sys.exit(2)


def migrate(settings: Settings) -> None:
    """Bring database, roles and keys up to date, or end with the status of what failed.

    A process of its own: Django is set up once a process, under one database role.
    """
    done = subprocess.run(
        [sys.executable, "-m", "passlight.cli.main", "migrate", "--quiet"],
        env=child_environment(**environment(settings)),
        check=False,
    )
    if done.returncode != 0:
        sys.exit(max(1, done.returncode))


def run(settings: Settings, *, host: str, extra: list[ProcessSpec], banner: str) -> None:
    """Start all services and ``extra``, print ``banner``, and stay until asked to end."""
    stop = Stop()
    supervisor = Supervisor(logs=settings.home / "logs", clock=SystemClock())
    try:
        for spec in [*services(settings, host=host), *extra]:
            if stop():
                break
            click.echo(f"· starting {spec.name}")
            supervisor.start(spec)
        else:
            click.echo(banner)
            supervisor.watch(stop)
        click.echo("· stopping")
    except ProcessFailedError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    finally:
        supervisor.stop()
        if settings.database_url is None:
            embedded(settings).stop()


@click.command()
@click.option("--port", type=PORT, help="Port of the front (default: PORT, else 8000).")
@click.option("--host", default=HOST, show_default=True, help="Address to listen on.")
def command(port: int | None, host: str) -> None:
    """Migrate, then run office, gateway, worker and front until stopped."""
    settings = read_settings()
    if port is not None:
        settings = replace(settings, port=port, public_url=f"http://{HOST}:{port}")
    require_free_port(settings.port)
    click.echo("· database and keys")
    migrate(settings)
    run(settings, host=host, extra=[], banner=f"Passlight answers on {settings.public_url}")
