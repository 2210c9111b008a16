"""Keys of an input device, by evdev or from a recording; and what they type.

A scanner that types is a keyboard of the United States' layout (every maker's factory setting);
the code's alphabet is upper case, so that a Caps Lock left on cannot change it.
"""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Protocol

DOWN, REPEAT = 1, 2
ENTER, KEYPAD_ENTER, CAPS_LOCK = 28, 96, 58
SHIFTS = frozenset({42, 54})
_EV_KEY = 1
# Linux's key codes (linux/input-event-codes.h) to the characters without and with Shift.
_PLAIN = {
    **dict(zip(range(2, 14), "1234567890-=", strict=True)),
    **dict(zip(range(16, 28), "qwertyuiop[]", strict=True)),
    **dict(zip(range(30, 42), "asdfghjkl;'`", strict=True)),
    **dict(zip(range(43, 54), "\\zxcvbnm,./", strict=True)),
    57: " ",
    # The number pad, as some readers type digits.
    **dict(zip(range(71, 84), "789-456+1230.", strict=True)),
    55: "*",
    98: "/",
}
_SHIFTED = dict(zip("1234567890-=[];'`\\,./", '!@#$%^&*()_+{}:"~|<>?', strict=True))
_NUMBER_PAD = frozenset({55, 98, *range(71, 84)})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEvent:
    """One key going down (1), repeating (2) or up (0), by Linux's code."""

    code: int
    value: int


class EventSource(Protocol):
    """Where key events come from; the real one grabs its device, so that no desktop reads it."""

    def events(self, opened: Callable[[], None]) -> AsyncGenerator[KeyEvent]:
        """Open the device, call ``opened``, and return its events.

        Raises:
            OSError: when the device is not there, or is gone.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDevice:
    """A device file, as ``/dev/input/by-id/…-event-kbd``."""

    path: str

    async def events(self, opened: Callable[[], None]) -> AsyncGenerator[KeyEvent]:
        """Return its key events; nobody else sees them meanwhile.

        Raises:
            OSError: when the device is not there, is no input device, or is gone.
        """
        import evdev  # only a box with a keyboard loads it

        device = evdev.InputDevice(self.path)
        try:
            device.grab()
            opened()
            async for event in device.async_read_loop():
                if event.type == _EV_KEY:
                    yield KeyEvent(code=event.code, value=event.value)
        finally:
            device.close()


class Typist:
    """What the keys type: text and ends of lines, in the layout of the United States."""

    def __init__(self) -> None:
        self._shift: set[int] = set()
        self._caps = False

    def key(self, event: KeyEvent) -> str:
        """Return the character that the event types, a line's end as CR, or nothing."""
        if event.code in SHIFTS:
            (self._shift.add if event.value else self._shift.discard)(event.code)
            return ""
        if event.value != DOWN:  # nobody holds a scanner's key: a repetition is a stuck one
            return ""
        if event.code == CAPS_LOCK:
            self._caps = not self._caps
            return ""
        if event.code in {ENTER, KEYPAD_ENTER}:
            return "\r"
        return self._typed(event.code)

    def _typed(self, code: int) -> str:
        plain = _PLAIN.get(code, "")
        if code in _NUMBER_PAD:
            return plain
        if plain.isalpha():
            return plain.upper() if bool(self._shift) != self._caps else plain
        return _SHIFTED.get(plain, plain) if self._shift else plain
