"""A QR module on a serial port (or a USB one that shows itself as one): a text a line."""

from passlight.core.kernel.clock import Clock
from passlight.gate.drivers.intake import InputDriver
from passlight.gate.drivers.serial_port import SerialLine, read_serial
from passlight.gate.drivers.texts import LineReader, ReadLine
from passlight.gate.ports import Scan


class SerialScanner(InputDriver[Scan]):
    """Reads codes from a serial module; lines end in CR or LF."""

    def __init__(self, name: str, line: SerialLine, clock: Clock) -> None:
        super().__init__(name, clock)
        self._line = line
        self._reader = LineReader()

    async def _serve(self) -> None:
        await read_serial(self._line, self._condition, self._took, self._opened)

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
