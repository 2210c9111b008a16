"""Settings: every environment variable that Passlight reads, in one place.

Of an installation:

``PASSLIGHT_HOME``          state folder: database, keys, spools, logs (default ``.passlight``;
                            ``passlight demo`` without it: ``.passlight/demo``)
``PASSLIGHT_DATABASE_URL``  ``postgresql://owner@host:port/name`` of a server of your own;
                            without it an embedded PostgreSQL runs below the state folder
``PASSLIGHT_KEYS``          folder of the key files (default ``$PASSLIGHT_HOME/keys``)
``PASSLIGHT_PUBLIC_URL``    origin that people type, e.g. ``https://code.example.cn``
``PASSLIGHT_REALM``         realm of the codes, ``[a-z0-9-]{1,24}`` (default ``cn-310118``)
``PASSLIGHT_REALM_OFFSET_MINUTES``
                            its fixed offset from UTC, which days of codes go by (default 480)
``PASSLIGHT_CONTACT_PHONE`` the number that pages name for questions (default ``12345``)
``PASSLIGHT_FRONT_PROXIES`` addresses of your TLS proxies, with commas between; whom they name in
                            ``X-Forwarded-For`` is who asks (default none)
``PASSLIGHT_RECOMPUTE_HOUR`` hour of the day at which the whole city is computed again and
                            compared with what is served (default 3; 24: never by itself)
``PASSLIGHT_SWITCH_PEOPLE`` from how many people on a new rule pack is carried to everybody
                            set-based (default 5000; needs the extra ``city``)
``PASSLIGHT_CITY_BUCKET``   people whom the set-based engine holds in memory (default 250000)
``PORT``                    port of the front (default 8000)

Of one process; ``passlight serve`` sets them for the processes that it starts:

``PASSLIGHT_ROLE``          database role: ``office`` (default), ``owner``, ``evaluator`` or
                            ``gateway``
``PASSLIGHT_OFFICE_PORT``   loopback port of the office (default 8002)
``PASSLIGHT_GATEWAY_PORT``  loopback port of the gateway (default 8001)
``PASSLIGHT_GATEWAY_NAME``  its name, which its spool and records carry (default ``gateway-1``)
``PASSLIGHT_FRONT_HOST``    address that the front listens on (default ``127.0.0.1``)

Of the demonstration and the tests:

``PASSLIGHT_DEMO``          ``1`` shows the demonstration banner
``PASSLIGHT_SENTINEL_PACE`` seconds between two people at the demonstration's sentinel
``PASSLIGHT_DATA``          folder with the real data of the tests (default ``../shared/data``)
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from passlight.core.kernel.problem import Problem, ProblemError

PORT_MAX = 65_535
OFFSET_MINUTES_MAX = 14 * 60
REALM = re.compile(r"[a-z0-9-]{1,24}")


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
    """Return the settings of this process's environment.

    Raises:
        ProblemError: naming a variable that cannot be what it says.
    """
    env = os.environ
    home = Path(env.get("PASSLIGHT_HOME") or ".passlight").absolute()
    port = read_number("PORT", 8000, least=1, most=PORT_MAX)
    realm = env.get("PASSLIGHT_REALM", "cn-310118")
    if not REALM.fullmatch(realm):
        raise _wrong("PASSLIGHT_REALM", realm, "Write 1 to 24 of a-z, 0-9 and the hyphen.")
    return Settings(
        home=home,
        keys=Path(env.get("PASSLIGHT_KEYS") or home / "keys"),
        database_url=_url("PASSLIGHT_DATABASE_URL", {"postgresql", "postgres"}) or None,
        public_url=_url("PASSLIGHT_PUBLIC_URL", {"http", "https"}) or f"http://127.0.0.1:{port}",
        realm=realm,
        demo=env.get("PASSLIGHT_DEMO") == "1",
        port=port,
        data=Path(env.get("PASSLIGHT_DATA", "../shared/data")),
    )


def read_number(name: str, default: int, *, least: int, most: int) -> int:
    """Return one environment variable that is a whole number.

    Raises:
        ProblemError: when it is none, or outside its limits.
    """
    text = os.environ.get(name) or str(default)
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise _wrong(name, text, f"Write a whole number from {least} to {most}.")
    return number


def _url(name: str, schemes: set[str]) -> str:
    """Return a URL without its last slash, or "" when none is given; it may hold a password."""
    text = os.environ.get(name, "").rstrip("/")
    try:
        parts = urlsplit(text)
        good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if text and not good:
        example = "postgresql://owner@host:5432/name" if "postgresql" in schemes else "https://…"
        raise _wrong(name, "its value", f"Write an address like {example}.")
    return text


def _wrong(name: str, value: str, remedy: str) -> ProblemError:
    return ProblemError(
        Problem(code="settings.wrong", message=f"{value} does not go.", remedy=remedy, field=name)
    )


def read_variable(name: str, default: str) -> str:
    """Return one environment variable; for the few settings that belong to a single process."""
    assert name.startswith("PASSLIGHT_"), name
    return os.environ.get(name, default)


def child_environment(**extra: str) -> dict[str, str]:
    """Return this process's environment with ``extra`` set, for a process we start."""
    return {**os.environ, **extra}
