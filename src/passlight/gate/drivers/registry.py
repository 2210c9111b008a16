"""From the tables of the door's TOML file to its devices; each driver reads its fields strictly."""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal, Protocol, TypeVar, cast

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.gate.devices import Devices
from passlight.gate.drivers.camera import Camera, CameraInput
from passlight.gate.drivers.gpio import GpioKeys, GpioRelay
from passlight.gate.drivers.key_events import InputDevice
from passlight.gate.drivers.keyboard import KeyboardIdReader, KeyboardKeys, KeyboardScanner
from passlight.gate.drivers.mlx90614 import ADDRESS, Mlx90614, open_bus
from passlight.gate.drivers.modbus_relay import Coil, ModbusRelay
from passlight.gate.drivers.serial_id_reader import SerialIdReader
from passlight.gate.drivers.serial_port import SerialLine
from passlight.gate.drivers.serial_scanner import SerialScanner
from passlight.gate.drivers.serial_thermometer import SerialThermometer
from passlight.gate.drivers.temperature import FRESH_SECONDS
from passlight.gate.kiosk import LOOPBACK, Kiosk, KioskSettings
from passlight.gate.ports import (
    Barrier,
    CodeSource,
    GuardKey,
    IdReader,
    Keys,
    Speaker,
    Thermometer,
)
from passlight.gate.simulated.acting import (
    SimulatedBarrier,
    SimulatedSpeaker,
    SimulatedThermometer,
)
from passlight.gate.simulated.shown import SimulatedIdReader, SimulatedKeys, SimulatedScanner
from passlight.gate.speaker import LANGUAGES, RECORDINGS, PromptSpeaker
from passlight.gate.toml_table import Table

BAUD_MOST: Final = 4_000_000
PARITIES: Final = ("N", "E", "O")
Device = TypeVar("Device")
Pin = TypeVar("Pin", str, int)


class Tables(Protocol):
    """What is needed of the configuration."""

    def tables(self, name: str) -> tuple[Table, ...]:
        """Return the tables of one kind of device."""
        ...


def build(config: Tables, *, clock: Clock, entropy: Entropy) -> Devices:
    """Return the devices that the configuration names, none of them opened yet.

    Raises:
        ProblemError: a field is missing, wrong or unknown; it says which, and in which line.
    """
    kiosk = _single(config, "display", lambda table: _kiosk(table, config, clock, entropy))
    codes = [_of(table, _CODES, clock) for table in config.tables("code")]
    keys = [_of(table, _KEYS, clock) for table in config.tables("keys")]
    if kiosk is not None:
        codes.append(kiosk.scans)
        keys.append(kiosk.keys)
    return Devices(
        codes=tuple(codes),
        documents=tuple(_of(table, _ID_READERS, clock) for table in config.tables("id_card")),
        keys=tuple(keys),
        thermometer=_single(config, "thermometer", lambda t: _of(t, _THERMOMETERS, clock)),
        barrier=_single(config, "barrier", lambda t: _of(t, _BARRIERS, clock)),
        speaker=_single(config, "speaker", lambda t: _of(t, _SPEAKERS, clock)),
        display=kiosk,
    )


def _of(
    table: Table, drivers: Mapping[str, Callable[[Table, Clock], Device]], clock: Clock
) -> Device:
    driver = table.text("driver", choices=tuple(drivers))
    device = drivers[driver](table, clock)
    table.close()
    return device


def _single(config: Tables, name: str, make: Callable[[Table], Device]) -> Device | None:
    tables = config.tables(name)
    if len(tables) > 1:
        raise tables[1].wrong("", "a door has one of these", f"Write one [{name}].")
    return make(tables[0]) if tables else None


def _line(table: Table, baud: int = 9_600) -> SerialLine:
    return SerialLine(
        device=table.text("device"),
        baud=table.integer("baud", baud, least=300, most=BAUD_MOST),
        parity=cast("Literal['N', 'E', 'O']", table.text("parity", "N", choices=PARITIES)),
        stop_bits=2 if table.integer("stop_bits", 1, least=1, most=2) == 2 else 1,  # noqa: PLR2004
    )


