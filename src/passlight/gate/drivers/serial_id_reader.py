"""A card reader on a serial port that writes ``type=id,value=<number>`` a line."""

from passlight.core.kernel.clock import Clock
from passlight.gate.drivers.id_texts import read_id_text
from passlight.gate.drivers.intake import InputDriver
from passlight.gate.drivers.serial_port import SerialLine, read_serial
from passlight.gate.drivers.texts import LineReader
from passlight.gate.ports import ShownDocument

LONGEST_LINE = 128


class SerialIdReader(InputDriver[ShownDocument]):
    """Reads identity cards; what was misread is a fault and names nobody."""

    def __init__(self, name: str, line: SerialLine, clock: Clock) -> None:
        super().__init__(name, clock)
        self._line = line
        self._reader = LineReader(longest=LONGEST_LINE, silence=1.0)

    async def _serve(self) -> None:
        await read_serial(self._line, self._condition, self._took, self._opened)

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
