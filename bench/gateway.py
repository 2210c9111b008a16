"""Code issue and verification over HTTP beside an empty JSON endpoint of the same server.

The gateway runs in a process of its own, from its copy of what is published (no database).
Figures are requests for each second of processor time of that process, so that neighbours
and the client do not count; grants are known to the server, as a phone's is all day.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bench.row import Row
from passlight.core.codes.epochs import epoch_at
from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose
from passlight.core.codes.permutation import SIZE_MIN
from passlight.core.codes.trust import Realm, TrustedKey, TrustList, seal
from passlight.core.kernel.colour import Colour
from passlight.gateway.__main__ import serve
from passlight.gateway.assembly import Gateway, GatewayConfig, assemble
from passlight.gateway.book import Line, Segment
from passlight.gateway.door_feed import LEAD_SECONDS, OVERLAP_SECONDS
from passlight.gateway.keys import CodeKeys
from passlight.gateway.published import Entrance, Published, Venue, save_copy
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.keys import KeyFolder
from passlight.runtime.sealed import PURPOSE
from passlight.runtime.services import free_port
from passlight.runtime.signing import (
    EPOCH_KEY_BYTES,
    epoch_key_check,
    epoch_key_name,
    key_name,
)
from tests.gateway.device import Device, HeldCode

REALM = "cn-310118"
PUBLIC_URL = "https://code.example.cn"
VENUE = str(uuid.UUID(int=1))
CONNECTIONS = 16
SCANS_A_CHECKER = 40
PEOPLE_A_SECOND = 300
MONTH = 30 * 86_400

Call = tuple[str, str, dict[str, str], bytes]


def run(seconds: float) -> list[Row]:
    """Return the figures; ``seconds`` sets how many people take part."""
    people = max(100, min(3000, round(seconds * PEOPLE_A_SECOND)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keep(prepare(folder, people), folder)
        port = free_port()
        command = [sys.executable, "-m", "bench.gateway", name, str(port)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                rates = asyncio.run(_measure(folder, port, process.pid, people))
            finally:
                process.kill()
    empty = rates["empty"]
    beside = "empty JSON endpoint of the same server"
    return [
        Row(name="empty JSON endpoint over HTTP", value=empty, unit="/CPU-s"),
        *(
            Row(name=name, value=rate, unit="/CPU-s", compared_with=beside, ratio=rate / empty)
            for name, rate in rates.items()
            if name != "empty"
        ),
    ]


def prepare(folder: Path, people: int) -> Published:
    """Return keys, a trust list and a book in which everybody is green."""
    keys, entropy = KeyFolder(folder / "keys"), SystemEntropy()
    now = int(time.time())
    listed = []
    for purpose in (Purpose.LIST, Purpose.GRANT, Purpose.PHONE):
        seed = entropy.token(32)
        slot = 1 if purpose is Purpose.PHONE else 0
        issuer = Issuer.of_seed(seed, realm=REALM, purpose=purpose, slot_code=slot)
        key = TrustedKey(
            realm=REALM,
            purpose=purpose,
            public_key=issuer.public_key,
            slot_code=slot,
            starts_from=now - 3600,
            signs_until=now + MONTH,
            starts_until=now + MONTH,
            listed_until=now + MONTH,
        )
        keys.write(key_name(purpose, key.kid), seed)
        listed.append(key)
    # Every epoch that a door may ask for: two of them around four in the morning.
    moments = (now - OVERLAP_SECONDS, now, now + LEAD_SECONDS)
    secrets = {epoch_at(at, offset=480): entropy.token(EPOCH_KEY_BYTES) for at in moments}
    for epoch, secret in secrets.items():
        keys.write(epoch_key_name(epoch), secret)
    signer = Issuer.of_seed(
        keys.read(Purpose.LIST.value), realm=REALM, purpose=Purpose.LIST, slot_code=0
    )
    realm = Realm(
        offset=480,
        sizes=dict.fromkeys(secrets, SIZE_MIN),
        key_checks={epoch: epoch_key_check(secret) for epoch, secret in secrets.items()},
    )
    trust = TrustList.of(listed, sequence=1, expires_at=now + MONTH, realms={REALM: realm})
    published = Published(keys=CodeKeys(keys, realm=REALM))
    published.keys.take(seal(trust, signer=signer))
    green = [Segment(start=0, colour=Colour.GREEN, reason=None)]
    for ordinal in range(people):
        published.book.put(Line(ordinal=ordinal, segments=green, sampled_at=now), now=now)
    published.book.as_of = SystemClock().now()
    door = Entrance(code="east", zone="", name="东门", name_en="East gate")
    published.venues = {
        VENUE: Venue(
            id=VENUE,
            name="示例大厅",
            name_en="Example hall",
            address="示例路 1 号",
            freshness_seconds=3600,
            active=True,
            entrances={"east": door},
        )
    }
    return published


def keep(published: Published, folder: Path) -> None:
    """Write the copy from which a gateway starts."""
    (folder / "gateway").mkdir()
    copy_key = KeyFolder(folder / "keys").read_or_make(PURPOSE, SystemEntropy())
    save_copy(published, folder / "gateway" / "published.copy", key=copy_key)


async def _measure(folder: Path, port: int, pid: int, people: int) -> dict[str, float]:
    grant = KeyFolder(folder / "keys").read(Purpose.GRANT.value)
    clock = SystemClock()
    phones = [Device(clock, PUBLIC_URL, REALM, grant, "resident", ordinal=n) for n in range(people)]
    checkers = [
        Device(clock, PUBLIC_URL, REALM, grant, "checker", venues=[VENUE])
        for _ in range(-(-people // SCANS_A_CHECKER))
    ]
    limits = httpx.Limits(max_connections=CONNECTIONS)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=20, trust_env=False
    ) as client:
        await _ready(client)
        await _all(client, [_call(phone, "GET", "/v1/me", None) for phone in phones])
        drafts = [phone.draft() for phone in phones]
        asked = [_call(*pair, "/v1/codes", _request(draft)) for pair, draft in zip(
            ((phone, "POST") for phone in phones), drafts, strict=True
        )]  # fmt: skip
        empty: list[Call] = [("GET", "/empty", {}, b"")] * (5 * people)
        rates = {"empty": (await _rate(client, pid, empty))[0]}
        rates["code issue over HTTP, logged durably"], answers = await _rate(client, pid, asked)
        _complete(drafts, answers)
        scans = [
            _call(checkers[n % len(checkers)], "POST", "/v1/verifications", _scan(draft, clock))
            for n, draft in enumerate(drafts)
        ]
        rates["verification over HTTP, logged durably"], answers = await _rate(client, pid, scans)
        greens = sum(json.loads(one)["answer"] == "green" for one in answers)
        assert greens == people, f"{greens} of {people} were green"
    return rates


async def _ready(client: httpx.AsyncClient) -> None:
    for _ in range(600):
        try:
            if (await client.get("/v1/healthz")).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.05)
    raise RuntimeError("the gateway did not start")


async def _rate(
    client: httpx.AsyncClient, pid: int, calls: Sequence[Call]
) -> tuple[float, list[bytes]]:
    """Return requests for each second of the server's processor time, and the answers."""
    before = _cpu(pid)
    answers = await _all(client, calls)
    return len(calls) / (_cpu(pid) - before), answers


