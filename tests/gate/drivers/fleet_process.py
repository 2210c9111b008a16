"""A door's fleet connection in a process of its own, to be killed by a test."""

import asyncio
import sys

from passlight.gate.fleet import Fleet, FleetSettings
from passlight.runtime.clock import SystemClock

if __name__ == "__main__":
    where = FleetSettings(host="127.0.0.1", port=int(sys.argv[1]), topic=sys.argv[2], tls=False)
    asyncio.run(Fleet(where, lambda: {"online": True, "waiting": 3}, SystemClock()).run())
