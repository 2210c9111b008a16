"""Barriers: a relay on gpiozero's mock pins, a coil by Modbus RTU over two bridged ptys.

The Modbus device is pymodbus's own server; the pins are gpiozero's. Neither is our code.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from gpiozero.pins.mock import MockFactory
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from passlight.gate.drivers.gpio import GpioKeys, GpioRelay
from passlight.gate.drivers.modbus_relay import Coil, ModbusRelay
from passlight.gate.drivers.serial_port import SerialLine
from passlight.gate.ports import GuardKey
from tests.gate.drivers.ptys import CLOCK, Cable, plug_in, served, until


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    factory = MockFactory()
    yield factory
    factory.reset()


def test_a_relay_opens_and_closes_by_itself(pins: MockFactory) -> None:
    async def run() -> None:
        relay = GpioRelay("barrier", "GPIO17", CLOCK, factory=pins)
        assert await relay.open(0.1) is False  # not yet taken
        async with served(relay):
            pin = pins.pin("GPIO17")
            assert not pin.state
            assert await relay.open(0.15)
            await until(lambda: pin.state)
            await until(lambda: not pin.state)
            # Once more while it is open: the pulse begins anew.
            pin.clear_states()
            await relay.open(0.4)
            await relay.open(1.5)
            await asyncio.sleep(0.7)
            assert pin.state
            await until(lambda: not pin.state)

    asyncio.run(run())


def test_a_hung_loop_does_not_leave_the_door_open(pins: MockFactory) -> None:
    async def run() -> None:
        relay = GpioRelay("barrier", "GPIO17", CLOCK, factory=pins)
        async with served(relay):
            await relay.open(0.1)
            hung = CLOCK.monotonic()
            while CLOCK.monotonic() - hung < 0.3:
                os.sched_yield()  # nothing of asyncio runs here
            # Positive control: a pulse ended by the loop would still be open now.
            assert not pins.pin("GPIO17").state

    asyncio.run(run())


def test_an_inverted_relay_and_letting_go(pins: MockFactory) -> None:
    async def run() -> None:
        relay = GpioRelay("barrier", "GPIO17", CLOCK, active_high=False, factory=pins)
        async with served(relay):
            pin = pins.pin("GPIO17")
            assert pin.state  # high is closed
            await relay.open(30)
            await until(lambda: not pin.state)
        assert relay.health().works is True
        assert await relay.open(1) is False

    asyncio.run(run())


def test_buttons(pins: MockFactory) -> None:
    async def run() -> None:
        wanted = {"GPIO5": GuardKey.GUARD_OK, "GPIO6": GuardKey.EMERGENCY}
        keys = GpioKeys("keys", wanted, CLOCK, factory=pins)
        async with served(keys):
            pins.pin("GPIO6").drive_low()
            assert (await anext(aiter(keys))).key is GuardKey.EMERGENCY
            pins.pin("GPIO5").drive_low()
            assert (await anext(aiter(keys))).key is GuardKey.GUARD_OK

    asyncio.run(run())


@asynccontextmanager
async def turnstile(
    device_id: int = 1,
) -> AsyncIterator[tuple[str, ModbusSerialServer, list[Cable]]]:
    """A Modbus device at the other end of a line: two ptys, and what joins their masters."""
    ours, theirs = plug_in(), plug_in()
    loop = asyncio.get_running_loop()

    def carry(source: Cable, target: Cable) -> None:
        target.write(source.read())

    loop.add_reader(ours.master, carry, ours, theirs)
    loop.add_reader(theirs.master, carry, theirs, ours)
    coils = [SimData(0, count=8, values=False, datatype=DataType.BITS)]
    rest = [SimData(0, count=8, values=0, datatype=DataType.REGISTERS)]
    device = SimDevice(device_id, simdata=(coils, coils, rest, rest))
    server = ModbusSerialServer(device, port=theirs.path, baudrate=9600)
    await server.serve_forever(background=True)
    try:
        yield ours.path, server, [ours, theirs]
    finally:
        loop.remove_reader(ours.master)
        loop.remove_reader(theirs.master)
        await server.shutdown()
        ours.unplug()
        theirs.unplug()


async def coil(server: ModbusSerialServer, address: int, device_id: int = 1) -> bool:
    """What the device itself holds."""
    bits = await server.context.async_getValues(device_id, 1, address, 1)
    return bool(bits[0])


async def becomes(server: ModbusSerialServer, address: int, wanted: bool) -> None:
    async with asyncio.timeout(3):
        while await coil(server, address) is not wanted:  # noqa: ASYNC110  # a device of somebody else
            await asyncio.sleep(0.01)


def test_a_coil_opens_is_read_back_and_closes() -> None:
    async def run() -> None:
        async with turnstile() as (path, server, _):
            relay = ModbusRelay("barrier", SerialLine(device=path), Coil(address=3), CLOCK)
            async with served(relay):
                assert await relay.open(1.0)
                assert await coil(server, 3)
                assert not await coil(server, 2)
                await becomes(server, 3, wanted=False)

    asyncio.run(run())


def test_a_coil_found_open_without_an_order_is_closed() -> None:
    async def run() -> None:
        async with turnstile() as (path, server, _):
            await server.context.async_setValues(1, 5, 0, [True])
            assert await coil(server, 0)
            relay = ModbusRelay("barrier", SerialLine(device=path), Coil(), CLOCK)
            async with served(relay):
                await becomes(server, 0, wanted=False)

    asyncio.run(run())


def test_a_device_that_does_not_answer_is_said_and_its_order_lapses() -> None:
    async def run() -> None:
        async with turnstile(device_id=7) as (path, _, _):
            relay = ModbusRelay("barrier", SerialLine(device=path), Coil(device_id=1), CLOCK)
            task = asyncio.create_task(relay.run())
            await until(lambda: relay.health().code == "kiosk.device.gone")
            assert await relay.open(5) is False
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def test_an_order_lost_on_the_line_is_not_given_later() -> None:
    async def run() -> None:
        async with turnstile() as (path, server, (ours, theirs)):
            relay = ModbusRelay("barrier", SerialLine(device=path), Coil(), CLOCK)
            async with served(relay):
                loop = asyncio.get_running_loop()
                loop.remove_reader(ours.master)  # the wire is cut
                assert await relay.open(30) is False
                await until(lambda: not relay.health().works)
                ours.read()  # what was sent into the cut wire is gone
                loop.add_reader(ours.master, lambda: theirs.write(ours.read()))
                await until(lambda: relay.health().works)
                assert not await coil(server, 0)
                assert await relay.open(0.2)

    asyncio.run(run())