async def _all(client: httpx.AsyncClient, calls: Sequence[Call]) -> list[bytes]:
    answers: list[bytes] = [b""] * len(calls)
    waiting = iter(enumerate(calls))

    async def connection() -> None:
        for place, (method, path, headers, body) in waiting:
            answer = await client.request(method, path, headers=headers, content=body)
            assert answer.status_code == httpx.codes.OK, answer.text
            answers[place] = answer.content

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return answers


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _call(device: Device, method: str, path: str, body: object) -> Call:
    content = b"" if body is None else json.dumps(body).encode()
    return method, path, device.headers(method, path), content


def _request(draft: HeldCode) -> object:
    one = {
        "start": draft.start,
        "lifetime": draft.lifetime,
        "slot_code": draft.slot_code,
        "anchor": draft.values[0].hex(),
    }
    return {"requests": [one]}


def _complete(drafts: Sequence[HeldCode], answers: Sequence[bytes]) -> None:
    from tests.gateway.device import unbase64url

    for draft, answer in zip(drafts, answers, strict=True):
        draft.signed = unbase64url(json.loads(answer)["codes"][0]["body"])


def _scan(draft: HeldCode, clock: SystemClock) -> object:
    return {
        "text": draft.text(clock.now()),
        "venue": VENUE,
        "entrance": "east",
        "interaction": str(uuid.uuid4()),
    }


def gateway_of(folder: Path, *, public_url: str = PUBLIC_URL) -> Gateway:
    """Return the gateway of a folder; its database is away."""
    config = GatewayConfig(
        name="bench",
        realm=REALM,
        public_url=public_url,
        keys=folder / "keys",
        folder=folder / "gateway",
        database_url=lambda: "postgresql://nobody@127.0.0.1:1/none",
    )
    return assemble(config, clock=SystemClock(), entropy=SystemEntropy())


def _serve(folder: Path, port: int) -> None:
    gateway = gateway_of(folder)

    async def empty(_: Request) -> JSONResponse:
        return JSONResponse({})

    gateway.app.router.routes.insert(0, Route("/empty", empty))
    serve(gateway.app, port=port)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
