"""Readers that type: a USB-HID scanner, a HID card reader, a guard's key pad."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

from passlight.core.codes.layout import PREFIX
from passlight.core.kernel.clock import Clock
from passlight.gate.drivers.condition import DeviceCondition, keep_open
from passlight.gate.drivers.id_texts import read_id_text
from passlight.gate.drivers.intake import Intake
from passlight.gate.drivers.key_events import DOWN, EventSource, Typist
from passlight.gate.drivers.texts import LineReader
from passlight.gate.ports import GuardKey, Health, Pressed, Scan, ShownDocument


class _Typing:
    """A keyboard as a line of text: what the scanner and the card reader have in common."""

    def __init__(self, name: str, events: EventSource, clock: Clock) -> None:
        self.name = name
        self._events = events
        self._condition = DeviceCondition(clock)
        self._typist = Typist()
        self._reader = LineReader()

    def health(self) -> Health:
        """Return how it is now."""
        return self._condition.read()

    async def run(self) -> None:
        """Read for ever."""
        await keep_open(self._serve, self._condition)

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

    def _line(self, text: str) -> None:
        """Take one line that was typed."""


class KeyboardScanner(_Typing):
    """A scanner that types its codes, each ended by Enter."""

    def __init__(self, name: str, events: EventSource, clock: Clock) -> None:
        super().__init__(name, events, clock)
        self._intake: Intake[Scan] = Intake(self._condition)

    def __aiter__(self) -> AsyncIterator[Scan]:
        return aiter(self._intake)

    def _line(self, text: str) -> None:
        # A code has no small letters; a keyboard whose Caps Lock is kept elsewhere types them.
        if text[: len(PREFIX)].upper() == PREFIX:
            text = text.upper()
        self._intake.put(Scan(text=text, source=self.name))


class KeyboardIdReader(_Typing):
    """A card reader that types ``type=id,value=…`` or the bare number, each ended by Enter."""

    def __init__(self, name: str, events: EventSource, clock: Clock) -> None:
        super().__init__(name, events, clock)
        self._intake: Intake[ShownDocument] = Intake(self._condition)

    def __aiter__(self) -> AsyncIterator[ShownDocument]:
        return aiter(self._intake)

    def _line(self, text: str) -> None:
        read = read_id_text(text)
        if isinstance(read, str):
            self._condition.fault(read)
        else:
            self._intake.put(ShownDocument(document=read, source=self.name))


class KeyboardKeys:
    """A guard's key pad: some keys of an input device of its own, by Linux's key codes."""

    def __init__(
        self, name: str, events: EventSource, keys: Mapping[int, GuardKey], clock: Clock
    ) -> None:
        self.name = name
        self._events = events
        self._keys = keys
        self._condition = DeviceCondition(clock)
        self._intake: Intake[Pressed] = Intake(self._condition)

    def __aiter__(self) -> AsyncIterator[Pressed]:
        return aiter(self._intake)

    def health(self) -> Health:
        """Return how it is now."""
        return self._condition.read()

    async def run(self) -> None:
        """Read for ever."""
        await keep_open(self._serve, self._condition)

    async def _serve(self) -> None:
        async with aclosing(self._events.events(self._condition.works)) as events:
            async for event in events:
                key = self._keys.get(event.code)
                if key is not None and event.value == DOWN:
                    self._intake.put(Pressed(key=key, source=self.name))
