"""The door's one process: devices, decisions, uplink; it outlives every fault but its own end."""

import asyncio
import logging
import signal
from contextlib import suppress
from typing import Final

from passlight.gate.assembly import Gate
from passlight.gate.decision import Decision
from passlight.gate.ports import GuardKey, Input, Pressed, Scan, ShownDocument
from passlight.gate.screen import Screen, state_of

IDLE_SECONDS: Final = 1.0
RESULT_SECONDS: Final = 4.0
DECISION_SECONDS: Final = 2.0
BADGE_CHARS: Final = 64

log = logging.getLogger("passlight.gate")


class DoorProcess:
    """Serves one door until it is told to stop."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.decided = 0
        self._result_until = float("-inf")

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop``; then keep what is known and close everything."""
        tasks = [
            asyncio.create_task(self.gate.devices.run(), name="devices"),
            asyncio.create_task(self._serve(), name="serve"),
            asyncio.create_task(self._stand_by(), name="stand by"),
        ]
        if self.gate.uplink is not None:
            tasks.append(asyncio.create_task(self.gate.uplink.run(), name="uplink"))
        waiting = asyncio.create_task(stop.wait(), name="stop")
        try:
            await self._tell_what_broke()
            done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {waiting}:
                task.result()  # a task that ended by a defect ends the process, which is restarted
        finally:
            for task in (waiting, *tasks):
                task.cancel()
            await asyncio.gather(waiting, *tasks, return_exceptions=True)
            await self.gate.close()

    async def take(self, shown: Input) -> Decision | None:
        """Return what the door does with one thing shown or pressed; a defect asks a person."""
        try:
            async with asyncio.timeout(DECISION_SECONDS):
                return await self._decided(shown)
        except TimeoutError:
            log.warning("a decision took longer than %s s", DECISION_SECONDS)
        except Exception:
            # Nobody may stand before a dead door: say what happened, and have a person come.
            log.exception("a decision failed")
        return await self._asked()

    async def _decided(self, shown: Input) -> Decision | None:
        door = self.gate.door
        match shown:
            case Scan() if self.gate.config.direction == "out":
                return await door.leave(shown)
            case Scan() | ShownDocument():
                return await door.present(shown)
            case Pressed():
                return await self._pressed(shown)

    async def _pressed(self, pressed: Pressed) -> Decision | None:
        door, badge = self.gate.door, badge_of(pressed.source)
        match pressed.key:
            case GuardKey.GUARD_OK:
                return await door.observe(guard=badge)
            case GuardKey.ASK_STAFF:
                return await door.ask_staff()
            case GuardKey.EXIT:
                return await door.leave(guard=badge)
            case GuardKey.EMERGENCY:
                return await door.emergency(guard=badge)

    async def _asked(self) -> Decision | None:
        with suppress(Exception):
            return await self.gate.door.ask_staff()
        return None

    async def _serve(self) -> None:
        async for shown in self.gate.devices.inputs():
            if not isinstance(shown, Pressed):
                self._show("checking")
            decision = await self.take(shown)
            if decision is None:
                self._show("idle")
                continue
            self.decided += 1
            await self._tell(decision)

    async def _tell(self, decision: Decision) -> None:
        self._result_until = self.gate.keeper.monotonic() + RESULT_SECONDS
        self._show("result", decision)
        speaker = self.gate.devices.speaker
        if speaker is not None and decision.verdict.prompt and not decision.again:
            speaker.say(decision.verdict.prompt)
        opened = await self.gate.door.let_in(decision)
        if opened is False:
            self._show("result", decision, opened=False)

    async def _stand_by(self) -> None:
        """Keep the idle screen's figures fresh once a second."""
        while True:
            if self.gate.keeper.monotonic() >= self._result_until:
                self._show("idle")
            await asyncio.sleep(IDLE_SECONDS)

    def _show(
        self, screen: Screen, decision: Decision | None = None, *, opened: bool | None = None
    ) -> None:
        if self.gate.devices.display is not None:
            state = state_of(self.gate, screen, decision, opened=opened)
            self.gate.devices.display.show(state)

    async def _tell_what_broke(self) -> None:
        """Record what was set aside at this start, so that the office hears of it."""
        for name in self.gate.torn:
            log.warning("%s was torn and is set aside", name)
            await self.gate.door.report("state-set-aside")
        if self.gate.opened.set_aside is not None:
            log.warning("the spool was broken; %s records were saved", self.gate.opened.saved)
            await self.gate.door.report("spool-set-aside")


async def serve(gate: Gate) -> None:
    """Serve one door until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await DoorProcess(gate).run(stop)


def badge_of(source: str) -> str:
    """Return how a record names the key that was pressed."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._:-") else "-" for c in source)
    return (kept.lstrip("._:-") or "key")[:BADGE_CHARS]
