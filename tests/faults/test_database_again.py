"""The embedded server falls, is stopped, comes back: whoever was connected finds it again."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from passlight.cli.serve import DatabaseKeeper
from passlight.runtime.clock import SystemClock
from passlight.runtime.postgres import EmbeddedPostgres

MOMENT_SECONDS = 30


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server of this test's own, running."""
    found = EmbeddedPostgres(tmp_path / "postgres", options={"fsync": "off"})
    found.start()
    yield found
    found.stop(mode="immediate")


@pytest.mark.fault
def test_a_server_that_was_stopped_stays_stopped_and_comes_back_where_it_was(
    server: EmbeddedPostgres,
) -> None:
    """Office and worker are told their port once; the drill found them waiting at the old one."""
    keep, before = DatabaseKeeper(server, clock=SystemClock()), server.url("postgres")
    server.stop()
    keep()
    assert not server.running(), "what an operator stopped is the operator's"
    assert server.start() == before
    server.stop()
    with socket.socket() as foreign:
        foreign.bind(("127.0.0.1", int(before.rpartition(":")[2].partition("/")[0])))
        foreign.listen()
        assert server.start() != before, "positive control: a port that is taken is not waited for"


@pytest.mark.fault
def test_a_server_that_was_killed_is_started_again(server: EmbeddedPostgres) -> None:
    keep, before = DatabaseKeeper(server, clock=SystemClock()), server.url("postgres")
    keep()
    assert not server.fallen()
    os.kill(int((server.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    until = time.monotonic() + MOMENT_SECONDS
    while not server.fallen():
        assert time.monotonic() < until
        time.sleep(0.05)
    assert not server.running(), "positive control: it is really gone"
    while not server.running():  # its last processes may hold the first attempt up
        assert time.monotonic() < until
        keep()
        time.sleep(0.1)
    assert server.url("postgres") == before
