"""Three doors for ``bench.door``: a realm, a real gateway beside them, and their uplinks.

The gateway has no database; what it would say of records after its commit, a route beside it
says at once: what an acknowledgement costs the *door* counts here, not what storing costs.
"""

import asyncio
import json
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bench.gateway import REALM, VENUE, gateway_of, keep, prepare
from passlight.core.codes.chain import chain
from passlight.core.codes.envelope import DOOR, seal_envelope
from passlight.core.codes.issuing import Issuer, issue_phone, phone_text
from passlight.core.codes.layout import (
    START_ZERO,
    Purpose,
    chain_salt,
    minutes_of,
    phone_lifetime_seconds,
)
from passlight.core.kernel.base64url import base64url
from passlight.gate.assembly import Gate, assemble
from passlight.gate.client import NoAnswerError, RefusedError
from passlight.gate.config import GateConfig
from passlight.gate.devices import Devices
from passlight.gate.kiosk import Kiosk, KioskSettings
from passlight.gate.process import DoorProcess
from passlight.gate.simulated.acting import SimulatedBarrier, SimulatedThermometer
from passlight.gate.state import DoorState, Identity
from passlight.gateway.__main__ import serve
from passlight.gateway.published import read_door
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.keys import KeyFolder
from passlight.runtime.signing import phone_issuer, public_key_for, seal_key
from tests.gate.world import instant, policy

INSIDE: Final = 300
STANDING: Final = 20_000
READY_SECONDS: Final = 20
SLOT: Final = 20
WEEK: Final = 7 * 86_400

Say = Callable[[], str]


def make_realm(folder: Path) -> None:
    """Make the keys of a realm and the copy from which its gateway starts."""
    published = prepare(folder, 1)
    keys = KeyFolder(folder / "keys")
    now = int(time.time())
    payload = {
        "format": 1,
        "realm": REALM,
        "venue": VENUE,
        "entrance": "east",
        "zone": "hall",
        "venue_name": {"zh": "示例大厅", "en": "Example hall"},
        "entrance_name": {"zh": "东门", "en": "East gate"},
        "hall": None,
        "plan": "bench",
        "plan_version": "1",
        "policies": [policy("visitor", 48), policy("staff", 24), policy("staff-reentry", 48)],
        "offset": 480,
        "emergency": True,
        "one_of": "either",
        "one_of_minutes": 30,
        "standing_places": STANDING,
        "made_at": instant(now),
        "effective_until": instant(now + WEEK),
        "seal": base64url(bytes(seal_key(keys, SystemEntropy()).public_key)),
    }
    signer = Issuer.of_seed(keys.read("list"), realm=REALM, purpose=Purpose.LIST, slot_code=0)
    document = seal_envelope(json.dumps(payload).encode(), kind=DOOR, signer=signer)
    published.doors = {(VENUE, "east"): read_door(document, version=1)}
    keep(published, folder)


def _serve(folder: Path, port: int) -> None:
    gateway = gateway_of(folder, public_url=f"http://127.0.0.1:{port}")

    async def records(request: Request) -> JSONResponse:
        sent = await request.json()
        highest = max((record["seq"] for record in sent["records"]), default=0)
        told = {"boot": sent["boot"], "highest": highest, "set_aside": [], "branch": False}
        return JSONResponse({**told, "now_ms": int(time.time() * 1000)})

    gateway.app.router.routes.insert(0, Route("/v1/door/records", records, methods=["POST"]))
    serve(gateway.app, port=port)


@dataclass(frozen=True, kw_only=True)
class Post:
    """One door that runs, with its screen."""

    gate: Gate
    kiosk: Kiosk
    barrier: SimulatedBarrier


@asynccontextmanager
async def door(folder: Path, realm: Path, *, online: int, port: int) -> AsyncIterator[Post]:
    """Run a door that learned everything from the gateway, and whose server is now at ``port``."""
    _enrol(folder, realm)
    taught = _assemble(folder, online, Devices())
    await _learn(taught)
    await taught.close()
    clock = SystemClock()
    kiosk = Kiosk("display", KioskSettings(port=0), clock, SystemEntropy())
    barrier = SimulatedBarrier("barrier", clock)
    devices = Devices(
        codes=(kiosk.scans,),
        thermometer=SimulatedThermometer("thermometer"),
        barrier=barrier,
        display=kiosk,
    )
    gate = _assemble(folder, port, devices)
    _fill(gate)
    stop = asyncio.Event()
    running = asyncio.create_task(DoorProcess(gate).run(stop))
    try:
        await until(lambda: kiosk.health().works and kiosk.port != 0)
        yield Post(gate=gate, kiosk=kiosk, barrier=barrier)
    finally:
        stop.set()
        await running


