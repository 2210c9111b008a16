"""A thermometer on a serial port that writes ``T=36.54C`` lines, by itself or when asked."""

import asyncio
from contextlib import suppress

import serial

from passlight.core.entry.presented import Reading
from passlight.core.kernel.clock import Clock
from passlight.gate.drivers.condition import DeviceCondition, keep_open
from passlight.gate.drivers.serial_port import SerialLine, read_serial
from passlight.gate.drivers.temperature import FRESH_SECONDS, ReadingWindow, read_frame
from passlight.gate.drivers.texts import LineReader
from passlight.gate.ports import Health

LONGEST_LINE = 32
ASK_TIMES = 3


class SerialThermometer:
    """Reads a serial thermometer; ``ask`` is the text that asks for one figure, or empty."""

    def __init__(
        self,
        name: str,
        line: SerialLine,
        clock: Clock,
        *,
        thermometer: str,
        ask: str = "",
        checksum: bool = False,
        fresh: float = FRESH_SECONDS,
    ) -> None:
        self.name = name
        self._line = line
        self._ask = ask.encode()
        self._checksum = checksum
        self._condition = DeviceCondition(clock)
        self._window = ReadingWindow(thermometer, self._condition, fresh)
        self._reader = LineReader(longest=LONGEST_LINE, silence=0.5)
        self._port: serial.Serial | None = None

    def health(self) -> Health:
        """Return how it is now."""
        return self._condition.read()

    async def run(self) -> None:
        """Read for ever."""
        await keep_open(self._serve, self._condition)

    async def read(self) -> Reading | None:
        """Return the median of three fresh figures, or nothing."""
        if self._port is None:
            return None
        if self._ask:
            with suppress(OSError):  # the reading side notices, and opens it again
                self._port.write(self._ask * ASK_TIMES)
            await asyncio.sleep(0)
        return await self._window.read()

    async def _serve(self) -> None:
        await read_serial(self._line, self._condition, self._took, self._opened)

    def _opened(self, port: serial.Serial | None) -> None:
        self._port = port
        self._reader.forget()
        self._window.forget()

    def _took(self, data: bytes) -> None:
        for line in self._reader.feed(data, self._condition.monotonic):
            figure = line.fault or read_frame(line.text, checksum=self._checksum)
            if isinstance(figure, str):
                self._condition.fault(figure)
            else:
                self._window.put(figure)
