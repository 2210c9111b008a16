"""From TOML to devices: every driver by its name, every wrong field by its line."""

from pathlib import Path

import pytest

from passlight.core.kernel.problem import ProblemError
from passlight.gate.drivers.camera import Camera
from passlight.gate.drivers.gpio import GpioKeys, GpioRelay
from passlight.gate.drivers.keyboard import KeyboardIdReader, KeyboardKeys, KeyboardScanner
from passlight.gate.drivers.mlx90614 import Mlx90614
from passlight.gate.drivers.modbus_relay import ModbusRelay
from passlight.gate.drivers.registry import build
from passlight.gate.drivers.serial_id_reader import SerialIdReader
from passlight.gate.drivers.serial_scanner import SerialScanner
from passlight.gate.drivers.serial_thermometer import SerialThermometer
from passlight.gate.kiosk import Kiosk
from passlight.gate.ports import Condition
from passlight.gate.simulated.acting import SimulatedBarrier, SimulatedSpeaker, SimulatedThermometer
from passlight.gate.simulated.shown import SimulatedIdReader, SimulatedKeys, SimulatedScanner
from passlight.gate.speaker import PromptSpeaker
from passlight.gate.toml_table import TomlFile, read_toml
from passlight.runtime.clock import SystemClock, SystemEntropy

WHOLE = """
[[code]]
driver = "serial"
device = "/dev/ttyUSB0"
baud = 115200

[[code]]
driver = "keyboard"
device = "/dev/input/by-id/usb-scanner-event-kbd"

[[code]]
driver = "camera"
device = "/dev/video0"

[[id_card]]
driver = "serial"
device = "/dev/ttyUSB1"

[[id_card]]
driver = "keyboard"
device = "/dev/input/by-id/usb-cards-event-kbd"

[[keys]]
driver = "gpio"
guard_ok = "GPIO5"
emergency = "GPIO6"

[[keys]]
driver = "keyboard"
device = "/dev/input/by-id/usb-pad-event-kbd"
guard_ok = 79
exit = 80

[thermometer]
driver = "mlx90614"
id = "M-01"
bus = 1
emissivity = 0.98
offset = 2.3

[barrier]
driver = "modbus"
device = "/dev/ttyUSB2"
unit = 3
coil = 7

[speaker]
driver = "command"
languages = "zh en"
command = "aplay -q -D plughw:1 {files}"

[display]
port = 8090
language = "zh"
result_seconds = 4
"""
OTHERS = """
[code]
driver = "simulated"
[id_card]
driver = "simulated"
[keys]
driver = "simulated"
[thermometer]
driver = "serial"
id = "T-01"
device = "/dev/ttyS1"
checksum = true
[barrier]
driver = "gpio"
pin = "GPIO17"
active_high = false
[speaker]
driver = "simulated"
"""
SIMULATED = """
[thermometer]
driver = "simulated"
id = "T-01"
[barrier]
driver = "simulated"
"""


class Config:
    """The tables of a file, as the door's configuration gives them."""

    def __init__(self, file: TomlFile) -> None:
        self.file = file

    def tables(self, name: str) -> tuple:
        return self.file.tables.get(name, ())


def built(folder: Path, text: str):
    path = folder / "gate.toml"
    path.write_text(text)
    return build(Config(read_toml(path)), clock=SystemClock(), entropy=SystemEntropy())


def kinds(ports: tuple) -> list[type]:
    return [type(port) for port in ports]


def test_every_real_driver(tmp_path: Path) -> None:
    found = built(tmp_path, WHOLE)
    assert kinds(found.codes[:3]) == [SerialScanner, KeyboardScanner, Camera]
    assert found.codes[3].name == "display.scan"
    assert kinds(found.documents) == [SerialIdReader, KeyboardIdReader]
    assert kinds(found.keys[:2]) == [GpioKeys, KeyboardKeys]
    assert isinstance(found.thermometer, Mlx90614)
    assert isinstance(found.barrier, ModbusRelay)
    assert isinstance(found.speaker, PromptSpeaker)
    assert isinstance(found.display, Kiosk)
    names = [port.name for port in found.ports()]
    assert len(set(names)) == len(names) == 13
    # Nothing is opened by reading the file; each says that it is not yet there.
    assert {health.condition for health in found.health().values()} == {Condition.DOWN}


def test_the_other_drivers_and_the_simulators(tmp_path: Path) -> None:
    found = built(tmp_path, OTHERS)
    assert kinds(found.codes) == [SimulatedScanner]
    assert kinds(found.documents) == [SimulatedIdReader]
    assert kinds(found.keys) == [SimulatedKeys]
    assert isinstance(found.thermometer, SerialThermometer)
    assert isinstance(found.barrier, GpioRelay)
    assert isinstance(found.speaker, SimulatedSpeaker)
    assert found.display is None
    again = built(tmp_path, SIMULATED)
    assert isinstance(again.thermometer, SimulatedThermometer)
    assert isinstance(again.barrier, SimulatedBarrier)
    assert built(tmp_path, "[server]\nurl = 'x'\n").ports() == ()


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ('[code]\ndriver = "laser"\n', 2, "code.driver"),
        ('[code]\ndriver = "serial"\n', 1, "code.device"),
        ('[code]\ndriver = "serial"\ndevice = "/dev/ttyS0"\nbaud = "9600"\n', 4, "code.baud"),
        ('[code]\ndriver = "serial"\ndevice = "x"\nspeed = 9600\n', 4, "code.speed"),
        ('[thermometer]\ndriver = "serial"\ndevice = "x"\n', 1, "thermometer.id"),
        ('[thermometer]\ndriver = "mlx90614"\nid = "M"\noffset = 20\n', 4, "thermometer.offset"),
        ('[display]\nhost = "0.0.0.0"\n', 2, "display.host"),
        ('[speaker]\ndriver = "command"\nlanguages = "de"\n', 3, "speaker.languages"),
        ('[speaker]\ndriver = "command"\ncommand = "aplay"\n', 3, "speaker.command"),
        ('[keys]\ndriver = "gpio"\n', 2, "keys.driver"),
        ('[keys]\ndriver = "gpio"\nexit = "GPIO5"\nguard_ok = "GPIO5"\n', 2, "keys.driver"),
        ('[[barrier]]\ndriver = "gpio"\npin = "G1"\n[[barrier]]\ndriver = "gpio"\n', 4, "barrier"),
    ],
)
def test_a_wrong_field_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, field: str
) -> None:
    with pytest.raises(ProblemError) as caught:
        built(tmp_path, text)
    problem = caught.value.problems[0]
    assert problem.line == line
    assert (problem.field or "").startswith(field)
    assert problem.remedy
