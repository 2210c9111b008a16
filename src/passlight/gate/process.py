"""The door's one process: devices, decisions, uplink; it outlives every fault but its own end."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from passlight.gate.assembly import Gate
from passlight.gate.decision import NOTHING_OBSERVED, Decision, Observations
from passlight.gate.ports import GuardKey, Input, Port, Pressed, Scan, ShownDocument
from passlight.gate.screen import Screen, state_of

STATUS: Final = "status.json"
STATUS_SECONDS: Final = 10.0
IDLE_SECONDS: Final = 1.0
ADMITTED_SECONDS: Final = 4.0
# Whoever is not let in must have the time to read why; the next visitor replaces it at once.
STOPPED_SECONDS: Final = 20.0
DECISION_SECONDS: Final = 2.0
BADGE_CHARS: Final = 64

log = logging.getLogger("passlight.gate")


class DoorProcess:
    """Serves one door until it is told to stop."""

    def __init__(self, gate: Gate, *, beat: Callable[[], None] = lambda: None) -> None:
        self.gate = gate
        self._beat = beat
        self.decided = 0
        self.services: Sequence[Port] = ()
        """What is served beside the devices: existing hardware, news to the fleet."""
        self._result_until = float("-inf")
        self._noted = float("-inf")

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop``; then keep what is known and close everything."""
        tasks = [
            asyncio.create_task(self._devices(), name="devices"),
            asyncio.create_task(self._serve(), name="serve"),
            asyncio.create_task(self._stand_by(), name="stand by"),
            *(asyncio.create_task(one.run(), name=one.name) for one in self.services),
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
            await self._note(ended=True)
            await self.gate.close()

    async def answer(self, shown: Scan | ShownDocument, observed: Observations) -> Decision:
        """Return what the door does with what existing hardware read; our screen shows it, too.

        Raises:
            RuntimeError: not even a person could be asked for.
        """
        decision = await self.take(shown, observed)
        if decision is None:
            raise RuntimeError("the door decides nothing")
        self.decided += 1
        self._present(decision)
        return decision

    async def take(
        self, shown: Input, observed: Observations = NOTHING_OBSERVED
    ) -> Decision | None:
        """Return what the door does with one thing shown or pressed; a defect asks a person."""
        try:
            async with asyncio.timeout(DECISION_SECONDS):
                return await self._decided(shown, observed)
        except TimeoutError:
            log.warning("a decision took longer than %s s", DECISION_SECONDS)
        except Exception:
            # Nobody may stand before a dead door: say what happened, and have a person come.
            log.exception("a decision failed")
        return await self._asked()

    async def _decided(self, shown: Input, observed: Observations) -> Decision | None:
        door = self.gate.door
        match shown:
            case Scan() if self.gate.config.direction == "out":
                return await door.leave(shown)
            case Scan() | ShownDocument():
                return await door.present(shown, observed)
            case Pressed():
                return await self._pressed(shown)

    async def _pressed(self, pressed: Pressed) -> Decision | None:
        door, badge = self.gate.door, badge_of(pressed.source)
        match pressed.key:
            case GuardKey.GUARD_OK:
                return await door.observe(guard=badge)
            case GuardKey.ADMIT_AFTER_ASKING:
                return await door.vouch(guard=badge)
            case GuardKey.MINOR:
                return await door.accompany(guard=badge)
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

    async def _devices(self) -> None:
        await self.gate.devices.run()
        await asyncio.Event().wait()  # none configured is no defect

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
        self._present(decision)
        opened = await self.gate.door.let_in(decision)
        if opened is False:
            self._show("result", decision, opened=False)

    def _present(self, decision: Decision) -> None:
        lasts = ADMITTED_SECONDS if decision.admits else STOPPED_SECONDS
        self._result_until = self.gate.keeper.monotonic() + lasts
        self._show("result", decision)
        speaker = self.gate.devices.speaker
        if speaker is not None and decision.verdict.prompt and not decision.again:
            speaker.say(decision.verdict.prompt)

    async def _stand_by(self) -> None:
        """Keep the idle screen's figures fresh once a second."""
        noting: asyncio.Task[None] | None = None
        while True:
            self._beat()
            if self.gate.keeper.monotonic() >= self._result_until:
                self._show("idle")
            if self.gate.keeper.monotonic() >= self._noted + STATUS_SECONDS and (
                noting is None or noting.done()
            ):
                # Beside: while a card stalls, the screen and the watchdog's beat go on.
                noting = asyncio.create_task(self._note(), name="note")
            await asyncio.sleep(IDLE_SECONDS)

    async def _note(self, *, ended: bool = False) -> None:
        """Leave for ``passlight gate status`` how this door is; a full disk does not matter."""
        self._noted = self.gate.keeper.monotonic()
        folder, status = self.gate.state.folder, self.status(ended=ended)
        with suppress(OSError):
            await asyncio.to_thread(folder.write_json, STATUS, status)

    def status(self, *, ended: bool = False) -> dict[str, Any]:
        """Return how this door is: no person, no number of a document."""
        gate = self.gate
        door = gate.knowledge.door
        return {
            "at": gate.keeper.now(),
            "ended": ended,
            "enrolled": gate.uplink is not None,
            "revoked": gate.door.status.revoked,
            "branched": gate.door.status.broken,
            "online": gate.door.status.online(),
            "trouble": gate.uplink.trouble if gate.uplink is not None else "",
            "clock_sure": gate.keeper.is_sure,
            "as_of": gate.knowledge.as_of,
            "plan": f"{door.plan}@{door.plan_version}" if door is not None else "",
            "waiting": gate.opened.spool.waiting,
            "spool_alarm": gate.opened.spool.alarming,
            "decided": self.decided,
            "devices": {
                name: health.condition.value for name, health in gate.devices.health().items()
            },
        }

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


def badge_of(source: str) -> str:
    """Return how a record names the key that was pressed."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._:-") else "-" for c in source)
    return (kept.lstrip("._:-") or "key")[:BADGE_CHARS]
