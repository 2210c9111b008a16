"""Cables to the demonstration's gate: pseudo terminals, which it opens as serial ports.

Whoever starts the gate holds both ends for as long as it runs: then a port's name is nobody
else's meanwhile, and the people at the other end may fall and come back.
"""

import os
import tty
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import reduce
from operator import xor
from typing import Self

FIGURES = 3  # a thermometer's reading is the median of three


@dataclass(frozen=True, slots=True, kw_only=True)
class Cable:
    """One pseudo terminal: the device writes to ``device``, the gate opens ``port``."""

    device: int
    gate: int
    port: str

    @classmethod
    def lay(cls) -> Self:
        """Return a new one, without echo or line editing."""
        device, gate = os.openpty()
        tty.setraw(gate)
        return cls(device=device, gate=gate, port=os.ttyname(gate))

    def cut(self) -> None:
        """Close both ends."""
        os.close(self.device)
        os.close(self.gate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cables:
    """The cables of one gate, a reader each."""

    codes: Cable
    cards: Cable
    thermometer: Cable

    @classmethod
    def lay(cls) -> Self:
        """Return new ones."""
        return cls(codes=Cable.lay(), cards=Cable.lay(), thermometer=Cable.lay())

    @property
    def devices(self) -> tuple[int, ...]:
        """Return the ends at which the devices are, as ``Readers`` takes them."""
        return tuple(getattr(self, one.name).device for one in fields(self))

    def cut(self) -> None:
        """Close all."""
        for one in fields(self):
            getattr(self, one.name).cut()


class Readers:
    """A gate's readers as people use them: a code held up, a card laid on, a forehead measured."""

    def __init__(self, devices: Sequence[int]) -> None:
        """Take the device ends of the cables of codes, cards and thermometer."""
        self._codes, self._cards, self._thermometer = devices
        for device in devices:
            os.set_blocking(device, False)  # a gate that does not read must not hold anybody up

    def show_code(self, text: str) -> None:
        """Hold a code before the scanner."""
        _send(self._codes, text)

    def lay_card(self, number: str) -> None:
        """Lay an identity card on the reader."""
        _send(self._cards, f"type=id,value={number}")

    def measure(self, tenths: int) -> None:
        """Let the thermometer see a forehead, ``tenths`` of a degree Celsius warm."""
        frame = f"T={tenths // 10}.{tenths % 10}C"
        line = f"{frame}*{reduce(xor, frame.encode()):02X}"
        for _ in range(FIGURES):
            _send(self._thermometer, line)


def _send(device: int, line: str) -> None:
    with suppress(BlockingIOError):  # unread for long: what a device sends then is lost
        os.write(device, f"{line}\r\n".encode())
