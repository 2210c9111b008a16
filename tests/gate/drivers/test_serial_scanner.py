"""A serial QR module over a pty: split frames, garbage, noise, unplugging.

Expected texts are the ones sent; every refusal has beside it the whole code that still arrives.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from passlight.gate.drivers.serial_port import SerialLine
from passlight.gate.drivers.serial_scanner import SerialScanner
from passlight.gate.drivers.texts import LineReader
from passlight.gate.ports import LONGEST_TEXT, Condition
from tests.gate.drivers.ptys import CLOCK, Cable, cable, plug_in, served, until

# 178 characters in the alphabet of a code, with its two odd ones: a space and a colon.
CODE = "PL1:" + ("A1 $%*+-./:" * 16)[:174]
OTHER = "PL1:" + "Z9" * 87


def read(*pieces: bytes, times: Callable[[int], float] = float) -> list[tuple[str, str]]:
    reader = LineReader()
    return [
        (line.text, line.fault)
        for number, piece in enumerate(pieces)
        for line in reader.feed(piece, times(number) / 10)
    ]


def test_one_line_is_one_text_however_it_is_cut() -> None:
    whole = (CODE + "\r\n").encode()
    for cut in (1, 3, 4, 90, 178, 179):
        assert read(whole[:cut], whole[cut:]) == [(CODE, "")]
    assert read(*(whole[i : i + 1] for i in range(len(whole))), times=lambda n: n * 1.0) == [
        (CODE, "")
    ]


def test_a_torn_code_before_a_whole_one_is_not_joined_to_it() -> None:
    torn = CODE[:60]
    assert read((torn + CODE + "\r").encode()) == [(CODE, "kiosk.device.noise")]
    # A code whose own body holds the letters of the prefix stays whole.
    lucky = "PL1:" + "AAPL1:" + "B" * 168
    assert len(lucky) == 178
    assert read((lucky + "\r").encode()) == [(lucky, "")]


def test_silence_inside_a_line_abandons_it() -> None:
    first, second = CODE[:50].encode(), (CODE + "\r").encode()
    assert read(first, second, times=lambda n: n * 40.0) == [
        ("", "kiosk.device.torn"),
        (CODE, ""),
    ]
    # Positive control: without the silence both would be one line.
    assert read(first, second)[0][1] == "kiosk.device.noise"


def test_noise_is_no_text_and_a_code_in_noise_is_found() -> None:
    assert read(b"\xff\xfe\x00\x13\r") == [("", "kiosk.device.noise")]
    assert read(b"\x80\x80" + CODE.encode() + b"\r") == [(CODE, "kiosk.device.noise")]
    assert read(b"PL1:\xe4\xb8\r") == [("", "kiosk.device.noise")]
    assert read(b"\r\n\r\n") == []
    assert read("https://场所.example/1\r".encode()) == [("https://场所.example/1", "")]


def test_a_megabyte_is_cut_off_once_and_the_next_line_is_whole() -> None:
    lines = read(b"Q" * 1_000_000, b"Q" * 10 + b"\r" + CODE.encode() + b"\r")
    assert lines == [("Q" * LONGEST_TEXT, "kiosk.device.too-long"), (CODE, "")]


def test_over_a_cable() -> None:
    async def run(line: Cable) -> None:
        scanner = SerialScanner("code", SerialLine(device=line.path), CLOCK)
        async with served(scanner):
            line.write(CODE[:70].encode())
            await asyncio.sleep(0.02)
            line.write(CODE[70:].encode() + b"\r\n" + OTHER.encode() + b"\r\n")
            first, second = await anext(aiter(scanner)), await anext(aiter(scanner))
            assert (first.text, first.source) == (CODE, "code")
            assert second.text == OTHER
            assert scanner.health().condition is Condition.OK
            await line.send(b"\xff\x80\r" + b"q" * 1_000_000 + b"\r")
            cut = await anext(aiter(scanner))
            assert cut.text == "q" * LONGEST_TEXT
            await until(lambda: scanner.health().faults == 2)
            assert scanner.health().code == "kiosk.device.too-long"

    with cable() as line:
        asyncio.run(run(line))


def test_more_than_the_line_of_people_is_refused_and_counted() -> None:
    async def run(line: Cable) -> None:
        scanner = SerialScanner("code", SerialLine(device=line.path), CLOCK)
        async with served(scanner):
            for number in range(6):
                line.write(f"TEXT {number}\r".encode())
            await until(lambda: scanner.health().faults == 2)
            assert scanner.health().code == "kiosk.device.overflow"
            taken = [(await anext(aiter(scanner))).text for _ in range(4)]
            assert taken == ["TEXT 0", "TEXT 1", "TEXT 2", "TEXT 3"]

    with cable() as line:
        asyncio.run(run(line))


def test_unplugged_and_back(tmp_path: Path) -> None:
    async def run() -> None:
        link = tmp_path / "scanner"  # as udev makes it, so that a new port has the old name
        first = plug_in()
        link.symlink_to(first.path)
        scanner = SerialScanner("code", SerialLine(device=str(link)), CLOCK)
        async with served(scanner):
            first.write(CODE[:40].encode())
            await asyncio.sleep(0.02)
            first.unplug()
            await until(lambda: not scanner.health().works)
            assert scanner.health().code == "kiosk.device.gone"
            second = plug_in()
            link.unlink()
            link.symlink_to(second.path)
            await until(lambda: scanner.health().works)
            second.write(CODE.encode() + b"\r")
            assert (await anext(aiter(scanner))).text == CODE
            second.unplug()

    asyncio.run(run())


def test_a_port_that_is_not_there_is_said_and_never_raised(tmp_path: Path) -> None:
    async def run() -> None:
        scanner = SerialScanner("code", SerialLine(device=str(tmp_path / "none")), CLOCK)
        task = asyncio.create_task(scanner.run())
        await until(lambda: scanner.health().code == "kiosk.device.gone")
        assert scanner.health().condition is Condition.DOWN
        assert not task.done()
        task.cancel()

    asyncio.run(run())


def test_a_file_that_is_no_port_is_down(tmp_path: Path) -> None:
    async def run() -> None:
        (tmp_path / "file").write_text("no port")
        scanner = SerialScanner("code", SerialLine(device=str(tmp_path / "file")), CLOCK)
        task = asyncio.create_task(scanner.run())
        await until(lambda: scanner.health().code == "kiosk.device.gone")
        assert not task.done()
        task.cancel()

    asyncio.run(run())
