"""The door's process: inputs to screen and voice, faults outlived, SIGTERM, status."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from passlight.gate.devices import Devices
from passlight.gate.ports import (
    Condition,
    DisplayState,
    GuardKey,
    Health,
    Input,
    Pressed,
    Scan,
)
from passlight.gate.process import DoorProcess, badge_of
from passlight.gate.watchdog import Watchdog
from tests.gate.world import Phone, VirtualClock, World


@pytest.fixture
def world() -> Iterator[World]:
    world = World(VirtualClock(), restricted={13: [[0, 2]]})
    yield world
    world.stop_all()


class Fake:
    """A device of the test: it gives what it is given and notes what it is told."""

    def __init__(self, name: str, given: list[Input] | None = None) -> None:
        self.name = name
        self.given = given or []
        self.said: list[str] = []
        self.shown: list[DisplayState] = []
        self.opened = 0
        self.done = asyncio.Event()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._give()

    async def _give(self) -> AsyncIterator[Input]:
        for shown in self.given:
            yield shown
        await asyncio.Event().wait()

    async def run(self) -> None:
        await asyncio.Event().wait()

    def health(self) -> Health:
        return Health(condition=Condition.OK)

    def say(self, prompt: str) -> None:
        self.said.append(prompt)

    def show(self, state: DisplayState) -> None:
        self.shown.append(state)

    async def open(self, seconds: float) -> bool:
        self.opened += 1
        return True


def lived(world: World, folder: Path, given: list[Input], *, results: int) -> dict[str, Any]:
    """Run a door until it has shown ``results`` results; returns its devices and its status."""

    async def live() -> dict[str, Any]:
        screen, voice, barrier = Fake("display"), Fake("speaker"), Fake("barrier")
        devices = Devices(
            codes=(Fake("code", given),), display=screen, speaker=voice, barrier=barrier
        )
        gate = world.start(folder, devices=devices)
        world.teach(gate)
        process, stop = DoorProcess(gate), asyncio.Event()
        running = asyncio.create_task(process.run(stop))
        until = time.monotonic() + 10
        while sum(state.screen == "result" for state in screen.shown) < results:
            assert time.monotonic() < until and not running.done()
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        status = process.status()
        stop.set()
        await running
        return {"screen": screen, "voice": voice, "barrier": barrier, "status": status}

    return asyncio.run(live())


def test_a_line_of_people_is_served_in_order(world: World, tmp_path: Path) -> None:
    given: list[Input] = [
        Scan(text=Phone(world, index=7).text(), source="code"),
        Scan(text=Phone(world, index=13).text(), source="code"),
        Pressed(key=GuardKey.EXIT, source="keys"),
    ]
    found = lived(world, tmp_path / "door", given, results=3)
    results = [state for state in found["screen"].shown if state.screen == "result"]
    assert [(state.field, state.answer) for state in results[:2]] == [
        ("green", "green"),
        ("red", "red"),
    ]
    assert found["voice"].said == ["admit", "isolate.red"]
    assert found["barrier"].opened == 2  # the first visitor, and whoever left
    assert (found["status"]["decided"], found["status"]["waiting"]) == (3, 3)
    kept = json.dumps(found["status"])
    assert "13" not in found["screen"].shown[-1].venue.zh and "PL1" not in kept


def test_a_defect_asks_a_person_and_the_door_goes_on(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from passlight.gate.engine import Door

    real = Door.present

    async def breaks(self: Door, shown: Any, *given: Any) -> Any:
        if isinstance(shown, Scan) and shown.text == "break":
            raise RuntimeError("a defect")
        return await real(self, shown, *given)

    monkeypatch.setattr(Door, "present", breaks)
    given: list[Input] = [
        Scan(text="break", source="code"),
        Scan(text=Phone(world, index=7).text(), source="code"),
    ]
    found = lived(world, tmp_path / "door", given, results=2)
    assert found["voice"].said == ["ask.unknown", "admit"]
    assert "a decision failed" in caplog.text


def test_a_badge_is_what_a_record_may_say() -> None:
    assert badge_of("keys/2 保安") == "keys-2---"
    assert badge_of("._") == "key"


def test_the_watchdog_ends_a_process_whose_loop_hangs() -> None:
    ended: list[int] = []
    clock = VirtualClock()
    dog = Watchdog(clock, end=ended.append, hang=0.2)
    dog.start()
    for _ in range(5):
        dog.beat()
        time.sleep(0.02)
    assert ended == []  # the control: a loop that turns is left alone
    clock.pass_(1)
    dog._thread.join(timeout=5)
    assert ended == [70]


CONFIG = """\
[server]
url = "http://127.0.0.1:9"

[door]
venue = "5f8b1c5e-2d7c-4b2a-9a53-6f0f6a1b7c11"
entrance = "east"

[state]
folder = "state"
"""


def test_the_command_runs_until_sigterm_and_says_how_it_is(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(CONFIG)
    run = [sys.executable, "-m", "passlight.gate", "--config", str(path)]
    with subprocess.Popen(run, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 20
        while not (tmp_path / "state" / "status.json").exists():
            assert time.monotonic() < until and process.poll() is None
            time.sleep(0.05)
        asked = [
            sys.executable,
            "-m",
            "passlight.cli.main",
            "gate",
            "--config",
            str(path),
            "status",
        ]
        said = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)
        assert (said.returncode, json.loads(said.stdout)["running"]) == (0, True)
        assert json.loads(said.stdout)["enrolled"] is False
        second = subprocess.run(run, capture_output=True, text=True, timeout=30, check=False)
        assert second.returncode == 2 and "in use by another door" in second.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert process.stderr is not None and "not enrolled" in process.stderr.read()
    said = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)
    assert (said.returncode, json.loads(said.stdout)["ended"]) == (1, True)
