"""The demonstration's gate: where its state lies, and the file that sets it up.

It is the product's own ``python -m passlight.gate``. Its code scanner, card reader and
thermometer are serial ports with walkers at the other end, its barrier and its voice are
simulated, its screen is a page of this machine.
"""

import json
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from passlight.gate.kiosk import LOOPBACK
from passlight.gate.state import IDENTITY
from passlight.runtime.services import free_port, port_is_free
from passlight.runtime.settings import Settings
from passlight.simulation.cables import Cables
from passlight.simulation.district import DemoDoor

SCREEN_PORT: Final = 8090
SCREEN_FILE: Final = "screen-port"

_CONFIG: Final = """\
# Written by passlight demo at every start. A door of yours: docs/guides/gate.md
[server]
url = {url}

[door]
venue = {venue}
entrance = {entrance}

[state]
folder = "state"

[clock]
battery = true

[[code]]
driver = "serial"
device = {codes}

[id_card]
driver = "serial"
device = {cards}

[thermometer]
driver = "serial"
device = {thermometer}
id = "T-01"
checksum = true
fresh_seconds = 3.0

[barrier]
driver = "simulated"

[speaker]
driver = "simulated"

[display]
port = {port}
guard_keys = true
"""


def gate_folder(settings: Settings) -> Path:
    """Return the folder of the gate: its file and, below, its state."""
    return settings.home / "gate"


def state_folder(settings: Settings) -> Path:
    """Return where the gate keeps its key, its identity and its records."""
    return gate_folder(settings) / "state"


def is_enrolled(settings: Settings) -> bool:
    """Return whether the gate was let in."""
    return (state_folder(settings) / IDENTITY).exists()


def can_reach(settings: Settings) -> bool:
    """Return whether a gate may use the public address: encrypted, or of this machine."""
    parts = urlsplit(settings.public_url)
    return parts.scheme == "https" or parts.hostname in LOOPBACK


def screen_port(settings: Settings) -> int:
    """Return a free port for the gate's screen: that of the last start, if it can be."""
    kept = gate_folder(settings) / SCREEN_FILE
    try:
        wanted = int(kept.read_text())
    except (FileNotFoundError, ValueError):
        wanted = SCREEN_PORT
    port = wanted if port_is_free(wanted) else free_port()
    kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept.write_text(f"{port}\n")
    return port


def write_config(settings: Settings, door: DemoDoor, cables: Cables, *, port: int) -> Path:
    """Write the gate's file and return where it is."""
    values = {
        "url": settings.public_url,
        "venue": door.venue,
        "entrance": door.entrance,
        "codes": cables.codes.port,
        "cards": cables.cards.port,
        "thermometer": cables.thermometer.port,
    }
    path = gate_folder(settings) / "gate.toml"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    quoted = {name: json.dumps(value, ensure_ascii=False) for name, value in values.items()}
    path.write_text(_CONFIG.format(**quoted, port=port), encoding="utf-8")
    return path
