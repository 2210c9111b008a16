"""Running a door from its file: the real clock, the real devices, one process."""

import asyncio
import logging
import signal
import sys
from pathlib import Path

from passlight.core.kernel.problem import Problem, ProblemError
from passlight.gate.assembly import Gate, assemble
from passlight.gate.config import GateConfig, read_config
from passlight.gate.devices import Devices
from passlight.gate.drivers.registry import build
from passlight.gate.process import DoorProcess
from passlight.gate.services import services_of
from passlight.gate.spool import SpoolError
from passlight.gate.watchdog import Watchdog
from passlight.runtime.clock import SystemClock, SystemEntropy

log = logging.getLogger("passlight.gate")


def run_door(path: Path) -> None:
    """Serve the door of a configuration until SIGTERM or SIGINT.

    Raises:
        ProblemError: the configuration or the state is no good; it says where and what to do.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    config = read_config(path)
    gate = open_door(config, build_devices(config))
    if gate.uplink is None:
        log.warning("not enrolled: everybody is asked for; run passlight gate enrol")
    asyncio.run(_serve(gate))


def build_devices(config: GateConfig) -> Devices:
    """Return the devices of a configuration, with the machine's own clock.

    Raises:
        ProblemError: a table of a device is wrong.
    """
    return build(config, clock=SystemClock(), entropy=SystemEntropy())


def open_door(config: GateConfig, devices: Devices) -> Gate:
    """Return the door, with the machine's own clock.

    Raises:
        ProblemError: another process has its folder, or the disk takes nothing.
    """
    try:
        return assemble(config, clock=SystemClock(), entropy=SystemEntropy(), devices=devices)
    except SpoolError as error:
        raise ProblemError(
            Problem(
                code="gate.spool-unusable",
                message=str(error),
                remedy="Check the disk of [state] folder.",
                file=str(config.folder),
            )
        ) from error


async def _serve(gate: Gate) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watchdog = Watchdog(SystemClock())
    watchdog.start()
    process = DoorProcess(gate, beat=watchdog.beat)
    try:
        process.services = services_of(
            gate.config, answer=process.answer, status=process.status, clock=SystemClock()
        )
        await process.run(stop)
    finally:
        watchdog.stop()
