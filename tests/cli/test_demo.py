"""``passlight demo`` as a newcomer runs it: started, killed, started again, stopped by Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from passlight.runtime.postgres import EmbeddedPostgres

READY_SECONDS = 150
MOMENT_SECONDS = 30


class Demo:
    """One run of the command, with a home and a port of its own."""

    def __init__(self, home: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = home.parent / f"demo-{time.monotonic_ns()}.log"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "passlight.cli.main", "demo"],
                env={**environment(home), "PORT": str(port)},
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def until_ready(self) -> str:
        """Return what was printed once the banner is there."""
        limit = time.monotonic() + READY_SECONDS
        while "Ctrl-C stops it" not in (said := self.log.read_text()):
            assert self.process.poll() is None, said
            assert time.monotonic() < limit, said
            time.sleep(0.1)
        time.sleep(0.2)  # the banner is one write; its last line follows at once
        return self.log.read_text()

    def end(self, number: signal.Signals) -> int:
        """Send a signal to the command alone and return its status."""
        self.process.send_signal(number)
        return self.process.wait(MOMENT_SECONDS)


def environment(home: Path) -> dict[str, str]:
    """Return this process's environment without what the tests have set for themselves."""
    kept = {name: text for name, text in os.environ.items() if "PASSLIGHT_" not in name}
    return {**kept, "PASSLIGHT_HOME": str(home)}


def silent(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/healthz", timeout=2).close()
    except urllib.error.HTTPError:
        return False
    except OSError:
        return True
    return False


def until_health(url: str, *, ready: bool) -> None:
    """Wait until the front says that all is ready, or that something is not."""
    limit = time.monotonic() + MOMENT_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=5).close()
            found = True
        except urllib.error.HTTPError:
            found = False
        if found is ready:
            return
        assert time.monotonic() < limit, f"ready is still {found}"
        time.sleep(0.2)


def screen_of(said: str) -> str:
    """Return the address of the sentinel's screen in the banner."""
    found = re.search(r"sentinel.*: (http://127\.0\.0\.1:\d+)$", said, flags=re.MULTILINE)
    assert found is not None, said
    return found[1]


def gate_status(home: Path) -> dict[str, object]:
    """Return what ``passlight gate status`` says of the demonstration's gate."""
    config = str(home / "gate" / "gate.toml")
    done = subprocess.run(
        [sys.executable, "-m", "passlight.cli.main", "gate", "--config", config, "status"],
        stdout=subprocess.PIPE,
        text=True,
        timeout=MOMENT_SECONDS,
        check=False,
    )
    said: dict[str, object] = json.loads(done.stdout)
    return said


def doctor(home: Path) -> str:
    """Return what ``passlight doctor`` says of the running demonstration."""
    return subprocess.run(
        [sys.executable, "-m", "passlight.cli.main", "doctor"],
        env=environment(home),
        stdout=subprocess.PIPE,
        text=True,
        timeout=2 * MOMENT_SECONDS,
        check=False,
    ).stdout


def until_gate(home: Path, **wanted: object) -> dict[str, object]:
    """Wait until the gate says so of itself; it writes that down every ten seconds."""
    limit = time.monotonic() + 2 * MOMENT_SECONDS
    while not wanted.items() <= (said := gate_status(home)).items():
        assert time.monotonic() < limit, said
        time.sleep(1)
    return said


def pid_of(home: Path) -> int:
    """Return the process of the gate: the one that has this home's file on its command line."""
    config = str(home / "gate" / "gate.toml").encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (folder / "cmdline").read_bytes().split(b"\0")[-2:-1] == [config]:
                return int(folder.name)
    return 0


def rows_of(said: str) -> dict[str, list[str]]:
    """Return the words of each login's row."""
    rows = re.findall(r"^  ([a-z-]+)  +([a-z-]+)(?:  +(\S+))?$", said, flags=re.MULTILINE)
    return {name: [word for word in rest if word] for name, *rest in rows}


@pytest.mark.fault
def test_killed_and_started_again_it_is_the_same_district(tmp_path: Path, free_port: int) -> None:
    home = tmp_path / "home"
    server = EmbeddedPostgres(home / "postgres")
    first = Demo(home, free_port)
    try:
        said = first.until_ready()
        assert "400 people" in said
        logins = rows_of(said)
        assert logins["checker"] == ["checker", "/checker/"]
        assert logins["manager"] == ["hall-manager", "/gates/"]
        assert logins["leader"] == ["duty-leader", "/incidents/isolation/"]
        number = logins["resident-green"][1]
        assert re.fullmatch(r"999999\d{11}[\dX]", number), "a resident id of nobody's region"
        assert json.loads(urllib.request.urlopen(f"{first.url}/healthz").read())["ready"]

        assert urllib.request.urlopen(screen_of(said)).status == 200
        until_gate(home, enrolled=True, online=True, clock_sure=True)
        assert "✓ gates: 1 of 1 heard" in doctor(home)
        identity = (home / "gate" / "state" / "identity.json").read_bytes()
        killed = pid_of(home)
        os.kill(killed, signal.SIGKILL)
        limit = time.monotonic() + MOMENT_SECONDS
        while pid_of(home) in {0, killed} or silent(screen_of(said)):
            assert time.monotonic() < limit, "nobody started the gate again"
            time.sleep(0.2)

        server.stop()
        until_health(first.url, ready=False)
        server.start()
        until_health(first.url, ready=True)  # office, worker and gateway by themselves

        first.end(signal.SIGKILL)
        assert server.running(), "positive control: the database outlives the command"
        limit = time.monotonic() + MOMENT_SECONDS
        while not silent(first.url):
            assert time.monotonic() < limit, "the processes outlived their supervisor"
            time.sleep(0.1)

        second = Demo(home, free_port)
        try:
            again = second.until_ready()
            assert rows_of(again) == logins
            assert "400 people" not in again, "nothing is seeded twice"
            assert urllib.request.urlopen(screen_of(again)).status == 200
            assert (home / "gate" / "state" / "identity.json").read_bytes() == identity
            until_gate(home, enrolled=True, online=True, revoked=False)
            assert second.end(signal.SIGINT) == 0
            assert second.log.read_text().endswith("· stopping\n")
            assert silent(second.url)
            assert not server.running()
        finally:
            second.process.kill()
    finally:
        first.process.kill()
        server.stop(mode="immediate")
