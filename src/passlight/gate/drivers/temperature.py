"""What thermometers have in common: a plausible figure, fresh, the median of three.

A figure that is doubtful in any way is no figure: the record then says "not measured" and the
policy decides. It is never taken for a fever, nor for its absence.
"""

import asyncio
import re
from collections import deque
from functools import reduce
from operator import xor

from passlight.core.entry.presented import Reading
from passlight.gate.drivers.condition import DeviceCondition

COLDEST, HOTTEST = 300, 450
"""Tenths of a degree; colder is the wall behind the person, hotter a wrong unit or a lamp."""
FRESH_SECONDS = 1.0
NEEDED = 3
WAIT_SECONDS = 0.2

_FRAME = re.compile(
    r"T=(?P<figure>[+-]?[0-9]{1,3}(?:\.[0-9]{1,2})?) ?(?P<unit>[CF]?)(?:\*(?P<sum>[0-9A-F]{2}))?"
)


def read_frame(line: str, *, checksum: bool) -> int | str:
    """Return the tenths of a degree Celsius in ``T=36.54C*hh``, or the code of the fault.

    The unit is part of the frame: ``C`` or ``F``, which is converted. ``*hh`` is the exclusive
    or of the bytes before it, in hexadecimal; with ``checksum`` it must be there.
    """
    frame = _FRAME.fullmatch(line.strip())
    if frame is None:
        return "kiosk.device.temperature-frame"
    stated = frame.group("sum")
    if stated is None and checksum:
        return "kiosk.device.temperature-sum"
    if stated is not None:
        body = line.strip().rpartition("*")[0].encode()
        if f"{reduce(xor, body):02X}" != stated:
            return "kiosk.device.temperature-sum"
    if not frame.group("unit"):
        return "kiosk.device.temperature-unit"
    figure = float(frame.group("figure"))
    return tenths(figure if frame.group("unit") == "C" else (figure - 32) / 1.8)


def tenths(celsius: float) -> int:
    """Return the tenths of a degree, half a tenth upwards."""
    return int((celsius * 10 + 0.5) // 1)


class ReadingWindow:
    """The last figures of one thermometer; each is used for one person only."""

    def __init__(
        self, thermometer: str, condition: DeviceCondition, fresh: float = FRESH_SECONDS
    ) -> None:
        self._thermometer = thermometer
        self._fresh = fresh
        self._condition = condition
        self._kept: deque[tuple[float, int]] = deque(maxlen=NEEDED)
        self._came = asyncio.Event()

    def put(self, figure: int) -> None:
        """Take one figure in tenths; what is colder than a person is nobody, not a fault."""
        if figure > HOTTEST:
            self._condition.fault("kiosk.device.temperature-range")
            return
        if figure < COLDEST:
            return
        self._kept.append((self._condition.monotonic, figure))
        self._came.set()

    def forget(self) -> None:
        """Drop what was read: the device is gone, or another person stands there."""
        self._kept.clear()

    async def read(self) -> Reading | None:
        """Return the median of three fresh figures, waiting ``WAIT_SECONDS`` at most."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while (found := self._median()) is None:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            return None
        self.forget()
        return Reading(tenths=found, thermometer=self._thermometer)

    def _median(self) -> int | None:
        since = self._condition.monotonic - self._fresh
        fresh = [figure for at, figure in self._kept if at >= since]
        return sorted(fresh)[1] if len(fresh) == NEEDED else None
