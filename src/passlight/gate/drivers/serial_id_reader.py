"""A card reader on a serial port that writes ``type=id,value=<number>`` a line."""

from collections.abc import AsyncIterator

from passlight.core.kernel.clock import Clock
from passlight.gate.drivers.condition import DeviceCondition
from passlight.gate.drivers.id_texts import read_id_text
from passlight.gate.drivers.intake import Intake
from passlight.gate.drivers.serial_port import SerialLine, serve_serial
from passlight.gate.drivers.texts import LineReader
from passlight.gate.ports import Health, ShownDocument

LONGEST_LINE = 128


class SerialIdReader:
    """Reads identity cards; what was misread is a fault and names nobody."""

    def __init__(self, name: str, line: SerialLine, clock: Clock) -> None:
        self.name = name
        self._line = line
        self._condition = DeviceCondition(clock)
        self._intake: Intake[ShownDocument] = Intake(self._condition)
        self._reader = LineReader(longest=LONGEST_LINE, silence=1.0)

    def __aiter__(self) -> AsyncIterator[ShownDocument]:
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
            if line.fault:
                self._condition.fault(line.fault)
                continue
            read = read_id_text(line.text)
            if isinstance(read, str):
                self._condition.fault(read)
            else:
                self._intake.put(ShownDocument(document=read, source=self.name))