def _keyboard(table: Table) -> InputDevice:
    return InputDevice(path=table.text("device"))


# Codes.


def _serial_scanner(table: Table, clock: Clock) -> CodeSource:
    return SerialScanner(table.name, _line(table), clock)


def _keyboard_scanner(table: Table, clock: Clock) -> CodeSource:
    return KeyboardScanner(table.name, _keyboard(table), clock)


def _camera(table: Table, clock: Clock) -> CodeSource:
    device = table.text("device", "/dev/video0")
    arguments = table.text("input", f"-f v4l2 -i {shlex.quote(device)}")
    source = CameraInput(
        arguments=tuple(shlex.split(arguments)),
        width=table.integer("width", 640, least=160, most=1920),
        height=table.integer("height", 480, least=120, most=1080),
        rate=table.integer("rate", 10, least=1, most=30),
        ffmpeg=table.text("ffmpeg", "ffmpeg"),
    )
    return Camera(table.name, source, clock)


def _simulated_scanner(table: Table, _clock: Clock) -> CodeSource:
    return SimulatedScanner(table.name)


# Documents.


def _serial_id_reader(table: Table, clock: Clock) -> IdReader:
    return SerialIdReader(table.name, _line(table), clock)


def _keyboard_id_reader(table: Table, clock: Clock) -> IdReader:
    return KeyboardIdReader(table.name, _keyboard(table), clock)


def _simulated_id_reader(table: Table, _clock: Clock) -> IdReader:
    return SimulatedIdReader(table.name)


# The guard's keys.


def _named_keys(table: Table) -> dict[GuardKey, str]:
    return {key: key.value.replace("-", "_") for key in GuardKey if _field(key) in table}


def _field(key: GuardKey) -> str:
    return key.value.replace("-", "_")


def _gpio_keys(table: Table, clock: Clock) -> Keys:
    pins = {table.text(name): key for key, name in _named_keys(table).items()}
    return GpioKeys(table.name, _some(table, pins), clock)


def _keyboard_keys(table: Table, clock: Clock) -> Keys:
    codes = {
        table.integer(name, least=1, most=767): key for key, name in _named_keys(table).items()
    }
    return KeyboardKeys(table.name, _keyboard(table), _some(table, codes), clock)


def _simulated_keys(table: Table, _clock: Clock) -> Keys:
    return SimulatedKeys(table.name)


def _some(table: Table, keys: dict[Pin, GuardKey]) -> dict[Pin, GuardKey]:
    if len(keys) != len(_named_keys(table)) or not keys:
        names = ", ".join(_field(key) for key in GuardKey)
        raise table.wrong("driver", "each key needs a pin or code of its own", f"Known: {names}.")
    return keys


# Thermometers.


def _serial_thermometer(table: Table, clock: Clock) -> Thermometer:
    return SerialThermometer(
        table.name,
        _line(table),
        clock,
        thermometer=_thermometer_id(table),
        ask=table.text("ask", ""),
        checksum=table.flag("checksum", default=False),
        fresh=table.number("fresh_seconds", FRESH_SECONDS, least=0.5, most=5.0),
    )


def _mlx90614(table: Table, clock: Clock) -> Thermometer:
    bus = table.integer("bus", 1, least=0, most=255)
    return Mlx90614(
        table.name,
        lambda: open_bus(bus),
        clock,
        thermometer=_thermometer_id(table),
        address=table.integer("address", ADDRESS, least=0x03, most=0x77),
        emissivity=table.number("emissivity", 1.0, least=0.1, most=1.0),
        offset=table.number("offset", 0.0, least=-5.0, most=5.0),
    )


def _simulated_thermometer(table: Table, _clock: Clock) -> Thermometer:
    return SimulatedThermometer(table.name, _thermometer_id(table))


