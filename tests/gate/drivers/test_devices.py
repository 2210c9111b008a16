"""The devices of one door together: one line of what is shown, and how each device is."""

import asyncio

from passlight.core.kernel.documents import read_document
from passlight.core.rules.terms import Text
from passlight.gate.devices import Devices
from passlight.gate.ports import Condition, DisplayState, GuardKey, Pressed, Scan, ShownDocument
from passlight.gate.simulated.acting import (
    SimulatedBarrier,
    SimulatedDisplay,
    SimulatedSpeaker,
    SimulatedThermometer,
)
from passlight.gate.simulated.shown import SimulatedIdReader, SimulatedKeys, SimulatedScanner
from tests.gate.drivers.ptys import CLOCK, until


def test_what_is_shown_comes_out_in_one_line() -> None:
    async def run() -> None:
        scanner, cards, keys = (
            SimulatedScanner("code"),
            SimulatedIdReader("id_card"),
            SimulatedKeys("keys"),
        )
        devices = Devices(codes=(scanner,), documents=(cards,), keys=(keys,))
        task = asyncio.create_task(devices.run())
        inputs = devices.inputs()
        scanner.show("PL1:A")
        assert await anext(inputs) == Scan(text="PL1:A", source="code")
        # The example of GB 11643-1999 itself.
        card = ShownDocument(
            document=read_document("resident-id", "11010519491231002X"), source="id_card"
        )
        cards.show(card)
        assert await anext(inputs) == card
        keys.press(GuardKey.EMERGENCY)
        assert await anext(inputs) == Pressed(key=GuardKey.EMERGENCY, source="keys")
        for number in range(30):
            scanner.show(str(number))
        assert [(await anext(inputs)).text for _ in range(30)] == [str(n) for n in range(30)]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def test_an_unplugged_simulator_does_nothing_and_says_so() -> None:
    async def run() -> None:
        barrier, speaker = SimulatedBarrier("barrier", CLOCK), SimulatedSpeaker("speaker")
        thermometer, display = (
            SimulatedThermometer("thermometer", "T-01"),
            SimulatedDisplay("display"),
        )
        devices = Devices(
            barrier=barrier, speaker=speaker, thermometer=thermometer, display=display
        )
        assert {h.condition for h in devices.health().values()} == {Condition.OK}
        assert await barrier.open(0.05)
        assert barrier.is_open
        await until(lambda: not barrier.is_open)
        speaker.say("admit")
        reading = await thermometer.read()
        assert reading is not None
        assert (reading.tenths, reading.thermometer) == (365, "T-01")
        place = Text("厅", "hall")
        display.show(DisplayState(screen="idle", venue=place, entrance=place))
        for device in (barrier, speaker, thermometer, display):
            device.broken = True
        assert {h.condition for h in devices.health().values()} == {Condition.DOWN}
        assert not await barrier.open(5)
        assert await thermometer.read() is None
        speaker.say("isolate.red")
        assert (len(barrier.opened), list(speaker.said), len(display.shown)) == (1, ["admit"], 1)

    asyncio.run(run())
