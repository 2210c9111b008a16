"""``passlight serve``: run an installation on this machine."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType

import click

from passlight.core.kernel.clock import Clock
from passlight.runtime.clock import SystemClock
from passlight.runtime.database import embedded
from passlight.runtime.postgres import EmbeddedPostgres, PostgresError
from passlight.runtime.processes import ProcessFailedError, ProcessSpec, Supervisor
from passlight.runtime.services import HOST, environment, port_is_free, services
from passlight.runtime.settings import PORT_MAX, Settings, child_environment, read_settings

PORT = click.IntRange(1, PORT_MAX)
DATABASE_AGAIN_SECONDS = 5


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


@contextmanager
def only_here(settings: Settings) -> Iterator[None]:
    """Hold the state folder for this command; end with status 2 when another one has it.

    Two supervisors of one folder would share a database, and the first to end would stop it.
    The lock goes with its process, however that ends.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "lock").open("a+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            click.echo(
                f"{settings.home} is in use by another passlight serve or demo (process "
                f"{held.read().strip()}). Stop that one, or choose another folder: "
                "PASSLIGHT_HOME=…",
                err=True,
            )
            sys.exit(2)
        held.truncate(0)
        held.write(f"{os.getpid()}\n")
        held.flush()
        yield


class DatabaseKeeper:
    """Starts the embedded server again when it fell; one that was stopped stays stopped."""

    def __init__(self, server: EmbeddedPostgres, *, clock: Clock) -> None:
        self._server = server
        self._clock = clock
        self._again = 0.0

    def __call__(self) -> None:
        """Look, and start it when it fell; never more often than every five seconds."""
        if self._clock.monotonic() < self._again or not self._server.fallen():
            return
        self._again = self._clock.monotonic() + DATABASE_AGAIN_SECONDS
        click.echo(f"the database fell; starting it (log: {self._server.log})", err=True)
        try:
            self._server.start()
        except PostgresError as error:  # its last processes may still be ending
            click.echo(str(error), err=True)


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
    clock = SystemClock()
    supervisor = Supervisor(logs=settings.home / "logs", clock=clock)
    try:
        for spec in [*services(settings, host=host), *extra]:
            if stop():
                break
            click.echo(f"· starting {spec.name}")
            supervisor.start(spec)
        else:
            click.echo(banner)
            if settings.database_url is None:
                keeper = DatabaseKeeper(embedded(settings), clock=clock)
                supervisor.watch(stop, besides=keeper)
            else:
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
    """Migrate, then run office, jobs, gateway, worker and front until stopped."""
    settings = read_settings()
    if port is not None:
        settings = replace(settings, port=port, public_url=f"http://{HOST}:{port}")
    require_free_port(settings.port)
    with only_here(settings):
        click.echo("· database and keys")
        migrate(settings)
        run(settings, host=host, extra=[], banner=f"Passlight answers on {settings.public_url}")
