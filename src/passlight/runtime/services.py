"""The processes of an installation, as ``passlight serve`` and ``passlight demo`` run them.

office   Django under Granian, role office          worker   evaluates, role evaluator
gateway  codes, doors, check-ins, role gateway      front    one origin for the browser
jobs     notices and what recurs, role office
"""

import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from passlight.runtime.processes import ProcessSpec
from passlight.runtime.settings import Settings

HOST = "127.0.0.1"
READY_TIMEOUT_SECONDS = 2


def free_port() -> int:
    """Return a loopback port that nobody holds at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    """Return whether a server could listen on ``port``."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(url: str) -> Callable[[], bool]:
    """Return a test whether ``url`` answers with success."""

    def ready() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=READY_TIMEOUT_SECONDS) as reply:  # noqa: S310
                return bool(reply.status < 300)  # noqa: PLR2004
        except (urllib.error.URLError, OSError):
            return False

    return ready


def environment(settings: Settings) -> dict[str, str]:
    """Return what a process of this installation needs to find its state."""
    named = {}
    if settings.database_url is not None:
        # Where the server is, and not the owner's password: each process has its own role's.
        parts = urlsplit(settings.database_url)
        netloc = parts.netloc.rpartition("@")[2]
        named["PASSLIGHT_DATABASE_URL"] = urlunsplit(parts._replace(netloc=netloc))
    return {
        **named,
        "PASSLIGHT_HOME": str(settings.home),
        "PASSLIGHT_KEYS": str(settings.keys),
        "PASSLIGHT_PUBLIC_URL": settings.public_url,
        "PASSLIGHT_REALM": settings.realm,
        "PASSLIGHT_DEMO": "1" if settings.demo else "0",
        "PORT": str(settings.port),
        "DJANGO_SETTINGS_MODULE": "passlight.office.settings",
    }


def services(settings: Settings, *, host: str = HOST) -> list[ProcessSpec]:
    """Return the five processes of this installation in the order in which they start."""
    office, gateway = free_port(), free_port()
    python = sys.executable
    common = {
        **environment(settings),
        "PASSLIGHT_OFFICE_PORT": str(office),
        "PASSLIGHT_GATEWAY_PORT": str(gateway),
        "PASSLIGHT_FRONT_HOST": host,
    }
    granian = (
        *(python, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(office)),
        *("--workers", "1", "--blocking-threads", "4", "--no-ws"),
    )
    return [
        ProcessSpec(
            name="worker",
            command=(python, "-m", "passlight.office.statuses.worker"),
            environment={**common, "PASSLIGHT_ROLE": "evaluator"},
        ),
        ProcessSpec(
            name="office",
            command=(*granian, "passlight.office.wsgi:application"),
            environment={**common, "PASSLIGHT_ROLE": "office"},
        ),
        ProcessSpec(
            name="jobs",
            command=(python, "-m", "passlight.office.jobs"),
            environment={**common, "PASSLIGHT_ROLE": "office"},
        ),
        ProcessSpec(
            name="gateway",
            command=(python, "-m", "passlight.gateway"),
            environment={**common, "PASSLIGHT_ROLE": "gateway"},
        ),
        ProcessSpec(
            name="front",
            command=(python, "-m", "passlight.gateway.front"),
            environment=common,
            ready=answers(f"http://{HOST}:{settings.port}/healthz"),
        ),
    ]
