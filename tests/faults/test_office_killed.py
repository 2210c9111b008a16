"""kill -9 of the office's server: its worker ends, too, and shares no port with a successor."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from passlight.runtime.services import free_port
from passlight.runtime.settings import child_environment

MOMENT_SECONDS = 40


def children(parent: int) -> list[int]:
    """Return the processes whose parent is ``parent``."""
    found = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(word) for word in found.read_text().split()]


def run_server(target: str, home: Path, *, mark: Path) -> int:
    """Start a server as ``passlight serve`` does, kill it, and return its worker, which had begun."""
    command = ["-m", "granian", "--interface", "wsgi", "--port", str(free_port()), "--workers", "1"]
    with mark.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command, "--no-ws", target],
            env=child_environment(PASSLIGHT_HOME=str(home), PASSLIGHT_KEYS=str(home / "keys")),
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home,
        )
    until = time.monotonic() + MOMENT_SECONDS
    while "Started worker" not in mark.read_text():
        assert time.monotonic() < until, mark.read_text()
        assert process.poll() is None, mark.read_text()
        time.sleep(0.05)
    (worker,) = children(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return worker


def alive(process: int, *, seconds: float) -> bool:
    """Return whether a process goes on for ``seconds``; one that only waits to be read is gone."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except FileNotFoundError:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.fault
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_no_worker_outlives_its_server(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    worker = run_server("passlight.office.wsgi:application", home, mark=tmp_path / "office.log")
    assert not alive(worker, seconds=MOMENT_SECONDS)

    (home / "plain.py").write_text("def application(environ, start): return []\n")
    worker = run_server("plain:application", home, mark=tmp_path / "plain.log")
    try:
        assert alive(worker, seconds=2), "positive control: by itself it would stay"
    finally:
        os.kill(worker, signal.SIGKILL)
