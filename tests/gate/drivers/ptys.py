"""Cables of the tests: pseudo terminals that a driver opens as a serial port."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

from passlight.gate.ports import Port
from passlight.runtime.clock import SystemClock

CLOCK = SystemClock()


@dataclass
class Cable:
    """One pty: the driver opens ``path``, the test is the device at the other end."""

    master: int
    slave: int
    path: str

    def write(self, data: bytes) -> None:
        """Send as the device."""
        while data:
            data = data[os.write(self.master, data) :]

    async def send(self, data: bytes) -> None:
        """Send more than a pty holds: the driver reads meanwhile."""
        await asyncio.to_thread(self.write, data)

    def read(self) -> bytes:
        """Return what the driver sent."""
        return os.read(self.master, 4096)

    def unplug(self) -> None:
        """Pull the cable out: the driver's next read fails."""
        for end in (self.master, self.slave):
            with suppress(OSError):
                os.close(end)
        self.master = self.slave = -1


def plug_in() -> Cable:
    """A new pty without echo or line editing."""
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    return Cable(master=master, slave=slave, path=os.ttyname(slave))


@contextmanager
def cable() -> Iterator[Cable]:
    """One pty, closed at the end."""
    found = plug_in()
    try:
        yield found
    finally:
        found.unplug()


@asynccontextmanager
async def served(*ports: Port) -> AsyncIterator[None]:
    """Ports that run meanwhile, each known to be open."""
    tasks = [asyncio.create_task(port.run()) for port in ports]
    try:
        for port in ports:
            await until(lambda port=port: port.health().works)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(true: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until something holds; the test fails when it never does."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  # what is watched has no event of its own
            await asyncio.sleep(0.005)
