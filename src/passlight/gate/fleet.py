"""How this door is, told to the fleet by MQTT: retained, at least once, with a last will.

What is sent is a fixed list of figures and flags: no person, no code, no document, no word that
somebody typed. Nothing is taken from the broker: it can neither open a door nor change one.
"""

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import aiomqtt

from passlight.core.kernel.clock import Clock
from passlight.gate.drivers.condition import DeviceCondition, keep_open
from passlight.gate.ports import Health
from passlight.gate.toml_table import Table

LOOK_SECONDS: Final = 1.0
REPEAT_SECONDS: Final = 60.0
KEEP_ALIVE_SECONDS: Final = 15
ANSWER_SECONDS: Final = 5.0
TEXT_CHARS_MAX: Final = 64
# What of the door's status goes out, and nothing else.
TOLD: Final = (
    "enrolled",
    "revoked",
    "branched",
    "online",
    "trouble",
    "clock_sure",
    "as_of",
    "plan",
    "waiting",
    "spool_alarm",
    "decided",
)
CONDITIONS: Final = ("ok", "degraded", "down")
Status = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSettings:
    """Which broker, as whom, and under which topic."""

    host: str
    port: int
    topic: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = True


def read_fleet(tables: tuple[Table, ...], *, venue: str, entrance: str) -> FleetSettings | None:
    """Return the settings of ``[fleet]``, or nothing without it.

    Raises:
        ProblemError: naming the field and its line.
    """
    if not tables:
        return None
    table = tables[0]
    host = table.text("broker")
    tls = table.flag("tls", default=True)
    user = table.text("user", "")
    settings = FleetSettings(
        host=host,
        port=table.integer("port", 8883 if tls else 1883, least=1, most=65_535),
        topic=f"{table.text('topic', 'passlight/gates')}/{venue}/{entrance}/status",
        user=user or None,
        password=table.text("password", "") or None,
        tls=tls,
    )
    if any(sign in settings.topic for sign in "+#\0"):
        raise table.wrong("topic", "a topic to publish has no + and #", "Leave them out.")
    if not tls and host not in {"127.0.0.1", "localhost", "::1"}:
        raise table.wrong("tls", "goes without on this machine only", "Leave it out.")
    table.close()
    return settings


def told(status: Mapping[str, Any], *, at: int) -> dict[str, Any]:
    """Return what the fleet hears of ``status``: known fields, short, nothing else."""
    content: dict[str, Any] = {"reachable": True, "at": at}
    for name in TOLD:
        value = status.get(name)
        if isinstance(value, str):
            value = value[:TEXT_CHARS_MAX]
        if isinstance(value, bool | int | str):
            content[name] = value
    devices = status.get("devices")
    if isinstance(devices, Mapping):
        content["devices"] = {
            str(name)[:TEXT_CHARS_MAX]: condition
            for name, condition in devices.items()
            if condition in CONDITIONS
        }
    return content


class Fleet:
    """Publishes the door's status when it changes, and once a minute when it does not."""

    name = "fleet"

    def __init__(self, settings: FleetSettings, status: Status, clock: Clock) -> None:
        self._settings = settings
        self._status = status
        self._clock = clock
        self._condition = DeviceCondition(clock)

    def health(self) -> Health:
        """Return how the connection is now."""
        return self._condition.read()

    async def run(self) -> None:
        """Publish for ever; without a broker the door does not care."""
        await keep_open(self._serve, self._condition)

    def _client(self) -> aiomqtt.Client:
        settings = self._settings
        will = json.dumps({"reachable": False})
        return aiomqtt.Client(
            settings.host,
            settings.port,
            username=settings.user,
            password=settings.password,
            keepalive=KEEP_ALIVE_SECONDS,
            timeout=ANSWER_SECONDS,
            will=aiomqtt.Will(settings.topic, will, qos=1, retain=True),
            tls_context=ssl.create_default_context() if settings.tls else None,
        )

    async def _serve(self) -> None:
        try:
            async with self._client() as client:
                self._condition.works()
                try:
                    await self._until_cut(client)
                finally:
                    # A door that is stopped in order says so; a broker only wills what is cut.
                    with suppress(aiomqtt.MqttError, TimeoutError):
                        await self._send(client, {"reachable": False, "at": self._now()})
        except aiomqtt.MqttError as fault:
            raise OSError(str(fault)) from fault

    async def _until_cut(self, client: aiomqtt.Client) -> None:
        """Publish until the connection is gone, which is noticed at once and not by a write."""
        tasks = (
            asyncio.create_task(self._publish(client)),
            asyncio.create_task(_wait_for_the_end(client)),
        )
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _publish(self, client: aiomqtt.Client) -> None:
        sent: dict[str, Any] = {}
        sent_at = float("-inf")
        while True:
            content = told(self._status(), at=self._now())
            changed = {**content, "at": 0} != sent
            if changed or self._clock.monotonic() - sent_at >= REPEAT_SECONDS:
                await self._send(client, content)
                sent, sent_at = {**content, "at": 0}, self._clock.monotonic()
            await asyncio.sleep(LOOK_SECONDS)

    async def _send(self, client: aiomqtt.Client, content: Mapping[str, Any]) -> None:
        payload = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        await client.publish(self._settings.topic, payload, qos=1, retain=True)

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


async def _wait_for_the_end(client: aiomqtt.Client) -> None:
    """Wait until the connection is gone; nothing is subscribed to, so nothing is heard.

    Raises:
        MqttError: when it is.
    """
    async for _ in client.messages:
        pass
