"""Texts out of the bytes of a reader: one a line, rescued from noise where that is sure.

A reader that is unplugged in the middle of a line, or a cable beside a motor, leaves torn lines
and stray bytes. A code is signed, so that finding it among noise can never make a wrong one.
"""

from dataclasses import dataclass, field

from passlight.core.codes.layout import PHONE_TEXT_LENGTH, PREFIX
from passlight.gate.ports import LONGEST_TEXT

# Bluetooth readers pause inside a code (field/07 4: 80 ms loses characters); a line that stops
# for longer than this is torn.
SILENCE_SECONDS = 3.0
_START = PREFIX.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLine:
    """One line of a reader: the text, or none, and the fault, or none."""

    text: str = field(default="", repr=False)
    fault: str = ""


class LineReader:
    """Collects bytes into lines; never keeps more than one line's worth."""

    def __init__(self, longest: int = LONGEST_TEXT, silence: float = SILENCE_SECONDS) -> None:
        self._longest = longest
        self._silence = silence
        self._kept = bytearray()
        self._skipping = False
        self._last = 0.0

    def feed(self, data: bytes, monotonic: float) -> list[ReadLine]:
        """Return the lines that ``data`` ends, in order."""
        found: list[ReadLine] = []
        if (self._kept or self._skipping) and monotonic - self._last > self._silence:
            if self._kept:
                found.append(ReadLine(fault="kiosk.device.torn"))
            self._kept.clear()
            self._skipping = False
        self._last = monotonic
        pieces = data.replace(b"\n", b"\r").split(b"\r")
        for piece in pieces[:-1]:
            self._keep(piece, found)
            self._end(found)
        self._keep(pieces[-1], found)
        return found

    def forget(self) -> None:
        """Drop a line that can never end: the device is gone."""
        self._kept.clear()
        self._skipping = False

    def _keep(self, piece: bytes, found: list[ReadLine]) -> None:
        if self._skipping:
            return
        room = self._longest - len(self._kept)
        self._kept += piece[:room]
        if len(piece) > room:
            # Handed on cut: the verifier calls it no code, so that the person gets an answer.
            text = bytes(self._kept).decode("utf-8", errors="replace")
            found.append(ReadLine(text=text, fault="kiosk.device.too-long"))
            self._kept.clear()
            self._skipping = True

    def _end(self, found: list[ReadLine]) -> None:
        line, self._kept = bytes(self._kept), bytearray()
        skipped, self._skipping = self._skipping, False
        if not skipped and line:
            found.append(read_line(line))


def read_line(line: bytes) -> ReadLine:
    """Return what one line says: a code out of noise, another text, or a fault."""
    start = line.find(_START)
    if start >= 0 and len(line) - start > PHONE_TEXT_LENGTH:
        start = line.rfind(_START)  # a torn code, and a whole one behind it
    if start >= 0:
        text = line[start:].rstrip(b"\0")
        if text.isascii() and text.decode().isprintable():
            return ReadLine(text=text.decode(), fault="kiosk.device.noise" if start else "")
        return ReadLine(fault="kiosk.device.noise")
    try:
        text_ = line.decode()
    except UnicodeDecodeError:
        return ReadLine(fault="kiosk.device.noise")
    if not text_.isprintable():
        return ReadLine(fault="kiosk.device.noise")
    return ReadLine(text=text_)
