"""Starts real gateway processes quickly, sound or with one guard taken out.

This process imports everything once and forks a gateway for each line on its standard input:
``{"mode", "environment", "log"}``; it answers with the process id. The child runs the same
``main`` as ``python -m passlight.gateway`` and shares nothing with its parent but the code.

``sound``      exactly ``python -m passlight.gateway``
``ack-first``  acknowledges before the commit (a write-behind journal): must lose
``no-keys``    takes every sending for a new record (no idempotency): must double
"""

import asyncio
import itertools
import json
import os
import signal
import sys
from dataclasses import replace
from typing import Any

from passlight.gateway.__main__ import config_of, serve
from passlight.gateway.__main__ import main as real_gateway
from passlight.gateway.assembly import assemble
from passlight.journal.entry import Entry, Receipt
from passlight.journal.spool import Spool
from passlight.runtime.catalogue import catalogue
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.settings import read_settings, read_variable


class AckFirstSpool(Spool):
    """Says "done" at once and writes a fifth of a second later."""

    async def append(self, entry: Entry) -> Receipt:
        async def later() -> None:
            await asyncio.sleep(0.2)
            await Spool.append(self, entry)

        self.tasks = getattr(self, "tasks", set())
        self.tasks.add(asyncio.create_task(later()))
        return Receipt(key=entry.key, acknowledged_at=self.clock.now(), repeated=False)


class NoKeysSpool(Spool):
    """Gives every sending a key of its own."""

    numbers = itertools.count()

    async def append(self, entry: Entry) -> Receipt:
        return await super().append(replace(entry, key=f"{os.getpid()}-{next(self.numbers)}"))


MODES: dict[str, Any] = {"sound": Spool, "ack-first": AckFirstSpool, "no-keys": NoKeysSpool}


def gateway(mode: str) -> None:
    config = config_of(read_settings(), name=read_variable("PASSLIGHT_GATEWAY_NAME", "gateway-1"))
    made = assemble(config, clock=SystemClock(), entropy=SystemEntropy(), make_spool=MODES[mode])
    serve(made.app, port=int(read_variable("PASSLIGHT_GATEWAY_PORT", "8001")))


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the killed
    catalogue()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.environ.update(order["environment"])
            log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
            real_gateway() if order["mode"] == "sound" else gateway(order["mode"])
            os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main()
