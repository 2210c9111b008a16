"""An MLX90614-like infrared thermometer on I²C, read over SMBus with its check byte."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from passlight.core.entry.presented import Reading
from passlight.core.kernel.clock import Clock
from passlight.gate.drivers.condition import DeviceCondition, keep_open
from passlight.gate.drivers.temperature import ReadingWindow, tenths
from passlight.gate.ports import Health

ADDRESS = 0x5A
AMBIENT, OBJECT = 0x06, 0x07
KELVIN_A_STEP, ZERO_CELSIUS = 0.02, 273.15
ERROR_FLAG = 0x8000
PAUSE_SECONDS = 0.05


class I2cBus(Protocol):
    """What is needed of ``smbus2.SMBus``."""

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        """Return ``length`` bytes from ``register`` on."""
        ...

    def close(self) -> None:
        """Let the bus go."""
        ...


def open_bus(number: int) -> I2cBus:
    """Return the bus ``/dev/i2c-<number>``.

    Raises:
        OSError: when it is not there.
    """
    import smbus2  # only a box with such a thermometer loads it

    bus: I2cBus = smbus2.SMBus(number)
    return bus


def check_byte(data: bytes) -> int:
    """Return SMBus's packet error code: CRC-8 with polynomial x⁸ + x² + x + 1 (SMBus 3.1, 6.4)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc


def kelvin(bus: I2cBus, address: int, register: int) -> float | str:
    """Return the temperature in a register, or the code of the fault."""
    low, high, stated = bus.read_i2c_block_data(address, register, 3)
    sent = bytes((address << 1, register, address << 1 | 1, low, high))
    if check_byte(sent) != stated:
        return "kiosk.device.temperature-sum"
    steps = high << 8 | low
    if steps & ERROR_FLAG:
        return "kiosk.device.temperature-frame"
    return steps * KELVIN_A_STEP


class Mlx90614:
    """Reads the object temperature some twenty times a second, in a thread.

    ``emissivity`` below 1 corrects for what skin reflects of its surroundings; ``offset`` in °C
    carries the figure from the forehead to the body, as the hall has calibrated it.
    """

    def __init__(
        self,
        name: str,
        open_: Callable[[], I2cBus],
        clock: Clock,
        *,
        thermometer: str,
        address: int = ADDRESS,
        emissivity: float = 1.0,
        offset: float = 0.0,
    ) -> None:
        self.name = name
        self._open = open_
        self._address = address
        self._emissivity = emissivity
        self._offset = offset
        self._condition = DeviceCondition(clock)
        self._window = ReadingWindow(thermometer, self._condition)

    def health(self) -> Health:
        """Return how it is now."""
        return self._condition.read()

    async def run(self) -> None:
        """Read for ever."""
        await keep_open(self._serve, self._condition)

    async def read(self) -> Reading | None:
        """Return the median of three fresh figures, or nothing."""
        return await self._window.read() if self._condition.read().works else None

    async def _serve(self) -> None:
        bus = await asyncio.to_thread(self._open)
        try:
            while True:
                figure = await asyncio.to_thread(self._figure, bus)
                self._condition.works()
                if isinstance(figure, str):
                    self._condition.fault(figure)
                else:
                    self._window.put(figure)
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._window.forget()
            bus.close()

    def _figure(self, bus: I2cBus) -> int | str:
        body = kelvin(bus, self._address, OBJECT)
        if isinstance(body, str):
            return body
        if self._emissivity < 1.0:
            around = kelvin(bus, self._address, AMBIENT)
            if isinstance(around, str):
                return around
            # What reached the sensor is ε of the body's radiation and 1 - ε of the room's.
            own = (body**4 - (1 - self._emissivity) * around**4) / self._emissivity
            body = max(own, 0.0) ** 0.25
        return tenths(body - ZERO_CELSIUS + self._offset)
