"""``python -m passlight.gateway``: one gateway of this installation.

==========================  ======================================================
``PASSLIGHT_GATEWAY_PORT``  port (default 8001), on the loopback behind the front
``PASSLIGHT_GATEWAY_NAME``  name of this gateway (default ``gateway-1``): its records
                            carry it, and its spool is a folder of that name
==========================  ======================================================
"""

import logging
import sys

import uvicorn

from passlight.gateway.assembly import GatewayConfig, assemble
from passlight.journal.spool import SpoolLockedError
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.database import Role, url_for
from passlight.runtime.settings import (
    PORT_MAX,
    Settings,
    read_number,
    read_settings,
    read_variable,
)

HOST = "127.0.0.1"
CONNECTIONS = 2000
IDLE_SECONDS = 30


def config_of(settings: Settings, *, name: str) -> GatewayConfig:
    """Return the configuration of the gateway called ``name``."""
    return GatewayConfig(
        name=name,
        realm=settings.realm,
        public_url=settings.public_url,
        keys=settings.keys,
        folder=settings.home / "gateways" / name,
        # Asked at each connection: an embedded server has another port after a restart.
        database_url=lambda: url_for(Role.GATEWAY, settings),
    )


def serve(app: object, *, port: int) -> None:
    """Serve an application on the loopback until the process is told to stop."""
    uvicorn.run(
        app,  # type: ignore[arg-type]  # Starlette is an ASGI application
        host=HOST,
        port=port,
        access_log=False,
        log_level="warning",
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=5,
        server_header=False,
        date_header=False,
        proxy_headers=False,
    )


def main() -> None:
    """Run the gateway of this process's environment."""
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s", level=logging.INFO)
    logging.getLogger("passlight.gateway.access").setLevel(logging.WARNING)
    settings = read_settings()
    config = config_of(settings, name=read_variable("PASSLIGHT_GATEWAY_NAME", "gateway-1"))
    try:
        gateway = assemble(config, clock=SystemClock(), entropy=SystemEntropy())
    except SpoolLockedError as error:
        sys.exit(str(error))
    serve(gateway.app, port=read_number("PASSLIGHT_GATEWAY_PORT", 8001, least=1, most=PORT_MAX))


if __name__ == "__main__":
    main()
