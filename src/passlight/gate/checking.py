"""``passlight gate check``: what each part of a door is, and whether it answers."""

import asyncio
from dataclasses import dataclass
from typing import Final

import httpx

from passlight.core.kernel.problem import ProblemError
from passlight.gate.config import GateConfig
from passlight.gate.devices import Devices
from passlight.gate.fleet import read_fleet
from passlight.gate.ports import Health
from passlight.gate.state import DoorState
from passlight.gate.vendor import read_vendor
from passlight.runtime.catalogue import text

LOOK_SECONDS: Final = 2.0
SERVER_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One part of the door, whether it answers, and what to do when it does not."""

    what: str
    good: bool
    found: str
    remedy: str = ""


async def findings(config: GateConfig, devices: Devices) -> list[Finding]:
    """Return what every part is; it opens the devices for two seconds.

    Raises:
        ProblemError: a table that only a running door reads is wrong.
    """
    read_vendor(config.tables("vendor"))
    read_fleet(config.tables("fleet"), venue=config.venue, entrance=config.entrance)
    return [_enrolled(config), await _server(config), *await _devices(devices)]


def _enrolled(config: GateConfig) -> Finding:
    try:
        state = DoorState(config.folder)
    except ProblemError:
        return Finding(what="state", good=True, found="in use by the running door")
    try:
        identity, stopped = state.identity, state.is_stopped
    finally:
        state.close()
    if identity is None:
        remedy = "passlight gate enrol --token …"
        return Finding(what="enrolment", good=False, found="none", remedy=remedy)
    if stopped:
        remedy = "Ask the office; then enrol again."
        return Finding(what="enrolment", good=False, found="revoked", remedy=remedy)
    return Finding(what="enrolment", good=True, found=f"device {identity.device}")


async def _server(config: GateConfig) -> Finding:
    try:
        async with httpx.AsyncClient(timeout=SERVER_SECONDS, trust_env=False) as client:
            answer = await client.get(f"{config.url}/v1/time")
        good, found = answer.is_success, f"{config.url}: {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        good, found = False, f"{config.url}: {type(error).__name__}"
    remedy = "" if good else "Check [server] url and the network. The door works without it."
    return Finding(what="server", good=good, found=found, remedy=remedy)


async def _devices(devices: Devices) -> list[Finding]:
    if not devices.ports():
        remedy = "Write [code] and the others; docs/guides/gate.md shows a whole file."
        return [Finding(what="devices", good=False, found="none", remedy=remedy)]
    running = asyncio.create_task(devices.run())
    await asyncio.wait([running], timeout=LOOK_SECONDS)
    health = devices.health()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return [_device(name, found) for name, found in health.items()]


def _device(name: str, health: Health) -> Finding:
    why = text(health.code, "en", **health.params) if health.code else ""
    said = f"{health.condition.value} {why}".strip()
    remedy = "" if health.works else "Check the cable and the fields of its table."
    return Finding(what=name, good=health.works, found=said, remedy=remedy)
