"""A process with the command's modules loaded, from which each run of ``passlight`` is forked.

A run is a process of its own, with its own environment, folder, output and status, as an operator
starts it; only Python's own start and the imports, half a second each time, are done once. What
reads the environment while it is imported (Django's settings) is not loaded before the fork.

Run as ``python -m tests.cli.forked``: a JSON object a line in, a JSON status a line out.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

REPOSITORY = Path(__file__).parents[2]
LIMIT_SECONDS = 60
LOADED = ("code", "evaluate", "feed", "pack", "simulate", "migrate", "serve", "demo", "doctor")


class Forks:
    """Runs commands, each in a fork of one process that has them loaded."""

    def __init__(self, folder: Path) -> None:
        self._out, self._err = folder / "out", folder / "err"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.forked"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *arguments: str, environment: dict[str, str], cwd: Path
    ) -> subprocess.CompletedProcess[str]:
        """Run ``passlight`` with these arguments and return what it said, and its status."""
        asked = {
            "arguments": arguments,
            "environment": environment,
            "cwd": str(cwd),
            "out": str(self._out),
            "err": str(self._err),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        status = json.loads(self._process.stdout.readline())
        return subprocess.CompletedProcess(
            arguments, status, self._out.read_text("utf-8"), self._err.read_text("utf-8")
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=30)


def serve() -> None:
    """Fork a process for each line that comes, until there are no more."""
    from passlight.cli.main import main

    for name in LOADED:
        importlib.import_module(f"passlight.cli.{name}")
    assert "passlight.office.settings" not in sys.modules, "it read the environment already"
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _command(json.loads(line), main)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _command(asked: dict, main) -> NoReturn:  # type: ignore[no-untyped-def, type-arg]
    """Become the command: its folder, its environment, its output; end with its status."""
    signal.alarm(LIMIT_SECONDS)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for stream, path, mode in (
        (0, os.devnull, os.O_RDONLY),
        (1, asked["out"], flags),
        (2, asked["err"], flags),
    ):
        opened = os.open(path, mode, 0o600)
        os.dup2(opened, stream)
        os.close(opened)
    status = 1
    try:
        main(asked["arguments"], prog_name="passlight")
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except BaseException:  # noqa: BLE001  # it ends here, whatever it is
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve()