def _thermometer_id(table: Table) -> str:
    """Return the number on the thermometer's label: the record says which one measured."""
    return table.text("id")


# Barriers.


def _gpio_relay(table: Table, clock: Clock) -> Barrier:
    pin, active_high = table.text("pin"), table.flag("active_high", default=True)
    return GpioRelay(table.name, pin, clock, active_high=active_high)


def _modbus_relay(table: Table, clock: Clock) -> Barrier:
    coil = Coil(
        device_id=table.integer("unit", 1, least=1, most=247),
        address=table.integer("coil", 0, least=0, most=65_535),
        inverted=table.flag("inverted", default=False),
    )
    return ModbusRelay(table.name, _line(table), coil, clock)


def _simulated_barrier(table: Table, clock: Clock) -> Barrier:
    return SimulatedBarrier(table.name, clock)


# Voice and screen.


def _speaker(table: Table, clock: Clock) -> Speaker:
    languages = tuple(table.text("languages", " ".join(LANGUAGES)).replace(",", " ").split())
    if not languages or not set(languages) <= set(LANGUAGES):
        raise table.wrong("languages", f"{languages!r} does not go", 'Write "zh en", "zh" or "en".')
    player = table.text("command", "aplay -q {files}")
    if "{files}" not in shlex.split(player):
        raise table.wrong("command", "does not say where the files go", "Write {files} in it.")
    folder = table.text("recordings", "")
    return PromptSpeaker(
        table.name,
        clock,
        languages=languages,
        folder=Path(folder) if folder else RECORDINGS,
        player=shlex.split(player),
    )


def _simulated_speaker(table: Table, _clock: Clock) -> Speaker:
    return SimulatedSpeaker(table.name)


def _kiosk(table: Table, config: Tables, clock: Clock, entropy: Entropy) -> Kiosk:
    host = table.text("host", LOOPBACK[0])
    if host not in LOOPBACK:
        raise table.wrong("host", "the screen is this box's own", 'Write "127.0.0.1".')
    settings = KioskSettings(
        host=host,
        port=table.integer("port", 8090, least=1_024, most=65_535),
        language="en" if table.text("language", "zh", choices=("zh", "en")) == "en" else "zh",
        result_seconds=table.number("result_seconds", 4.0, least=1.0, most=60.0),
        ask_seconds=table.number("ask_seconds", 20.0, least=1.0, most=45.0),
        guard_keys=table.flag("guard_keys", default=False),
        id_card=bool(config.tables("id_card")),
    )
    table.close()
    return Kiosk(table.name, settings, clock, entropy)


_CODES: Final[Mapping[str, Callable[[Table, Clock], CodeSource]]] = {
    "serial": _serial_scanner,
    "keyboard": _keyboard_scanner,
    "camera": _camera,
    "simulated": _simulated_scanner,
}
_ID_READERS: Final[Mapping[str, Callable[[Table, Clock], IdReader]]] = {
    "serial": _serial_id_reader,
    "keyboard": _keyboard_id_reader,
    "simulated": _simulated_id_reader,
}
_KEYS: Final[Mapping[str, Callable[[Table, Clock], Keys]]] = {
    "gpio": _gpio_keys,
    "keyboard": _keyboard_keys,
    "simulated": _simulated_keys,
}
_THERMOMETERS: Final[Mapping[str, Callable[[Table, Clock], Thermometer]]] = {
    "serial": _serial_thermometer,
    "mlx90614": _mlx90614,
    "simulated": _simulated_thermometer,
}
_BARRIERS: Final[Mapping[str, Callable[[Table, Clock], Barrier]]] = {
    "gpio": _gpio_relay,
    "modbus": _modbus_relay,
    "simulated": _simulated_barrier,
}
_SPEAKERS: Final[Mapping[str, Callable[[Table, Clock], Speaker]]] = {
    "command": _speaker,
    "simulated": _simulated_speaker,
}
