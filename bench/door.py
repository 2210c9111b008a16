"""How long a door takes to decide: online, offline and while its server hangs, side by side.

Three doors run in one process, each with its uplink: one hears a real gateway on the loopback,
one is refused every connection, and of one every request hangs: its server's port takes
connections and never answers. Whoever comes goes to each in turn, so load and disk are the same
for all. A decision is all of it: verification, policy, a place in the hall, the sealed record on
the disk (``synchronous=FULL``), the order to the barrier.
"""

import asyncio
import os
import re
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from bench.posts import Post, Say, door, issuer_of, make_realm, phone, until
from bench.row import Row
from passlight.core.verification.inputs import VerificationPolicy
from passlight.core.verification.replay import ReplaySet
from passlight.core.verification.verify import verify
from passlight.gate.assembly import Gate
from passlight.gate.kiosk import Kiosk
from passlight.runtime.services import free_port

LIMIT_SECONDS: Final = 0.3
# What the field's devices wait for their back end by default (field/01 1.3).
FIELD_SECONDS: Final = 15.0
STATES: Final = ("online", "offline", "blackholed")
FIGURES: Final = 6
PAUSE_SECONDS: Final = 0.01
LEAST: Final = 20


@dataclass(kw_only=True)
class Figures:
    """Seconds of each visitor, by what was measured."""

    decisions: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in STATES})
    kiosk: list[float] = field(default_factory=list)
    commit: list[float] = field(default_factory=list)
    verify: list[float] = field(default_factory=list)


def run(seconds: float) -> list[Row]:
    """Return the figures; all are taken together, in six times ``seconds``."""
    with tempfile.TemporaryDirectory() as name, Blackhole.open() as hanging:
        folder, ports = Path(name), {"blackholed": hanging.port, "offline": free_port()}
        ports["online"] = free_port()
        make_realm(folder)
        command = [sys.executable, "-m", "bench.posts", name, str(ports["online"])]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                figures = asyncio.run(_measure(folder, ports, FIGURES * seconds))
            finally:
                process.kill()
        assert hanging.asked(), "nothing hung: the uplink of that door asked nobody"
    return _rows(figures)


class Blackhole:
    """A server that hangs: its port takes connections, and nobody ever answers."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.port = int(listening.getsockname()[1])

    @classmethod
    @contextmanager
    def open(cls) -> "Iterator[Blackhole]":
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
            listening.setblocking(False)  # noqa: FBT003
            yield cls(listening)

    def asked(self) -> list[str]:
        """Return the first line of each request that was left hanging."""
        found = []
        with suppress(BlockingIOError):
            while True:
                connection, _ = self._listening.accept()
                with connection:
                    connection.setblocking(False)  # noqa: FBT003
                    found.append(connection.recv(4096).decode().partition("\r\n")[0])
        return found


def _rows(figures: Figures) -> list[Row]:
    limit = f"limit {LIMIT_SECONDS * 1000:.0f} ms"

    def row(name: str, seconds: float) -> Row:
        return Row(
            name=name,
            value=seconds * 1000,
            unit="ms",
            compared_with=limit,
            ratio=seconds / LIMIT_SECONDS,
        )

    rows = [
        row(f"a door decides, {state}, {part}", at(figures.decisions[state]))
        for state in STATES
        for part, at in (("p50", _p50), ("p99", _p99))
    ]
    return [
        *rows,
        row("Enter key of a scanner to the result pushed, blackholed, p50", _p50(figures.kiosk)),
        row("Enter key of a scanner to the result pushed, blackholed, p99", _p99(figures.kiosk)),
        row("bare durable commit of one such record (SQLite FULL), p50", _p50(figures.commit)),
        row("bare PL1 verify of the same code, p50", _p50(figures.verify)),
        row("time-out of the field's devices (a setting, `field/01` 1.3)", FIELD_SECONDS),
    ]


def _p50(taken: Sequence[float]) -> float:
    return statistics.median(taken)


def _p99(taken: Sequence[float]) -> float:
    return sorted(taken)[min(len(taken) - 1, round(0.99 * len(taken)))]


# The measurement.


async def _measure(folder: Path, ports: dict[str, int], seconds: float) -> Figures:
    figures = Figures()
    people = max(LEAST, round(seconds / PAUSE_SECONDS / 4))
    async with AsyncExitStack() as stack:
        posts = {
            state: await stack.enter_async_context(
                door(folder / state, folder, online=ports["online"], port=ports[state])
            )
            for state in STATES
        }
        screen = await stack.enter_async_context(Screen.of(posts["blackholed"].kiosk))
        issuer = issuer_of(posts["online"].gate, folder)
        phones = [phone(issuer, index) for index in range(2 * people)]
        bare = stack.enter_context(_bare(folder / "bare.db"))
        await until(posts["online"].gate.door.status.online)
        end = time.monotonic() + seconds
        for number in range(people):
            if number >= LEAST and time.monotonic() > end:
                break
            say, typed = phones[2 * number : 2 * number + 2]
            for state, post in posts.items():
                figures.decisions[state].append(await _decided(post, say))
                await post.gate.door.leave(guard="bench")
                await asyncio.sleep(PAUSE_SECONDS)
            figures.kiosk.append(await _typed(screen, typed))
            figures.verify.append(_verified(posts["online"].gate, say))
            figures.commit.append(await asyncio.to_thread(bare))
        online = [state for state, post in posts.items() if post.gate.door.status.online()]
        assert online == ["online"], online
    return figures


async def _decided(post: Post, say: Say) -> float:
    """Return the seconds from the text to the barrier's order; the visitor must have gone in."""
    text, opened = say(), len(post.barrier.opened)
    begun = time.perf_counter()
    decision = await post.gate.door.present(text)
    await post.gate.door.let_in(decision)
    taken = time.perf_counter() - begun
    assert decision.admits, (decision.verdict.requirement, decision.reason)
    assert decision.recorded
    assert len(post.barrier.opened) == opened + 1
    return taken


