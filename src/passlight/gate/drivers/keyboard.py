"""Readers that type: a USB-HID scanner, a HID card reader, a guard's key pad."""

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import aclosing

from passlight.core.codes.layout import PREFIX
from passlight.core.kernel.clock import Clock
from passlight.gate.drivers.id_texts import read_id_text
from passlight.gate.drivers.intake import InputDriver, Shown
from passlight.gate.drivers.key_events import DOWN, EventSource, Typist
from passlight.gate.drivers.texts import LineReader
from passlight.gate.ports import GuardKey, Pressed, Scan, ShownDocument


class _Typing(InputDriver[Shown]):
    """A keyboard as a line of text: what the scanner and the card reader have in common."""

    def __init__(self, name: str, events: EventSource, clock: Clock) -> None:
        super().__init__(name, clock)
        self._events = events
        self._typist = Typist()
        self._reader = LineReader()

    async def _serve(self) -> None:
        # What was held down or half typed when the plug was pulled never ends.
        self._typist = Typist()
        self._reader.forget()
        async with aclosing(self._events.events(self._condition.works)) as events:
            async for event in events:
                typed = self._typist.key(event)
                if typed:
                    self._typed(typed)

    def _typed(self, character: str) -> None:
        for line in self._reader.feed(character.encode(), self._condition.monotonic):
            if line.fault:
                self._condition.fault(line.fault)
            if line.text:
                self._line(line.text)

    @abstractmethod
    def _line(self, text: str) -> None:
        """Take one line that was typed."""


class KeyboardScanner(_Typing[Scan]):
    """A scanner that types its codes, each ended by Enter."""

    def _line(self, text: str) -> None:
        # A code has no small letters; a keyboard whose Caps Lock is kept elsewhere types them.
        if text[: len(PREFIX)].upper() == PREFIX:
            text = text.upper()
        self._intake.put(Scan(text=text, source=self.name))


class KeyboardIdReader(_Typing[ShownDocument]):
    """A card reader that types ``type=id,value=…`` or the bare number, each ended by Enter."""

    def _line(self, text: str) -> None:
        read = read_id_text(text)
        if isinstance(read, str):
            self._condition.fault(read)
        else:
            self._intake.put(ShownDocument(document=read, source=self.name))


class KeyboardKeys(InputDriver[Pressed]):
    """A guard's key pad: some keys of an input device of its own, by Linux's key codes."""

    def __init__(
        self, name: str, events: EventSource, keys: Mapping[int, GuardKey], clock: Clock
    ) -> None:
        super().__init__(name, clock)
        self._events = events
        self._keys = keys

    async def _serve(self) -> None:
        async with aclosing(self._events.events(self._condition.works)) as events:
            async for event in events:
                key = self._keys.get(event.code)
                if key is not None and event.value == DOWN:
                    self._intake.put(Pressed(key=key, source=self.name))
