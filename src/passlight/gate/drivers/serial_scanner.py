"""A QR module on a serial port (or a USB one that shows itself as one): a text a line."""

from collections.abc import AsyncIterator

from passlight.core.kernel.clock import Clock
from passlight.gate.drivers.condition import DeviceCondition
from passlight.gate.drivers.intake import Intake
from passlight.gate.drivers.serial_port import SerialLine, serve_serial
from passlight.gate.drivers.texts import LineReader, ReadLine
from passlight.gate.ports import Health, Scan


class SerialScanner:
    """Reads codes from a serial module; lines end in CR or LF."""

    def __init__(self, name: str, line: SerialLine, clock: Clock) -> None:
        self.name = name
        self._line = line
        self._condition = DeviceCondition(clock)
        self._intake: Intake[Scan] = Intake(self._condition)
        self._reader = LineReader()

    def __aiter__(self) -> AsyncIterator[Scan]:
        return aiter(self._intake)

    def health(self) -> Health:
        """Return how it is now."""
        return self._condition.read()

    async def run(self) -> None:
        """Read for ever."""
        await serve_serial(self._line, self._condition, self._took, self._opened)

    def _opened(self, _port: object) -> None:
        self._reader.forget()

    def _took(self, data: bytes) -> None:
        for line in self._reader.feed(data, self._condition.monotonic):
            self._hand_on(line)

    def _hand_on(self, line: ReadLine) -> None:
        if line.fault:
            self._condition.fault(line.fault)
        if line.text:
            self._intake.put(Scan(text=line.text, source=self.name))
