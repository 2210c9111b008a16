"""Thermometers: a serial one over a pty, an MLX90614 behind a bus of bytes.

Figures are worked by hand. The check byte's example is the MLX90614 data sheet's own (SMBus read
word: address 5A, command 07, answer 3AD2, PEC 30), as are 0.02 K a step and 273.15 K.
"""

import asyncio
from collections.abc import Iterator
from functools import reduce
from itertools import cycle

import pytest

from passlight.gate.drivers.mlx90614 import Mlx90614, kelvin
from passlight.gate.drivers.serial_port import SerialLine
from passlight.gate.drivers.serial_thermometer import SerialThermometer
from passlight.gate.drivers.temperature import read_frame
from passlight.gate.ports import Condition
from tests.gate.drivers.ptys import CLOCK, Cable, cable, served, until


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("T=36.54C", 365),
        ("T=36.55C", 366),  # half a tenth upwards, towards the limit
        ("T=37.3 C", 373),
        ("T=97.9F", 366),  # (97.9 - 32) / 1.8 = 36.61
        ("T=99.1F", 373),  # 37.28
        ("T=36.54", "kiosk.device.temperature-unit"),
        ("T=36.54K", "kiosk.device.temperature-frame"),
        ("T=3 6.54C", "kiosk.device.temperature-frame"),
        ("T=C", "kiosk.device.temperature-frame"),
        ("T=nanC", "kiosk.device.temperature-frame"),
        ("36.5", "kiosk.device.temperature-frame"),
        ("T=36.54C*01", "kiosk.device.temperature-sum"),
    ],
)
def test_a_frame_states_its_unit(line: str, expected: int | str) -> None:
    assert read_frame(line, checksum=False) == expected


def test_a_frames_sum() -> None:
    # By hand: T 54 = 3D 3 33 6 36 . 2E 5 35 C 43, exclusive or: 54^3D=69 5A 6C 42 77 34.
    assert read_frame("T=36.5C*34", checksum=True) == 365
    assert read_frame("T=36.5C", checksum=True) == "kiosk.device.temperature-sum"
    # One digit that was torn: 38.5 would have been a fever.
    assert read_frame("T=38.5C*34", checksum=True) == "kiosk.device.temperature-sum"


def serial_thermometer(line: Cable, **settings: object) -> SerialThermometer:
    return SerialThermometer(
        "thermometer", SerialLine(device=line.path), CLOCK, thermometer="T-01", **settings
    )


async def filled(found: SerialThermometer | Mlx90614, count: int = 3) -> None:
    """Wait until figures have come, however slow the machine of the tests is."""
    await until(lambda: len(found._window._kept) == count)


def test_the_median_of_three_over_a_cable() -> None:
    async def run(line: Cable) -> None:
        found = serial_thermometer(line)
        async with served(found):
            line.write(b"T=36.4C\r\nT=3")
            line.write(b"9.9C\r\nT=36.6C\r\n")  # one stray figure does not decide
            await filled(found)
            reading = await found.read()
            assert reading is not None
            assert (reading.tenths, reading.thermometer) == (366, "T-01")
            # What was read for one person is not used for the next one.
            assert await found.read() is None
            line.write(b"T=36.4C\r\nT=36.4C\r\n")
            await filled(found, 2)
            assert await found.read() is None  # two are too few
            assert found.health().condition is Condition.OK

    with cable() as line:
        asyncio.run(run(line))


def test_no_doubtful_figure_is_ever_a_temperature() -> None:
    async def run(line: Cable) -> None:
        found = serial_thermometer(line)
        async with served(found):
            wrong = [b"T=97.9C\r\n", b"T=38.9\r\n", b"T=38.\r\n", b"\xff\x00\r\n", b"T=38.9F\r\n"]
            line.write(b"".join(piece * 3 for piece in wrong))
            line.write(b"T=22.5C\r\n" * 3)  # the wall behind: nobody stands there
            assert await found.read() is None
            # 12: of the five, 38.9 °F is 3.8 °C, colder than a person; the wall is no fault.
            await until(lambda: found.health().faults == 12)
            await line.send(b"8" * 1_000_000 + b"\r\n" + b"T=36.5C\r\n" * 3)
            await filled(found)
            reading = await found.read()
            assert reading is not None
            assert reading.tenths == 365

    with cable() as line:
        asyncio.run(run(line))


def test_one_that_answers_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("passlight.gate.drivers.temperature.WAIT_SECONDS", 3.0)

    async def run(line: Cable) -> None:
        found = serial_thermometer(line, ask="R")

        def answer() -> None:
            for _ in line.read():
                line.write(b"T=36.8C\r\n")

        asyncio.get_running_loop().add_reader(line.master, answer)
        async with served(found):
            reading = await found.read()
            assert reading is not None
            assert reading.tenths == 368
        asyncio.get_running_loop().remove_reader(line.master)

    with cable() as line:
        asyncio.run(run(line))


