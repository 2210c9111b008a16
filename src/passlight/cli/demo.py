"""``passlight demo``: the product on a simulated district, with one login a role."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import click

from passlight.cli.serve import PORT, migrate, only_here, require_free_port, run
from passlight.runtime.clock import SystemClock
from passlight.runtime.database import Role, url_for
from passlight.runtime.processes import ProcessSpec
from passlight.runtime.services import HOST, answers, environment
from passlight.runtime.settings import (
    Settings,
    child_environment,
    read_settings,
    read_variable,
)
from passlight.simulation.cables import Cables
from passlight.simulation.demo_gate import can_reach, is_enrolled, screen_port, write_config
from passlight.simulation.district import door_file, logins_file, read_door, tests_are_old

SEED_SECONDS = 120
NO_GATE = "none, since a gate takes no unencrypted address of another machine"


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
    """Return the logins of a district with which nothing has to be done, else none."""
    import psycopg

    if not is_enrolled(settings) or tests_are_old(settings, now=SystemClock().now()):
        return []

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


def banner(settings: Settings, logins: list[dict[str, str]], screen: str) -> str:
    """Return what the demonstration prints when it answers; ``screen`` is the gate's address."""
    name, role = (max(len(login[key]) for login in logins) for key in ("username", "role"))
    rows = [
        f"  {login['username']:<{name}}  {login['role']:<{role}}  "
        f"{login['document'] or login['page']}"
        for login in logins
    ]
    return "\n".join(
        [
            "",
            f"Passlight 随行码 answers on {settings.public_url}   (Ctrl-C stops it)",
            f"The screen of its sentinel 数字哨兵: {screen or NO_GATE}",
            "",
            f"Logins, password {logins[0]['password']!r} for all; the residents' documents, and",
            "the page to look at first:",
            *(row.rstrip() for row in rows),
            "",
            f"Style guide: {settings.public_url}/styleguide/   Logs: {settings.home / 'logs'}",
        ]
    )


@contextmanager
def gate_and_walkers(settings: Settings) -> Iterator[tuple[list[ProcessSpec], str]]:
    """Yield the processes of the gate and of those who come to it, and its screen's address."""
    if not can_reach(settings):
        yield [], ""
        return
    port, cables = screen_port(settings), Cables.lay()
    screen = f"http://{HOST}:{port}"
    config = write_config(settings, read_door(door_file(settings)), cables, port=port)
    devices = [str(one) for one in cables.devices]
    gate = ProcessSpec(
        name="gate",
        command=(sys.executable, "-m", "passlight.gate", "--config", str(config)),
        ready=answers(f"{screen}/"),
    )
    walkers = ProcessSpec(
        name="walkers",
        command=(
            *(sys.executable, "-m", "passlight.simulation.walkers"),
            *("--screen", screen, "--readers", *devices),
        ),
        environment=environment(settings),
        descriptors=cables.devices,
    )
    try:
        yield [gate, walkers], screen
    finally:
        cables.cut()


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
        with gate_and_walkers(settings) as (extra, screen):
            run(settings, host=HOST, extra=extra, banner=banner(settings, logins, screen))
