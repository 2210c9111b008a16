"""Every command fails with one line that says what to do, and with status 0, 1 or 2 (design.md 3).

Each case is what a newcomer did to the command; the status is the one that the design names.
Most run in forks of one process that has the command loaded (``forked``); the help, an interrupt
and a port in use run as an operator starts them, and one case runs both ways.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.forked import Forks

REPOSITORY = Path(__file__).parents[2]
PACK = str(REPOSITORY / "policies" / "shanghai-2020-02")
AT = "2020-03-15T12:00:00+09:00"
SEED = "00" * 32
FACT = (
    '{"fact_id":"cdc:case-17","ver":1,"op":"assert","kind":"case.confirmed","subject":"p-0001",'
    '"occurred_at":"2020-03-01T10:00:00+08:00","occurred_until":null,'
    '"recorded_at":"2020-03-01T12:00:00+08:00","source":"cdc","payload":{"case_id":"17"}}\n'
)


def passlight(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does, with a home of its own."""
    return subprocess.run(
        [sys.executable, "-m", "passlight.cli.main", *arguments],
        env=inside(home, environment),
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def inside(home: Path, environment: dict[str, str]) -> dict[str, str]:
    """Return this process's environment with another home, and nothing else of Passlight's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PASSLIGHT_")}
    return {**kept, "PASSLIGHT_HOME": str(home), **environment}


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """The process that commands are forked from."""
    with Forks(tmp_path_factory.mktemp("forks")) as made:
        yield made


class Command:
    """``passlight`` in a fork, with a home of its own."""

    def __init__(self, forks: Forks, folder: Path) -> None:
        self._forks, self._folder = forks, folder

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        home = self._folder / "home"
        return self._forks.run(*arguments, environment=inside(home, environment), cwd=self._folder)


@pytest.fixture
def command(forks: Forks, tmp_path: Path) -> Command:
    """The command, in this test's folder."""
    return Command(forks, tmp_path)


def test_a_fork_says_what_a_process_says(command: Command, tmp_path: Path) -> None:
    for arguments, environment in (
        (("evaluate", "--pack", "nope", "--facts", "-", "--at", AT), {}),
        (("migrate",), {"PASSLIGHT_REALM": "Not A Realm"}),
    ):
        forked = command(*arguments, **environment)
        started = passlight(*arguments, home=tmp_path / "home", **environment)
        assert forked.returncode == started.returncode == 2
        assert (forked.stdout, forked.stderr) == (started.stdout, started.stderr)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nosuch"], "No such command 'nosuch'. See 'passlight --help'"),
        (["evaluate"], "Missing option '--pack'"),
        (["evaluate", "--pack", "nope", "--facts", "-", "--at", AT], "Name a folder"),
        (["evaluate", "--pack", PACK, "--facts", "nope", "--at", AT], "Name a facts file"),
        (["evaluate", "--pack", PACK, "--facts", "-", "--points", "nope"], "(No such file"),
        (["evaluate", "--pack", PACK, "--facts", "-", "--at", AT, "--subjects", "."], "(Is a dir"),
        (["evaluate", "--pack", PACK, "--facts", "-", "--at", AT, "--out", "no/x"], "mkdir -p no"),
        (["evaluate", "--pack", PACK, "--facts", "-", "--at", AT, "--engine", "x"], "is not"),
        (["feed"], "Missing argument 'AGENCY'. Choose from: csv, jsonl"),
        (["feed", "nosuch", "x"], "'nosuch' is not one of"),
        (["feed", "jsonl", "nope", "--out", "x"], "Check the path"),
        (["feed", "jsonl", "facts.jsonl", "--out", "no/x"], "mkdir -p no"),
        (["feed", "jsonl", "facts.jsonl", "--out", "x", "--quarantine", "no/x"], "mkdir -p no"),
        (["feed", "jsonl", "facts.jsonl", "--out", "facts.jsonl"], "would be lost"),
        (["feed", "jsonl", "facts.jsonl"], "Run passlight migrate, or write to a file"),
        (["pack", "check", "."], "is no rule pack"),
        (["pack", "test", "."], "is no rule pack"),
        (["pack", "diff", PACK, "."], "is no rule pack"),
        (["pack", "explain", PACK, "--facts", "no", "--at", AT, "--subject", "p"], "cannot be"),
        (["code", "issue", "--key-file", "nope"], "does not exist"),
        (["code", "issue", "--key-seed-hex", SEED, "--realm", "NO NO"], "a-z, 0-9"),
        (["code", "issue", "--key-seed-hex", SEED, "--paper", "--name", "x", "--birth", "13-45"],
         "month and day"),
        (["code", "verify", "PL1:", "--trust", "facts.jsonl", "--now", "now"], "is not a time"),
        (["code", "inspect"], "Missing argument 'TEXT'"),
        (["simulate"], "Name a folder: --out FOLDER"),
        (["simulate", "--out", "facts.jsonl", "--people", "5"], "Choose a folder"),
        (["simulate", "--out", "sim", "--people", "5", "--days", "2", "--into-database"],
         "Run passlight migrate"),
        (["demo", "--port", "99999"], "1<=x<=65535"),
        (["serve", "--port", "0"], "1<=x<=65535"),
        (["doctor", "--port"], "No such option"),
    ],
)  # fmt: skip
def test_bad_usage_is_one_line_and_status_2(
    arguments: list[str], words: str, tmp_path: Path, command: Command
) -> None:
    (tmp_path / "facts.jsonl").write_text(FACT)
    done = command(*arguments)
    assert words in done.stderr
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("PORT", "abc", "a whole number from 1 to 65535"),
        ("PORT", "99999", "a whole number from 1 to 65535"),
        ("PASSLIGHT_REALM", "Not A Realm", "a-z, 0-9"),
        ("PASSLIGHT_DATABASE_URL", "secret-nonsense", "postgresql://"),
        ("PASSLIGHT_DATABASE_URL", "postgresql://me:secret@host:port/x", "postgresql://"),
        ("PASSLIGHT_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/x", "does not answer"),
        ("PASSLIGHT_PUBLIC_URL", "code.example.cn", "https://"),
        ("PASSLIGHT_HOME", "/dev/null/home", "Check the path"),
    ],
)
@pytest.mark.parametrize("name", ["migrate", "demo", "serve"])
def test_a_setting_that_does_not_go_is_named(
    name: str, variable: str, value: str, words: str, command: Command, free_port: int
) -> None:
    done = command(name, **{"PORT": str(free_port), variable: value})
    assert words in done.stderr
    assert "secret" not in done.stderr
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_a_device_is_never_replaced(tmp_path: Path, command: Command) -> None:
    """A finished draft takes the place of its target; a device or a pipe is no such place."""
    (tmp_path / "facts.jsonl").write_text(FACT)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for arguments in (
        ("feed", "jsonl", "facts.jsonl", "--out", "pipe"),
        ("evaluate", "--pack", PACK, "--facts", "facts.jsonl", "--at", AT, "--out", "pipe"),
    ):
        done = command(*arguments)
        assert (done.returncode, pipe.is_fifo()) == (2, True)
        assert "is no ordinary file" in done.stderr


