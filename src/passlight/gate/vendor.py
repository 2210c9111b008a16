"""Existing gate hardware posts here what it has read, and opens when the answer is 0.

The convention of field/07 4: ``{deviceId, deviceSN, token, type: face|qr|id|ic|stranger, value,
temperature, time, data.capture}`` is answered by ``{status: 0|1, msg, audio}``. A face opens
nothing and its picture is dropped unread; the device's own time decides no verdict. Every answer
that is not a verdict has status 1: a fault of any kind keeps the door shut.

A request that a device sends again, because no answer reached it, has the same content and the same
``time``: it gets the same answer once more, for a few seconds. Any other request for what was let
in a moment ago is a new reading, as of a picture that was passed on: it has status 1. Devices that
send no time cannot show which of the two it is, so theirs is a new reading, too.
"""

import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from passlight.core.entry.presented import Reading
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.documents import read_document
from passlight.core.kernel.problem import ProblemError
from passlight.gate.decision import LEFT, NOTHING_OBSERVED, Decision, Observations
from passlight.gate.drivers.condition import DeviceCondition, keep_open
from passlight.gate.drivers.temperature import COLDEST, HOTTEST, tenths
from passlight.gate.local_http import (
    BodyFormError,
    BodyTooLongError,
    json_object,
    serve_until_cancelled,
)
from passlight.gate.ports import LONGEST_TEXT, Health, Scan, ShownDocument
from passlight.gate.toml_table import Table
from passlight.runtime.catalogue import text

PATH: Final = "/device/verify"
# A picture may be in it; it is not read, but the rest of the body stands behind it.
BODY_BYTES_MAX: Final = 512 * 1024
WAITING_MAX: Final = 4
CONNECTIONS_MAX: Final = 32
ANSWER_SECONDS: Final = 2.0
# Hardware gives up after a few seconds, and asks again at once.
RETRY_SECONDS: Final = 6.0
TOKEN_CHARS_LEAST: Final = 16
BUSY: Final = 503
Language = Literal["zh", "en"]
Answer = Callable[[Scan | ShownDocument, Observations], Awaitable[Decision]]


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorDevice:
    """One device of somebody else's: its serial number, its token, and its thermometer's unit."""

    serial: str
    token: str = field(repr=False)
    unit: Literal["C", "F", ""] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorSettings:
    """Where the devices post to, and which there are."""

    host: str
    port: int
    language: Language
    devices: Mapping[str, VendorDevice]


def read_vendor(tables: tuple[Table, ...]) -> VendorSettings | None:
    """Return the settings of ``[[vendor]]``, one table a device, or nothing without one.

    ``host``, ``port`` and ``language`` stand in the first.

    Raises:
        ProblemError: naming the field and its line.
    """
    if not tables:
        return None
    first = tables[0]
    host = first.text("host", "127.0.0.1")
    port = first.integer("port", 8091, least=0, most=65_535)
    language: Language = (
        "en" if first.text("language", "zh", choices=("zh", "en")) == "en" else "zh"
    )
    devices: dict[str, VendorDevice] = {}
    for table in tables:
        found = _device(table)
        if found.serial in devices:
            raise table.wrong("serial", "stands here twice", "Write each device once.")
        devices[found.serial] = found
    return VendorSettings(host=host, port=port, language=language, devices=devices)


def _device(table: Table) -> VendorDevice:
    token = table.text("token")
    if len(token) < TOKEN_CHARS_LEAST:
        remedy = f"Write {TOKEN_CHARS_LEAST} characters or more that nobody can guess."
        raise table.wrong("token", "is too short", remedy)
    unit = table.text("temperature_unit", "", choices=("C", "F", ""))
    serial = table.text("serial")
    table.close()
    return VendorDevice(serial=serial, token=token, unit=unit if unit in {"C", "F"} else "")  # type: ignore[arg-type]


class RefusedPostError(Exception):
    """A post that gets no verdict: its HTTP status and the words to show."""

    def __init__(self, status: int, code: str) -> None:
        self.status = status
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A device's last request: what it said, when it came, and its answer, given or to come."""

    content: bytes
    at: float
    answer: "asyncio.Task[tuple[int, dict[str, Any]]]"