def _enrol(folder: Path, realm: Path) -> None:
    """Do what enrolment and the office do: a name, the realm's root, a grant for this key."""
    keys, now, device = KeyFolder(realm / "keys"), int(time.time()), str(uuid.uuid4())
    state = DoorState(folder)
    root = public_key_for(keys, Purpose.LIST)
    state.enrol(Identity(device=device, realm=REALM, roots=(root,)))
    claims = {
        "iss": REALM,
        "sub": device,
        "role": "gate",
        "venues": [VENUE],
        "entrance": "east",
        "device": device,
        "jti": base64url(os.urandom(16)),
        "iat": now,
        "exp": now + WEEK,
        "cnf": {"jkt": state.key(SystemEntropy()).thumbprint},
    }
    seed = Ed25519PrivateKey.from_private_bytes(keys.read(Purpose.GRANT.value))
    state.keep_grant(jwt.encode(claims, seed, algorithm="EdDSA", headers={"typ": "grant+jwt"}))
    state.close()


def _assemble(folder: Path, port: int, devices: Devices) -> Gate:
    config = GateConfig(
        url=f"http://127.0.0.1:{port}",
        roots=(),
        venue=VENUE,
        entrance="east",
        direction="in",
        barrier_seconds=5.0,
        folder=folder,
        spool_rows=200_000,
        battery_clock=True,
        devices={},
    )
    return assemble(config, clock=SystemClock(), entropy=SystemEntropy(), devices=devices)


async def _learn(gate: Gate) -> None:
    assert gate.uplink is not None
    limit = time.monotonic() + READY_SECONDS
    while gate.knowledge.door is None or gate.knowledge.as_of is None or not gate.keeper.is_sure:
        if time.monotonic() > limit:
            raise RuntimeError(f"the door learned nothing: {gate.uplink.trouble}")
        for step in (gate.uplink.fetch_trust, gate.uplink.fetch_door, gate.uplink.fetch_feeds):
            try:
                await step()
            except (NoAnswerError, RefusedError) as error:  # it has only just started
                gate.uplink.trouble = str(error)
        await asyncio.sleep(0.05)


def _fill(gate: Gate) -> None:
    """Lend the door its standing share, and let so many be inside as fill a hall."""
    memory, now = gate.door.memory, gate.keeper.monotonic()
    for request in (1, 2):
        memory.places.ask(now)
        told = {"request": request, "granted": 0, "granted_due": 0, "expires_in": 60, "session": 1}
        share = {"inside": 0, "cap": STANDING, "state": "open", "standing": STANDING}
        memory.places.granted({**told, **share, "stay_seconds": 4 * 3600, "ended": []}, now)
    assert gate.door.notice_cap()
    for _ in range(INSIDE):
        assert memory.enter(None, str(uuid.uuid4()), 1, now=now)


def issuer_of(gate: Gate, realm: Path) -> Issuer:
    """Return who signs the phones' codes of this realm now."""
    trust = gate.knowledge.trust
    assert trust is not None
    return phone_issuer(trust, KeyFolder(realm / "keys"), realm=REALM, now=int(time.time()))


def phone(issuer: Issuer, index: int) -> Say:
    """Return what shows the code of one resident, issued beforehand."""
    now = int(time.time())
    start = minutes_of(now)
    values = chain(
        os.urandom(16),
        salt=chain_salt(start=start, lifetime=0, slot_code=1),
        slots=phone_lifetime_seconds(0) // SLOT,
    )
    signed = issue_phone(
        issuer,
        colour=1,
        start=start,
        lifetime=0,
        sampled_at=now - 10 * 3600,
        index=index,
        anchor=values[0],
        tag=0,
    )

    def say() -> str:
        slot = (int(time.time()) - START_ZERO - 60 * start) // SLOT
        return phone_text(signed, slot=slot, value=values[slot + 1])

    return say


async def until(holds: Callable[[], Any]) -> None:
    """Wait until ``holds`` is true; for twenty seconds, not for ever."""
    limit = time.monotonic() + READY_SECONDS
    while not holds():
        if time.monotonic() > limit:
            raise RuntimeError("a door did not start")
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