def test_a_port_in_use_is_named(tmp_path: Path, held_port: int) -> None:
    for command in ("demo", "serve"):
        done = passlight(command, "--port", str(held_port), home=tmp_path / "home")
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert f"Port {held_port} is in use" in done.stderr
        assert not (tmp_path / "home").exists(), "nothing was started"


def test_no_command_shows_the_help(tmp_path: Path) -> None:
    done = passlight(home=tmp_path / "home")
    assert done.returncode == 2
    assert "evaluate" in done.stderr
    assert passlight("--help", home=tmp_path / "home").returncode == 0


def test_ctrl_c_is_no_traceback(tmp_path: Path) -> None:
    """Positive control: the command was at work, since it had opened the pipe of its facts."""
    pipe = tmp_path / "facts.jsonl"
    os.mkfifo(pipe)
    command = ("evaluate", "--pack", PACK, "--facts", str(pipe), "--at", AT)
    process = subprocess.Popen(
        [sys.executable, "-m", "passlight.cli.main", *command],
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts background jobs with SIGINT ignored, and this test may be in one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    writer = opened_for_writing(pipe)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    os.close(writer)
    assert process.returncode == 130
    assert errors.strip() == "Interrupted. What was finished is kept; run the command again."


def opened_for_writing(pipe: Path) -> int:
    """Return the writing end of a named pipe once somebody reads the other."""
    limit = time.monotonic() + 30
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            assert time.monotonic() < limit, "nobody opened the pipe"
            time.sleep(0.05)


def test_a_broken_home_is_looked_at_to_the_end(tmp_path: Path, command: Command) -> None:
    """``doctor`` is for broken installations: it never breaks itself."""
    (tmp_path / "home").write_text("a file where a folder belongs")
    done = command("doctor", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    assert '"what": "database as gateway", "good": false' in done.stdout
    assert '"what": "rules", "good": true, "found": "interpreted' in done.stdout