class VendorServer:
    """Hands what devices read to the door, and its verdict back."""

    name = "vendor"

    def __init__(self, settings: VendorSettings, answer: Answer, clock: Clock) -> None:
        self.settings = settings
        self._answer = answer
        self._condition = DeviceCondition(clock)
        self._clock = clock
        self._waiting = 0
        self._last: dict[str, _Asked] = {}
        self.port = settings.port
        self.app = Starlette(routes=[Route(PATH, self._post, methods=["POST"])])

    def health(self) -> Health:
        """Return how it is now."""
        return self._condition.read()

    async def run(self) -> None:
        """Serve for ever."""
        await keep_open(self._serve, self._condition)

    async def _serve(self) -> None:
        with socket.create_server((self.settings.host, self.settings.port)) as listening:
            self.port = listening.getsockname()[1]
            await serve_until_cancelled(
                self.app,
                listening,
                connections_max=CONNECTIONS_MAX,
                opened=self._condition.works,
            )

    async def _post(self, request: Request) -> Response:
        try:
            content = await self._content(request)
            device = self._known(content)
        except RefusedPostError as refused:
            status, answer = self._no_verdict(refused)
        else:
            status, answer = await self._answered(content, device)
        return JSONResponse(answer, status)

    async def _answered(
        self, content: Mapping[str, Any], device: VendorDevice
    ) -> tuple[int, dict[str, Any]]:
        """Return the answer to a request, the same to the same one sent again."""
        asked, now = _asked_of(content), self._clock.monotonic()
        last = self._last.get(device.serial)
        if last is None or last.content != asked or not asked or now - last.at > RETRY_SECONDS:
            last = _Asked(asked, now, asyncio.create_task(self._verdict(content, device)))
            self._last[device.serial] = last
        # A device that hangs up leaves its answer to the request that it sends next.
        status, answer = await asyncio.shield(last.answer)
        if status == BUSY and self._last.get(device.serial) is last:
            del self._last[device.serial]
        return status, answer

    async def _verdict(
        self, content: Mapping[str, Any], device: VendorDevice
    ) -> tuple[int, dict[str, Any]]:
        try:
            shown = self._shown(content, device)
            decision = await self._decided(shown, self._observed(content, device))
        except RefusedPostError as refused:
            return self._no_verdict(refused)
        if decision.admits and decision.again and decision.verdict is not LEFT:
            return self._no_verdict(RefusedPostError(200, "kiosk.vendor.again"))
        opens = decision.admits and (decision.recorded or not decision.needs_record)
        said = (
            decision.verdict.say.zh if self.settings.language == "zh" else decision.verdict.say.en
        )
        return 200, {"status": 0 if opens else 1, "msg": said, "audio": said}

    def _no_verdict(self, refused: RefusedPostError) -> tuple[int, dict[str, Any]]:
        said = text(refused.code, self.settings.language)
        return refused.status, {"status": 1, "msg": said, "audio": said}

    async def _content(self, request: Request) -> dict[str, Any]:
        try:
            return await json_object(request, bytes_max=BODY_BYTES_MAX)
        except BodyTooLongError:
            raise RefusedPostError(413, "kiosk.vendor.too-long") from None
        except BodyFormError:
            raise RefusedPostError(400, "kiosk.vendor.form") from None

    def _known(self, content: Mapping[str, Any]) -> VendorDevice:
        serial, token = content.get("deviceSN"), content.get("token")
        if not isinstance(serial, str) or not isinstance(token, str):
            raise RefusedPostError(400, "kiosk.vendor.form")
        device = self.settings.devices.get(serial)
        # An unknown device costs the same comparison as a known one.
        wanted = device.token if device is not None else "\0" * TOKEN_CHARS_LEAST
        same = hmac.compare_digest(wanted.encode(), token.encode("utf-8", "replace"))
        if device is None or not same:
            raise RefusedPostError(401, "kiosk.vendor.unknown")
        return device

    def _shown(self, content: Mapping[str, Any], device: VendorDevice) -> Scan | ShownDocument:
        kind, value = content.get("type"), content.get("value")
        source = f"vendor.{device.serial}"
        if kind == "face":
            raise RefusedPostError(200, "kiosk.vendor.face")
        if kind in {"stranger", "ic"}:
            raise RefusedPostError(200, "kiosk.vendor.stranger")
        if kind not in {"qr", "id"} or not isinstance(value, str) or not value:
            raise RefusedPostError(400, "kiosk.vendor.form")
        if kind == "qr":
            return Scan(text=value[:LONGEST_TEXT], source=source)
        try:
            return ShownDocument(document=read_document("resident-id", value), source=source)
        except ProblemError:
            self._condition.fault("kiosk.device.id-read")
            raise RefusedPostError(200, "kiosk.vendor.misread") from None

    def _observed(self, content: Mapping[str, Any], device: VendorDevice) -> Observations:
        """Return the temperature, when its unit is known and the figure is a person's."""
        figure = content.get("temperature")
        if figure in (None, "", 0, "0"):  # a list cannot be looked up in a set
            return NOTHING_OBSERVED
        if not device.unit:
            self._condition.fault("kiosk.device.temperature-unit")
            return NOTHING_OBSERVED
        try:
            degrees = float(figure) if isinstance(figure, str | int | float) else float("nan")
            found = tenths(degrees if device.unit == "C" else (degrees - 32) / 1.8)
        except (ValueError, OverflowError):  # a text, no number, infinity
            self._condition.fault("kiosk.device.temperature-frame")
            return NOTHING_OBSERVED
        if not COLDEST <= found <= HOTTEST:
            self._condition.fault("kiosk.device.temperature-range")
            return NOTHING_OBSERVED
        return replace(
            NOTHING_OBSERVED, temperature=Reading(tenths=found, thermometer=device.serial)
        )

    async def _decided(self, shown: Scan | ShownDocument, seen: Observations) -> Decision:
        if self._waiting >= WAITING_MAX:
            raise RefusedPostError(BUSY, "kiosk.vendor.busy")
        self._waiting += 1
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._answer(shown, seen)
        except TimeoutError:
            self._condition.fault("kiosk.vendor.busy")
            raise RefusedPostError(BUSY, "kiosk.vendor.busy") from None
        finally:
            self._waiting -= 1


def _asked_of(content: Mapping[str, Any]) -> bytes:
    """Return what names one request of a device, without its picture; nothing without a time."""
    if content.get("time") in (None, "", 0, "0"):  # a list cannot be looked up in a set
        return b""
    said = {name: value for name, value in content.items() if name != "data"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()