class Screen:
    """What the page of a kiosk is to its box: a stream of states, and commands back."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._token = token
        self.results = 0
        self.changed = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def of(cls, kiosk: Kiosk) -> "AsyncIterator[Screen]":
        base = f"http://127.0.0.1:{kiosk.port}"
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=20) as client:
            page = (await client.get("/")).text
            found = re.search(r'"token":"([0-9a-f]+)"', page)
            assert found is not None
            screen = cls(client, found[1])
            listening = asyncio.create_task(screen.listen())
            try:
                yield screen
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def listen(self) -> None:
        """Count the results that are pushed."""
        async with self._client.stream("GET", "/events") as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data:") and '"screen":"result"' in line:
                    self.results += 1
                    self.changed.set()

    async def enter(self, text: str) -> None:
        """Send what the Enter key at the end of a scan sends."""
        headers = {"X-Kiosk-Token": self._token, "Origin": str(self._client.base_url).rstrip("/")}
        answer = await self._client.post(
            "/command", json={"command": "scan", "text": text}, headers=headers
        )
        assert answer.status_code == httpx.codes.NO_CONTENT, answer.text


async def _typed(screen: Screen, say: Say) -> float:
    text = say()
    screen.changed.clear()
    begun = time.perf_counter()
    await asyncio.gather(screen.enter(text), screen.changed.wait())
    return time.perf_counter() - begun


def _verified(gate: Gate, say: Say) -> float:
    text, now, trust = say(), gate.keeper.now(), gate.knowledge.trust
    assert trust is not None
    begun = time.perf_counter()
    answer = verify(
        text,
        now=now,
        trust=trust,
        source=gate.knowledge.source(now),
        policy=VerificationPolicy(freshness_seconds=3600, admission_point=True),
        replay=ReplaySet(),
        clock=gate.keeper.state(),
        interaction="bare",
    )
    taken = time.perf_counter() - begun
    assert answer.answer == "green", answer.reason
    return taken


@contextmanager
def _bare(path: Path) -> Iterator[Callable[[], float]]:
    """Yield a function that commits one row of a record's size and returns the seconds."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE record (seq INTEGER PRIMARY KEY, sealed BLOB)")

    def commit() -> float:
        begun = time.perf_counter()
        connection.execute("INSERT INTO record (sealed) VALUES (?)", (os.urandom(1000),))
        return time.perf_counter() - begun

    yield commit
    connection.close()
