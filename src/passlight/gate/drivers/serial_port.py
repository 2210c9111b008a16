"""A serial port under asyncio: no thread, reopened when the cable comes back."""

import asyncio
import termios
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Literal

import serial

from passlight.gate.drivers.condition import DeviceCondition

CHUNK = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialLine:
    """Which port, and how its bits are set."""

    device: str
    baud: int = 9_600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1

    def open(self) -> serial.Serial:
        """Open the port for this process alone.

        Raises:
            OSError: when it is not there or another process has it.
        """
        try:
            return serial.Serial(
                self.device,
                self.baud,
                parity=self.parity,
                stopbits=self.stop_bits,
                timeout=0,
                write_timeout=0,
                exclusive=True,
            )
        except (termios.error, ValueError, RuntimeError) as fault:
            # Not a serial port at all, or one that cannot have this speed.
            raise OSError(f"{self.device} does not take these settings") from fault


async def chunks(port: serial.Serial) -> AsyncIterator[bytes]:
    """Return what arrives, as it arrives.

    Raises:
        OSError: when the device is gone.
    """
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    loop.add_reader(port.fileno(), arrived.set)
    try:
        while True:
            await arrived.wait()
            data = port.read(CHUNK)
            arrived.clear()
            if data:
                yield data
            # One that talks without end must not starve the door.
            await asyncio.sleep(0)
    finally:
        loop.remove_reader(port.fileno())


async def read_serial(
    line: SerialLine,
    condition: DeviceCondition,
    took: Callable[[bytes], None],
    opened: Callable[[serial.Serial | None], None] | None = None,
) -> None:
    """Open ``line`` and hand every byte of it to ``took``; never returns.

    ``opened`` gets the port when it opens and nothing when it is gone.

    Raises:
        OSError: when it is not there, or is unplugged.
    """
    port = line.open()
    try:
        condition.works()
        if opened is not None:
            opened(port)
        async for data in chunks(port):
            took(data)
    finally:
        if opened is not None:
            opened(None)
        port.close()
