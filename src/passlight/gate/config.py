"""The door's one TOML file, read strictly: an unknown or wrong field is an error with its line.

The tables of devices are handed to their drivers as they stand; each driver reads its own
fields and closes its table.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from passlight.gate.toml_table import Table, TomlFile, read_toml

DEVICE_TABLES: Final = (
    "code",
    "id_card",
    "keys",
    "thermometer",
    "barrier",
    "speaker",
    "display",
    "fleet",
    "vendor",
)
SPOOL_ROWS_DEFAULT: Final = 200_000

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_ENTRANCE = re.compile(r"[A-Za-z0-9_-]{1,32}\Z")
_ROOT = re.compile(r"[0-9a-f]{64}\Z")

Direction = Literal["in", "out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """What one door is told by whoever set it up.

    ``roots`` pin who may sign trust lists, before enrolment; without them enrolment does.
    ``battery_clock`` says that the board keeps the time without power: without one, a power
    cut leaves a clock that nobody may judge by until the server was heard.
    ``barrier_seconds`` is how long an admission keeps the barrier open.
    """

    url: str
    roots: tuple[bytes, ...]
    venue: str
    entrance: str
    direction: Direction
    barrier_seconds: float
    folder: Path
    spool_rows: int
    battery_clock: bool
    devices: Mapping[str, tuple[Table, ...]]

    def tables(self, name: str) -> tuple[Table, ...]:
        """Return the tables of one kind of device; none when it is not configured."""
        assert name in DEVICE_TABLES, name
        return self.devices.get(name, ())


def read_config(path: Path) -> GateConfig:
    """Return the configuration of a door.

    Raises:
        ProblemError: naming file, line, field and what to write instead.
        OSError: the file cannot be read.
    """
    file = read_toml(path)
    _refuse_unknown_tables(file)
    server, door = file.table("server"), file.table("door")
    state, clock = file.table("state"), file.optional("clock")
    config = GateConfig(
        url=_url(server),
        roots=_roots(server),
        venue=_matching(door, "venue", _UUID, "a venue's number, as its page shows it"),
        entrance=_matching(door, "entrance", _ENTRANCE, "an entrance's code"),
        direction="out" if _direction(door) == "out" else "in",
        barrier_seconds=door.number("barrier_seconds", 5.0, least=0.5, most=60.0),
        folder=(path.parent / state.text("folder")).absolute(),
        spool_rows=state.integer("spool_rows", SPOOL_ROWS_DEFAULT, least=100, most=2_000_000),
        battery_clock=clock.flag("battery", default=False),
        devices={name: file.tables[name] for name in DEVICE_TABLES if name in file.tables},
    )
    for table in (server, door, state, clock):
        table.close()
    return config


def _refuse_unknown_tables(file: TomlFile) -> None:
    known = {"server", "door", "state", "clock", *DEVICE_TABLES}
    for name, tables in file.tables.items():
        if name not in known:
            raise tables[0].wrong("", "is not known", f"Known tables: {', '.join(sorted(known))}.")


def _direction(door: Table) -> str:
    return door.text("direction", "in", choices=("in", "out"))


def _url(server: Table) -> str:
    url = server.url("url", schemes=("https", "http"))
    if urlsplit(url).scheme == "http" and urlsplit(url).hostname not in _LOOPBACK:
        raise server.wrong(
            "url",
            "an unencrypted address would let anybody on the way answer for the server",
            'Write "https://…"; http goes on this machine only.',
        )
    return url


def _roots(server: Table) -> tuple[bytes, ...]:
    text = server.text("root", "")
    if not text:
        return ()
    if not _ROOT.match(text):
        raise server.wrong("root", "must be 64 hexadecimal digits", "Copy it from the gate's page.")
    return (bytes.fromhex(text),)


def _matching(table: Table, key: str, pattern: re.Pattern[str], what: str) -> str:
    value = table.text(key)
    if not pattern.match(value):
        raise table.wrong(key, f"{value!r} is not {what}", "Copy it from the gate's page.")
    return value
