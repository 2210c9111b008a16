"""What a door serves beside its own devices: existing gate hardware, and news to the fleet."""

from collections.abc import Callable, Mapping
from typing import Any

from passlight.core.kernel.clock import Clock
from passlight.gate.config import GateConfig
from passlight.gate.fleet import Fleet, read_fleet
from passlight.gate.ports import Port
from passlight.gate.vendor import Answer, VendorServer, read_vendor


def services_of(
    config: GateConfig, *, answer: Answer, status: Callable[[], Mapping[str, Any]], clock: Clock
) -> tuple[Port, ...]:
    """Return what ``[[vendor]]`` and ``[fleet]`` ask for; run each beside the door's devices.

    Raises:
        ProblemError: a field is missing, wrong or unknown; it says which, and in which line.
    """
    services: list[Port] = []
    vendor = read_vendor(config.tables("vendor"))
    if vendor is not None:
        services.append(VendorServer(vendor, answer, clock))
    fleet = read_fleet(config.tables("fleet"), venue=config.venue, entrance=config.entrance)
    if fleet is not None:
        services.append(Fleet(fleet, status, clock))
    return tuple(services)
