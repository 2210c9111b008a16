"""Readers that type, from recorded key events; there is no /dev/input in the machines of tests."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from passlight.gate.drivers.key_events import CAPS_LOCK, InputDevice, KeyEvent, Typist
from passlight.gate.drivers.keyboard import KeyboardIdReader, KeyboardKeys, KeyboardScanner
from passlight.gate.ports import LONGEST_TEXT, Condition, GuardKey, Scan
from tests.gate.drivers.ptys import CLOCK, served, until
from tests.gate.drivers.us_keys import ENTER, LEFT_SHIFT, typed

# Every character of the code's alphabet (RFC 9285 table 1), in the order of that table.
CODE = "PL1:0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
RECORDED = Path(__file__).parent / "scanner.events"


@dataclass
class Replay:
    """An input device that plays a recording, then stays silent or is pulled out."""

    recorded: list[tuple[int, int]]
    gone: bool = False
    opened: int = 0
    more: asyncio.Queue[tuple[int, int]] = field(default_factory=asyncio.Queue)

    async def events(self, opened: Callable[[], None]) -> AsyncGenerator[KeyEvent]:
        self.opened += 1
        opened()
        for code, value in self.recorded:
            yield KeyEvent(code=code, value=value)
        if self.gone and self.opened == 1:
            raise OSError(19, "No such device")
        while True:
            code, value = await self.more.get()
            yield KeyEvent(code=code, value=value)


def recorded() -> list[tuple[int, int]]:
    """The key events of the recording (``E: time type code value``, EV_KEY is type 1)."""
    rows = (line.split() for line in RECORDED.read_text().splitlines() if line.startswith("E:"))
    return [(int(code, 16), int(value)) for _, _, kind, code, value in rows if int(kind, 16) == 1]


def scanned(events: list[tuple[int, int]], count: int = 1) -> list[str]:
    async def run() -> list[str]:
        scanner = KeyboardScanner("code", Replay(events), CLOCK)
        async with served(scanner):
            return [(await anext(aiter(scanner))).text for _ in range(count)]

    return asyncio.run(run())


def test_the_recording_types_the_whole_alphabet() -> None:
    assert scanned(recorded()) == [CODE]
    assert typed(CODE) == recorded()


@pytest.mark.parametrize("lock", [[(CAPS_LOCK, 1), (CAPS_LOCK, 0)], []])
def test_caps_lock_changes_no_code(lock: list[tuple[int, int]]) -> None:
    """With the lock on, a scanner that does not know of it types small letters."""
    assert scanned([*lock, *typed(CODE, caps=False)]) == [CODE]
    assert scanned([*lock, *typed(CODE, caps=True)]) == [CODE]


def test_small_letters_of_another_text_stay() -> None:
    assert scanned(typed("https://a.example/V")) == ["https://a.example/V"]


def test_a_stuck_key_types_once() -> None:
    events = typed("PL1:A")
    at = events.index((30, 1)) + 1
    assert scanned([*events[:at], (30, 2), (30, 2), *events[at:]]) == ["PL1:A"]


def test_a_megabyte_is_cut_off() -> None:
    async def run() -> tuple[Scan, str]:
        # 20,000 characters stand for the megabyte: a keyboard types 1,000 a second.
        scanner = KeyboardScanner("code", Replay(typed("7" * 20_000)), CLOCK)
        async with served(scanner):
            return await anext(aiter(scanner)), scanner.health().code

    found, fault = asyncio.run(run())
    assert (found.text, fault) == ("7" * LONGEST_TEXT, "kiosk.device.too-long")


def test_unplugged_in_the_middle_of_a_code() -> None:
    """The half code is not joined to the next one, and a held Shift is let go."""

    async def run() -> None:
        # The last event is Shift going down for the colon: it never comes up.
        half = typed("PL1:")[: typed("PL1:").index((39, 1))]
        assert half[-1] == (LEFT_SHIFT, 1)
        replay = Replay(half, gone=True)
        scanner = KeyboardScanner("code", replay, CLOCK)
        task = asyncio.create_task(scanner.run())
        await until(lambda: scanner.health().code == "kiosk.device.gone")
        assert scanner.health().params == {"reason": "No such device"}
        replay.recorded = typed("PL1:9")
        async with asyncio.timeout(5):
            assert (await anext(aiter(scanner))).text == "PL1:9"
        assert scanner.health().condition is Condition.OK
        task.cancel()

    asyncio.run(run())


def test_a_card_reader_that_types() -> None:
    """11010519491231002X is the example of GB 11643-1999 itself."""

    async def run() -> None:
        events = [
            *typed("110105194912310021"),
            *typed("11010519491231002X"),
            *typed("TYPE=ID,VALUE=11010519491231002X"),
        ]
        reader = KeyboardIdReader("id_card", Replay(events), CLOCK)
        async with served(reader):
            for _ in range(2):
                shown = await anext(aiter(reader))
                assert shown.document.canonical == b"resident-id\x1f11010519491231002X"
                assert "1101" not in repr(shown)
            assert (reader.health().code, reader.health().faults) == ("kiosk.device.id-read", 1)

    asyncio.run(run())


def test_a_guards_key_pad() -> None:
    async def run() -> None:
        pad = {79: GuardKey.GUARD_OK, 80: GuardKey.EXIT}
        events = [(79, 1), (79, 2), (79, 0), (30, 1), (30, 0), (80, 1), (80, 0)]
        keys = KeyboardKeys("keys", Replay(events), pad, CLOCK)
        async with served(keys):
            pressed = [(await anext(aiter(keys))).key for _ in range(2)]
        assert pressed == [GuardKey.GUARD_OK, GuardKey.EXIT]

    asyncio.run(run())


def test_a_number_pad_types_digits() -> None:
    # KP7 8 9 - 4 5 6 + 1 2 3 0 . from linux/input-event-codes.h: 71 to 83.
    typist = Typist()
    assert "".join(typist.key(KeyEvent(code=c, value=1)) for c in range(71, 84)) == "789-456+1230."
    assert typist.key(KeyEvent(code=ENTER, value=1)) == "\r"


def test_no_such_device_is_down(tmp_path: Path) -> None:
    async def run() -> None:
        scanner = KeyboardScanner("code", InputDevice(path=str(tmp_path / "event9")), CLOCK)
        task = asyncio.create_task(scanner.run())
        await until(lambda: scanner.health().code == "kiosk.device.gone")
        task.cancel()

    asyncio.run(run())
