"""A relay or turnstile on a serial line that speaks Modbus RTU: one coil opens.

One loop writes the coil and reads it back, several times a minute too when nothing happens: a
write that was lost on the line is made again, and a coil found open without an order is closed.
"""

import asyncio
from dataclasses import dataclass

from pymodbus import ModbusException
from pymodbus.client import AsyncModbusSerialClient

from passlight.core.kernel.clock import Clock
from passlight.gate.drivers.condition import DeviceCondition, keep_open
from passlight.gate.drivers.serial_port import SerialLine
from passlight.gate.ports import Health

REPLY_SECONDS = 0.25
WATCH_SECONDS = 2.0
ANSWER_SECONDS = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Coil:
    """Which coil of which device on the line; ``inverted`` where a set coil means closed."""

    device_id: int = 1
    address: int = 0
    inverted: bool = False


class ModbusRelay:
    """Opens a door by a coil, and closes it again, whatever it takes."""

    def __init__(self, name: str, line: SerialLine, coil: Coil, clock: Clock) -> None:
        self.name = name
        self._line = line
        self._coil = coil
        self._clock = clock
        self._condition = DeviceCondition(clock)
        self._open_until = 0.0
        self._wake = asyncio.Event()
        self._opened = asyncio.Event()

    def health(self) -> Health:
        """Return how it is now."""
        return self._condition.read()

    async def run(self) -> None:
        """Hold the line for ever."""
        await keep_open(self._serve, self._condition)

    async def open(self, seconds: float) -> bool:
        """Set the coil for ``seconds`` and return whether the device has confirmed it in time.

        An order that could not be given lapses: a door must not open for somebody long gone.
        """
        if not self._condition.read().works:
            return False
        self._open_until = self._clock.monotonic() + seconds
        self._opened.clear()
        self._wake.set()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._opened.wait()
        except TimeoutError:
            self._open_until = 0.0
            self._wake.set()
            return False
        return True

    async def _serve(self) -> None:
        client = AsyncModbusSerialClient(
            self._line.device,
            baudrate=self._line.baud,
            parity=self._line.parity,
            stopbits=self._line.stop_bits,
            timeout=REPLY_SECONDS,
            retries=1,
            reconnect_delay=0,
        )
        try:
            if not await client.connect():
                raise OSError(f"{self._line.device} does not open")
            while True:
                await self._write(client)
                self._condition.works()
                await self._wait()
        except ModbusException as fault:
            raise OSError(str(fault)) from fault
        finally:
            self._open_until = 0.0
            client.close()

    async def _write(self, client: AsyncModbusSerialClient) -> None:
        """Write what the door shall be now and read it back.

        Raises:
            OSError: when the device refuses.
            ModbusException: when it does not answer.
        """
        self._wake.clear()
        wanted = self._clock.monotonic() < self._open_until
        bit = wanted != self._coil.inverted
        device, address = self._coil.device_id, self._coil.address
        written = await client.write_coil(address, bit, device_id=device)
        read = await client.read_coils(address, count=1, device_id=device)
        if written.isError() or read.isError():
            raise OSError("the relay refuses the order")
        if bool(read.bits[0]) is not bit:
            raise OSError("the relay does not hold what was written")
        if wanted:
            self._opened.set()

    async def _wait(self) -> None:
        left = self._open_until - self._clock.monotonic()
        seconds = min(left, WATCH_SECONDS) if left > 0 else WATCH_SECONDS
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                await self._wake.wait()
        except TimeoutError:
            return
