"""Fleet status against a real mosquitto on a free port."""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from passlight.core.kernel.problem import ProblemError
from passlight.gate.fleet import Fleet, FleetSettings, read_fleet, told
from passlight.gate.toml_table import read_toml
from tests.gate.drivers.ptys import CLOCK, served, until

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
ROOT = Path(__file__).parents[3]
TOPIC = "passlight/gates/v/north/status"
STATUS = {
    "enrolled": True,
    "online": False,
    "clock_sure": True,
    "as_of": 1_654_651_860,
    "waiting": 6,
    "trouble": "no-answer",
    "devices": {"code": "ok", "barrier": "down"},
}


class Broker:
    """One mosquitto; it keeps nothing between two starts."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.file = folder / "mosquitto.conf"
        self.file.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [MOSQUITTO, "-c", str(self.file)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.process.poll() is None, "mosquitto did not start"
            subprocess.run(["sleep", "0.01"], check=True)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(5)
            self.process = None

    def settings(self, topic: str = TOPIC) -> FleetSettings:
        return FleetSettings(host="127.0.0.1", port=self.port, topic=topic, tls=False)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    found = Broker(tmp_path)
    found.start()
    yield found
    found.stop()


@asynccontextmanager
async def watching(broker: Broker, heard: list[dict[str, Any]]):
    """Somebody of the fleet's operators listens."""

    async def listen() -> None:
        async with aiomqtt.Client("127.0.0.1", broker.port) as client:
            await client.subscribe("passlight/gates/#", qos=1)
            async for message in client.messages:
                heard.append(
                    {"retain": message.retain, "qos": message.qos, **json.loads(message.payload)}
                )

    task = asyncio.create_task(listen())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_status_is_retained_and_the_end_is_told(broker: Broker) -> None:
    async def run() -> None:
        status = dict(STATUS)
        fleet = Fleet(broker.settings(), lambda: status, CLOCK)
        late: list[dict[str, Any]] = []
        async with served(fleet):
            await asyncio.sleep(0.2)
            async with watching(broker, late):
                await until(lambda: late)
                # Somebody who comes later hears the last word at once.
                assert (late[0]["retain"], late[0]["qos"]) == (True, 1)
                assert late[0]["reachable"] is True
                assert late[0]["devices"] == {"code": "ok", "barrier": "down"}
                status["waiting"] = 7
                await until(lambda: late[-1]["waiting"] == 7)
                assert len(late) == 2  # nothing is said twice
        after: list[dict[str, Any]] = []
        async with watching(broker, after):
            await until(lambda: after)
        assert after[0]["reachable"] is False

    asyncio.run(run())


def test_a_door_that_is_cut_off_is_known_by_its_last_will(broker: Broker) -> None:
    async def run() -> None:
        heard: list[dict[str, Any]] = []
        async with watching(broker, heard):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.gate.drivers.fleet_process",
                str(broker.port),
                TOPIC,
                cwd=ROOT,
            )
            try:
                await until(lambda: heard and heard[-1]["reachable"], seconds=20)
                assert heard[-1]["waiting"] == 3
            finally:
                process.kill()
                await process.wait()
            await until(lambda: heard[-1]["reachable"] is False)
            assert "at" not in heard[-1]  # the broker's word, not the door's

    asyncio.run(run())


def test_a_broker_that_comes_back_hears_it_again(broker: Broker) -> None:
    async def run() -> None:
        fleet = Fleet(broker.settings(), lambda: STATUS, CLOCK)
        async with served(fleet):
            broker.stop()
            await until(lambda: not fleet.health().works)
            assert fleet.health().code == "kiosk.device.gone"
            broker.start()
            await until(lambda: fleet.health().works, seconds=10)
            heard: list[dict[str, Any]] = []
            async with watching(broker, heard):
                await until(lambda: heard)
            assert heard[0]["waiting"] == 6

    asyncio.run(run())


def test_nothing_of_a_person_goes_out() -> None:
    private = {
        **STATUS,
        "name": "王小明",
        "last": {"number": "11010519491231002X"},
        "said": "PL1:ABC",
        "trouble": "x" * 1_000,
        "devices": {"code": "ok", "id_card": "11010519491231002X"},
    }
    content = told(private, at=5)
    assert content == {
        "reachable": True,
        "at": 5,
        **{name: value for name, value in STATUS.items() if name not in {"trouble", "devices"}},
        "trouble": "x" * 64,
        "devices": {"code": "ok"},
    }


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        ("[fleet]\nport = 1883\n", 1, "broker"),
        ('[fleet]\nbroker = "mqtt.example"\ntls = false\n', 3, "tls"),
        ('[fleet]\nbroker = "mqtt.example"\ntopic = "a/#"\n', 3, "topic"),
        ('[fleet]\nbroker = "mqtt.example"\nqos = 2\n', 3, "qos"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, text: str, line: int, named: str) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(text)
    with pytest.raises(ProblemError) as caught:
        read_fleet(read_toml(path).tables["fleet"], venue="v", entrance="north")
    assert caught.value.problems[0].line == line
    assert named in (caught.value.problems[0].field or "")


def test_encrypted_unless_on_this_machine(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text('[fleet]\nbroker = "mqtt.example"\nuser = "gate"\npassword = "secret"\n')
    found = read_fleet(read_toml(path).tables["fleet"], venue="v", entrance="north")
    assert found is not None
    assert (found.tls, found.port, found.topic) == (True, 8883, TOPIC)
    assert "secret" not in repr(found)
