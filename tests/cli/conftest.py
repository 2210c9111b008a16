"""Ports for the tests of commands that listen."""

import socket
from collections.abc import Iterator

import pytest

from passlight.runtime import services


@pytest.fixture
def free_port() -> int:
    """A loopback port that nobody holds."""
    return services.free_port()


@pytest.fixture
def held_port() -> Iterator[int]:
    """A loopback port that this test holds."""
    with socket.socket() as holder:
        holder.bind((services.HOST, 0))
        holder.listen()
        port: int = holder.getsockname()[1]
        yield port