class Bus:
    """An I²C bus with one sensor: the bytes of each register, in turn."""

    def __init__(self, **registers: list[tuple[int, int, int]]) -> None:
        self.rows = {int(name[1:], 16): cycle(rows) for name, rows in registers.items()}
        self.closed = False
        self.plausible = True

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        assert (i2c_addr, length) == (0x5A, 3)
        return list(next(self.rows[register]))

    def close(self) -> None:
        self.closed = True


def sensed(celsius: float, register: int = 7) -> tuple[int, int, int]:
    """The three bytes a sensor answers; its check byte worked bit by bit from SMBus 3.1, 6.4."""
    steps = round((celsius + 273.15) / 0.02)
    sent = (0xB4, register, 0xB5, steps & 0xFF, steps >> 8)
    value = reduce(lambda whole, byte: whole << 8 | byte, sent) << 8
    for bit in range(47, 7, -1):  # long division by 1 0000 0111
        if value >> bit & 1:
            value ^= 0x107 << (bit - 8)
    return steps & 0xFF, steps >> 8, value


def test_the_example_of_the_data_sheet() -> None:
    found = kelvin(Bus(r07=[(0xD2, 0x3A, 0x30)]), 0x5A, 7)
    assert found == pytest.approx(0x3AD2 * 0.02)  # 301.16 K
    assert sensed(301.16 - 273.15) == (0xD2, 0x3A, 0x30)
    assert kelvin(Bus(r07=[(0xD2, 0x3A, 0x31)]), 0x5A, 7) == "kiosk.device.temperature-sum"


def test_every_single_bit_error_is_noticed() -> None:
    low, high, check = sensed(36.6)
    for bit in range(24):
        torn = low << 16 | high << 8 | check
        torn ^= 1 << bit
        answer = (torn >> 16, torn >> 8 & 0xFF, torn & 0xFF)
        assert kelvin(Bus(r07=[answer]), 0x5A, 7) == "kiosk.device.temperature-sum"


def reads(bus: Bus, **settings: float) -> Iterator[int | None]:
    async def run() -> int | None:
        found = Mlx90614("thermometer", lambda: bus, CLOCK, thermometer="M-01", **settings)
        async with served(found):
            if bus.plausible:
                await filled(found)
            reading = await found.read()
        return reading.tenths if reading else None

    yield asyncio.run(run())
    assert bus.closed


def test_a_forehead_and_its_calibration() -> None:
    assert next(reads(Bus(r07=[sensed(34.2)]))) == 342
    assert next(reads(Bus(r07=[sensed(34.2)]), offset=2.3)) == 365
    wall = Bus(r07=[sensed(22.0)])
    wall.plausible = False
    assert next(reads(wall)) is None
    # Skin of emissivity 0.98 in a room of 20 °C: (309.15⁴ - 0.02·293.15⁴) / 0.98 = 309.473⁴.
    skin = Bus(r07=[sensed(36.0)], r06=[sensed(20.0, register=6)])
    assert next(reads(skin, emissivity=0.98)) == 363


def test_the_sensors_error_flag_is_no_temperature() -> None:
    async def run() -> None:
        flagged = 0xB4, 7, 0xB5, 0x00, 0x80
        value = reduce(lambda whole, byte: whole << 8 | byte, flagged) << 8
        for bit in range(47, 7, -1):
            if value >> bit & 1:
                value ^= 0x107 << (bit - 8)
        found = Mlx90614(
            "thermometer", lambda: Bus(r07=[(0x00, 0x80, value)]), CLOCK, thermometer="M-01"
        )
        async with served(found):
            assert await found.read() is None
            assert found.health().code == "kiosk.device.temperature-frame"

    asyncio.run(run())


def test_one_that_talks_once_a_second_may_be_given_longer() -> None:
    """Three figures 0.7 s apart: too old for a second, fresh enough for three."""

    async def run(fresh: float) -> int | None:
        with cable() as line:
            found = serial_thermometer(line, fresh=fresh)
            async with served(found):
                for count in (1, 2, 3):
                    line.write(b"T=36.8C\r\n")
                    await filled(found, count)
                    if count < 3:
                        await asyncio.sleep(0.7)
                reading = await found.read()
        return reading.tenths if reading else None

    async def both() -> list[int | None]:
        return list(await asyncio.gather(run(1.0), run(5.0)))

    assert asyncio.run(both()) == [None, 368]
