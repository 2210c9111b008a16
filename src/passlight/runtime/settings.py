"""Settings: every environment variable that Passlight reads, in one place.

=========================  =======================================================================
``PASSLIGHT_HOME``         state folder: database, keys, spools, logs (default ``.passlight``)
``PASSLIGHT_DATABASE_URL`` ``postgresql://owner@host:port/name`` of a server of your own;
                           without it an embedded PostgreSQL runs below the state folder
``PASSLIGHT_KEYS``         folder of the key files (default ``$PASSLIGHT_HOME/keys``)
``PASSLIGHT_PUBLIC_URL``   origin that people type, e.g. ``https://code.example.cn``
``PASSLIGHT_REALM``        realm of the codes, ``[a-z0-9-]{1,24}`` (default ``cn-310118``)
``PASSLIGHT_REALM_OFFSET_MINUTES``  its fixed offset from UTC, which days of codes go by
                           (default 480)
``PASSLIGHT_DEMO``         ``1`` shows the demonstration banner
``PASSLIGHT_DATA``         folder with the real data of the tests (default ``../shared/data``)
``PORT``                   port of the front (default 8000)
=========================  =======================================================================
"""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What this installation is told from outside."""

    home: Path
    keys: Path
    database_url: str | None
    public_url: str
    realm: str
    demo: bool
    port: int
    data: Path


def read_settings() -> Settings:
    """Return the settings of this process's environment."""
    env = os.environ
    home = Path(env.get("PASSLIGHT_HOME", ".passlight")).absolute()
    port = int(env.get("PORT", "8000"))
    return Settings(
        home=home,
        keys=Path(env.get("PASSLIGHT_KEYS", home / "keys")),
        database_url=env.get("PASSLIGHT_DATABASE_URL") or None,
        public_url=env.get("PASSLIGHT_PUBLIC_URL", f"http://127.0.0.1:{port}").rstrip("/"),
        realm=env.get("PASSLIGHT_REALM", "cn-310118"),
        demo=env.get("PASSLIGHT_DEMO") == "1",
        port=port,
        data=Path(env.get("PASSLIGHT_DATA", "../shared/data")),
    )


def read_variable(name: str, default: str) -> str:
    """Return one environment variable; for the few settings that belong to a single process."""
    assert name.startswith("PASSLIGHT_"), name
    return os.environ.get(name, default)


def child_environment(**extra: str) -> dict[str, str]:
    """Return this process's environment with ``extra`` set, for a process we start."""
    return {**os.environ, **extra}
