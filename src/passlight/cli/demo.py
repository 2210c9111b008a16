"""``passlight demo``: the product on a simulated district, with one login a role."""

import json
import subprocess
import sys
from dataclasses import replace

import click

from passlight.cli.serve import PORT, migrate, only_here, require_free_port, run
from passlight.runtime.database import Role, url_for
from passlight.runtime.processes import ProcessSpec
from passlight.runtime.services import HOST, environment
from passlight.runtime.settings import (
    Settings,
    child_environment,
    read_settings,
    read_variable,
)
from passlight.simulation.district import logins_file

SEED_SECONDS = 120


def demo_settings(port: int | None) -> Settings:
    """Return the settings of the demonstration; its state lies apart from an installation's."""
    settings = read_settings()
    if not read_variable("PASSLIGHT_HOME", ""):
        home = settings.home / "demo"
        settings = replace(settings, home=home, keys=home / "keys")
    if port is not None:
        settings = replace(settings, port=port)
    if not read_variable("PASSLIGHT_PUBLIC_URL", ""):
        settings = replace(settings, public_url=f"http://{HOST}:{settings.port}")
    return replace(settings, demo=True)


def known_logins(settings: Settings) -> list[dict[str, str]]:
    """Return the logins of a district that is complete in this database, else none."""
    import psycopg

    try:
        logins: list[dict[str, str]] = json.loads(logins_file(settings).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    names = [login["username"] for login in logins]
    question = "select count(*) from accounts_user where username = any(%s)"
    with psycopg.connect(url_for(Role.OWNER, settings)) as connection:
        row = connection.execute(question, [names]).fetchone()
    return logins if row == (len(names),) else []


def seed(settings: Settings) -> list[dict[str, str]]:
    """Fill the database with the simulated district and return the logins.

    A process of its own, since Django is set up once a process and with one role.
    """
    done = subprocess.run(
        [sys.executable, "-m", "passlight.simulation.district"],
        env=child_environment(**environment(settings)),
        stdout=subprocess.PIPE,
        text=True,
        timeout=SEED_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        click.echo("The simulated district could not be made; see above.", err=True)
        sys.exit(1)
    logins: list[dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    return logins


def banner(settings: Settings, logins: list[dict[str, str]]) -> str:
    """Return what the demonstration prints when it answers."""
    name, role = (max(len(login[key]) for login in logins) for key in ("username", "role"))
    rows = [
        f"  {login['username']:<{name}}  {login['role']:<{role}}  {login['document']}"
        for login in logins
    ]
    return "\n".join(
        [
            "",
            f"Passlight 随行码 answers on {settings.public_url}   (Ctrl-C stops it)",
            "",
            f"Logins, password {logins[0]['password']!r} for all, and the residents' documents:",
            *(row.rstrip() for row in rows),
            "",
            f"Style guide: {settings.public_url}/styleguide/   Logs: {settings.home / 'logs'}",
        ]
    )


@click.command()
@click.option("--port", type=PORT, help="Port to answer on (default: PORT, else 8000).")
def command(port: int | None) -> None:
    """Run everything on a simulated district; data and logins are fictional."""
    settings = demo_settings(port)
    require_free_port(settings.port)
    with only_here(settings):
        click.echo("· database and keys")
        migrate(settings)
        click.echo("· simulated district")
        logins = known_logins(settings) or seed(settings)
        sentinel = ProcessSpec(
            name="sentinel",
            command=(sys.executable, "-m", "passlight.simulation.sentinel"),
            environment=environment(settings),
        )
        run(settings, host=HOST, extra=[sentinel], banner=banner(settings, logins))
