"""``passlight``: the operators' command. One module a command, loaded when it is called."""

import importlib
from typing import Any

import click

# command → module below passlight.cli that defines a click command named ``command``
COMMANDS = {
    "evaluate": "evaluate",
    "pack": "pack",
    "code": "code",
    "feed": "feed",
    "simulate": "simulate",
    "migrate": "migrate",
    "serve": "serve",
    "demo": "demo",
    "doctor": "doctor",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for.

    A gate box has no Django: ``passlight code`` must not load what ``passlight serve`` needs.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command, or None when there is none of that name."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        found: Any = importlib.import_module(f"passlight.cli.{module}")
        command: click.Command = found.command
        return command


@click.group(cls=LazyGroup)
@click.version_option(package_name="passlight")
def main() -> None:
    """Passlight 随行码: facts, rules, colours, codes and doors."""


if __name__ == "__main__":
    main()
