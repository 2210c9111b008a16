"""A gateway on real HTTP and a real PostgreSQL, with a clock that tests can move."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from passlight.gateway.assembly import Gateway, GatewayConfig, assemble
from passlight.runtime.clock import SystemEntropy
from passlight.runtime.database import Role
from tests.gateway.office import Office, ShiftedClock

PUBLIC_URL = "https://code.example.cn"


class Running:
    """A gateway that serves in a thread of the test's process."""

    def __init__(self, gateway: Gateway, clock: ShiftedClock) -> None:
        self.gateway = gateway
        self.clock = clock
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(gateway.app, log_level="warning", access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()
        until = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < until, "the gateway did not start"
            time.sleep(0.01)
        self.client = httpx.Client(base_url=self.base_url, timeout=10)

    def until(self, holds: Callable[[], Any], *, seconds: float = 10) -> Any:
        """Return what ``holds`` returns, once it is true."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            found = holds()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError("it did not come to hold in time")

    def knows(self, office: Office) -> None:
        """Wait until the gateway has all that the office published."""
        published = self.gateway.published
        venues = len(office.sql("SELECT 1 FROM venues_venue"))
        revoked = len(office.sql("SELECT 1 FROM accounts_revocation"))
        self.until(
            lambda: (
                published.book.as_of
                and published.book.seq == office.seq
                and len(published.venues) == venues
                and len(published.revocations.grants) + len(published.revocations.handles)
                == revoked
            )
        )

    def stop(self) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
def office(installation: Any, clock: ShiftedClock) -> Office:
    return Office(
        url=installation.urls[Role.OWNER],
        keys=installation.settings.keys,
        realm=installation.settings.realm,
        public_url=PUBLIC_URL,
        clock=clock,
    )


@pytest.fixture
def start_gateway(
    installation: Any, clock: ShiftedClock, tmp_path: Path
) -> Iterator[Callable[..., Running]]:
    """Return a function that starts a gateway; all are stopped in the end."""
    running: list[Running] = []

    def start(*, url: Callable[[], str] | None = None, **given: Any) -> Running:
        config = GatewayConfig(
            name="gateway-1",
            realm=installation.settings.realm,
            public_url=PUBLIC_URL,
            keys=installation.settings.keys,
            folder=tmp_path / "gateway-1",
            database_url=url or (lambda: installation.urls[Role.GATEWAY]),
        )
        gateway = assemble(config, clock=clock, entropy=SystemEntropy(), **given)
        running.append(Running(gateway, clock))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def gateway(start_gateway: Callable[..., Running]) -> Running:
    return start_gateway()
