"""How every command ends: a failure is one line on standard error that says what to do.

Exit status 0 is good, 1 a finding, 2 bad usage or an input that cannot be read (design.md 3);
130 is the shell's own number for a command that was interrupted.
"""

import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from passlight.core.kernel.problem import ProblemError
from passlight.runtime.postgres import PostgresError

BAD_USAGE = 2
INTERRUPTED = 130
#: Errors of a database that went away, by package: a core-only installation has neither.
_DATABASE_PACKAGES = {"psycopg", "django"}
_DATABASE_ERRORS = {"OperationalError", "InterfaceError"}


def run_to_end(run: Callable[[], Any]) -> NoReturn:
    """Run a command and end this process with its status.

    A defect of Passlight keeps its traceback, so that it can be reported.
    """
    try:
        status = run()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()  # the help is what was wanted
        sys.exit(BAD_USAGE)
    except click.ClickException as error:
        _end(_usage(error))
    except (click.Abort, KeyboardInterrupt):
        _end("Interrupted. What was finished is kept; run the command again.", INTERRUPTED)
    except (ProblemError, PostgresError) as error:
        _end(str(error))
    except OSError as error:
        _end(_file_error(error))
    except Exception as error:
        if not is_database_error(error):
            raise
        _end(database_error(error))
    sys.exit(status if isinstance(status, int) else 0)


def is_database_error(error: Exception) -> bool:
    """Return whether the database could not be reached or went away."""
    kind = type(error)
    package = kind.__module__.partition(".")[0]
    return package in _DATABASE_PACKAGES and kind.__name__ in _DATABASE_ERRORS


def database_error(error: Exception) -> str:
    """Return the line about a database that does not answer."""
    said = str(error).strip().partition("\n")[0].rstrip(".")
    return (
        f"The database does not answer ({said}). Start it with passlight migrate, "
        "or check PASSLIGHT_DATABASE_URL."
    )


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    said = " ".join(error.format_message().split())
    said = said if said.endswith((".", "?")) else f"{said}."
    if context is None:
        return said
    return f"{context.command_path}: {said} See '{context.command_path} --help'."


def _file_error(error: OSError) -> str:
    what = error.strerror or str(error)
    where = f"{error.filename}: " if error.filename is not None else ""
    return f"{where}{what}. Check the path, its rights and the room on its disk."


def _end(text: str, status: int = BAD_USAGE) -> NoReturn:
    click.echo(" ".join(text.split()), err=True)
    sys.exit(status)
