"""``passlight``: the operators' command. One module a command, loaded when it is called."""

import importlib
import importlib.util
from functools import partial
from typing import Any

import click

from passlight.cli.errors import run_to_end

# command → module below passlight.cli that defines a click command named ``command``
COMMANDS = {
    "evaluate": "evaluate",
    "trace": "trace",
    "pack": "pack",
    "code": "code",
    "feed": "feed",
    "simulate": "simulate",
    "migrate": "migrate",
    "serve": "serve",
    "demo": "demo",
    "doctor": "doctor",
    "gate": "gate",
    "recompute": "recompute",
}

# command, or one way to call it → what it needs beside the core, each extra with a module of it
NEEDS = {
    "simulate --check": {"city": "numpy"},
    "trace": {"city": "duckdb"},
    "migrate": {"office": "django"},
    "serve": {"office": "django", "gateway": "starlette"},
    "demo": {"office": "django", "gateway": "starlette", "gate": "serial"},
    "doctor": {"office": "psycopg"},
    "gate": {"gate": "serial"},
    "recompute": {"office": "django", "city": "duckdb"},
}


def missing_extras(command: str) -> list[str]:
    """Return the extras that ``command`` needs and that are not installed."""
    return [
        extra
        for extra, module in NEEDS.get(command, {}).items()
        if importlib.util.find_spec(module) is None
    ]


def require_extras(command: str) -> None:
    """Refuse a command whose packages are not installed, and say how to install them.

    Raises:
        click.UsageError: naming the extras that are missing.
    """
    missing = missing_extras(command)
    if missing:
        extras = ",".join(missing)
        raise click.UsageError(
            f"'{command}' needs more than the core. Run: pip install 'passlight[{extras}]'"
        )


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for.

    A gate box has no Django: ``passlight code`` must not load what ``passlight serve`` needs.
    """

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run the command; every failure ends as one line with its status."""
        run: Any = partial(super().main, *args, standalone_mode=False, **extra)
        return run_to_end(run) if standalone_mode else run()

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the commands that can run with what is installed."""
        return sorted(name for name in COMMANDS if not missing_extras(name))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command, or None when there is none of that name."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        require_extras(cmd_name)
        found: Any = importlib.import_module(f"passlight.cli.{module}")
        command: click.Command = found.command
        return command


@click.group(cls=LazyGroup)
@click.version_option(package_name="passlight")
def main() -> None:
    """Passlight 随行码: facts, rules, colours, codes and doors."""


if __name__ == "__main__":
    main(prog_name="passlight")
