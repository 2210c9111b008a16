"""The screen at the door: a page of this box, fed by server-sent events, answering by commands.

Each event carries the whole state with a number, so that a page that was away needs only the next
one. A beat every second says that the box lives; a page that hears none for five seconds says so
and shows no result any more. The page is served on loopback only; a command needs the token of
the page and the page's own origin, because every program of the box can reach the port.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.gate.drivers.condition import DeviceCondition, keep_open
from passlight.gate.drivers.intake import Intake, Shown
from passlight.gate.kiosk_page import built, page, static_file
from passlight.gate.local_http import (
    BodyFormError,
    BodyTooLongError,
    json_object,
    serve_until_cancelled,
)
from passlight.gate.ports import (
    LONGEST_TEXT,
    DisplayState,
    GuardKey,
    Health,
    Pressed,
    Scan,
    ShownVerdict,
)
from passlight.runtime.catalogue import both

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
BEAT_SECONDS: Final = 1.0
PAGES_MAX: Final = 4
COMMAND_BYTES_MAX: Final = 8 * 1024
CONNECTIONS_MAX: Final = 64
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KioskSettings:
    """How the screen behaves; ``guard_keys``: a guard's keyboard is plugged into this screen."""

    host: str = "127.0.0.1"
    port: int = 8090
    language: Literal["zh", "en"] = "zh"
    result_seconds: float = 4.0
    ask_seconds: float = 20.0
    guard_keys: bool = False
    id_card: bool = True


class KioskInput(Generic[Shown]):
    """One more input of the door: what a scanner typed into the page, or what was pressed on it."""

    def __init__(self, name: str, kiosk: "Kiosk", intake: Intake[Shown]) -> None:
        self.name = name
        self._kiosk = kiosk
        self._intake = intake

    def __aiter__(self) -> AsyncIterator[Shown]:
        return aiter(self._intake)

    def health(self) -> Health:
        """Return the screen's."""
        return self._kiosk.health()

    async def run(self) -> None:
        """Do nothing: the screen runs."""
        await asyncio.Event().wait()


class Kiosk:
    """The display, and the two sources that its page is."""

    def __init__(self, name: str, settings: KioskSettings, clock: Clock, entropy: Entropy) -> None:
        self.name = name
        self.settings = settings
        self._clock = clock
        self._condition = DeviceCondition(clock)
        self._token = entropy.token(16).hex()
        self._boot = entropy.token(8).hex()
        self._scans: Intake[Scan] = Intake(self._condition)
        self._pressed: Intake[Pressed] = Intake(self._condition)
        self.scans = KioskInput(f"{self.name}.scan", self, self._scans)
        self.keys = KioskInput(f"{self.name}.keys", self, self._pressed)
        self.port = settings.port
        self._seq = 0
        self._state: DisplayState | None = None
        self._since = clock.monotonic()
        self._pages: set[asyncio.Event] = set()
        self._closing = False
        self.app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/events", self._events),
                Route("/command", self._command, methods=["POST"]),
                Route("/static/{name}", self._static),
            ]
        )

    def health(self) -> Health:
        """Return how it is now."""
        return self._condition.read()

    def show(self, state: DisplayState) -> None:
        """Show ``state`` from now on; the same once more is nothing new."""
        if state == self._state:
            return
        self._state = state
        self._seq += 1
        self._since = self._clock.monotonic()
        for page_ in self._pages:
            page_.set()

    async def run(self) -> None:
        """Serve the page for ever."""
        await keep_open(self._serve, self._condition)

    async def _serve(self) -> None:
        with socket.create_server((self.settings.host, self.settings.port)) as listening:
            self.port = listening.getsockname()[1]
            await serve_until_cancelled(
                self.app,
                listening,
                connections_max=CONNECTIONS_MAX,
                opened=self._opened,
                stop=self._stop,
            )

    def _opened(self) -> None:
        self._closing = False
        if built():
            self._condition.works()
        else:
            self._condition.down("kiosk.display.not-built")

    def _stop(self) -> None:
        self._closing = True
        for page_ in self._pages:
            page_.set()

    # The page.

    async def _page(self, request: Request) -> Response:
        if not self._is_ours(request):
            return refused(403, "kiosk.command.foreign")
        html = page(
            language=self.settings.language,
            token=self._token,
            boot=self._boot,
            settings={
                "resultMs": int(self.settings.result_seconds * 1000),
                "askMs": int(self.settings.ask_seconds * 1000),
                "guardKeys": self.settings.guard_keys,
                "idCard": self.settings.id_card,
            },
        )
        return Response(html, media_type="text/html", headers=HEADERS)

    async def _static(self, request: Request) -> Response:
        found = static_file(request.path_params["name"])
        if found is None:
            return Response(status_code=404, headers=HEADERS)
        body, kind = found
        return Response(body, media_type=kind, headers=HEADERS)

    async def _events(self, request: Request) -> Response:
        if not self._is_ours(request):
            return refused(403, "kiosk.command.foreign")
        if len(self._pages) >= PAGES_MAX:
            return refused(503, "kiosk.command.full")
        return StreamingResponse(
            self._stream(), media_type="text/event-stream", headers={**HEADERS}
        )

    async def _stream(self) -> AsyncIterator[bytes]:
        changed = asyncio.Event()
        self._pages.add(changed)
        sent = -1
        try:
            yield b"retry: 500\n\n"
            while not self._closing:
                changed.clear()
                if self._seq != sent:
                    sent = self._seq
                    yield self._event("state")
                else:
                    yield self._event("beat")
                with suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_SECONDS):
                        await changed.wait()
        finally:
            self._pages.discard(changed)

    def _event(self, kind: Literal["state", "beat"]) -> bytes:
        content: dict[str, Any] = {
            "boot": self._boot,
            "seq": self._seq,
            "now_ms": int(self._clock.now().timestamp() * 1000),
        }
        if kind == "state":
            content["age_ms"] = int((self._clock.monotonic() - self._since) * 1000)
            content["state"] = None if self._state is None else state_to_json(self._state)
        data = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return f"id: {self._seq}\nevent: {kind}\ndata: {data}\n\n".encode()

    # Its commands.

    def _is_ours(self, request: Request) -> bool:
        """Return whether the request names this page's own address, from the page or by hand."""
        host, _, port = request.headers.get("host", "").rpartition(":")
        if host.strip("[]") not in LOOPBACK or port != str(self.port):
            return False
        if request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
            return False
        origin = request.headers.get("origin")
        return origin is None or origin == f"http://{request.headers['host']}"

    async def _command(self, request: Request) -> Response:
        if not self._is_ours(request) or request.headers.get("origin") is None:
            return refused(403, "kiosk.command.foreign")
        if request.headers.get("x-kiosk-token") != self._token:
            return refused(403, "kiosk.command.token")
        try:
            content = await json_object(request, bytes_max=COMMAND_BYTES_MAX)
        except BodyTooLongError:
            return refused(413, "kiosk.command.too-long")
        except BodyFormError:
            return refused(400, "kiosk.command.form")
        if not isinstance(content.get("command"), str):
            return refused(400, "kiosk.command.form")
        return self._do(content)

    def _anybodys(self) -> tuple[GuardKey, ...]:
        """Return what anybody before the screen may press."""
        care = self._state is not None and self._state.care
        return (GuardKey.ASK_STAFF, GuardKey.EMERGENCY) if care else (GuardKey.ASK_STAFF,)

    def _do(self, content: dict[str, Any]) -> Response:
        command = content["command"]
        if command == "scan":
            text = content.get("text")
            if not isinstance(text, str) or not text:
                return refused(400, "kiosk.command.form")
            taken = self._scans.put(Scan(text=text[:LONGEST_TEXT], source=self.scans.name))
        elif command in set(GuardKey):
            key = GuardKey(command)
            if not self.settings.guard_keys and key not in self._anybodys():
                return refused(403, "kiosk.command.keys-off")
            taken = self._pressed.put(Pressed(key=key, source=self.keys.name))
        else:
            return refused(400, "kiosk.command.form")
        return (
            Response(status_code=204, headers=HEADERS)
            if taken
            else refused(429, "kiosk.command.full")
        )


def state_to_json(state: DisplayState) -> dict[str, Any]:
    """Return what the page reads; nothing in it names a person."""
    return {
        "screen": state.screen,
        "venue": state.venue.to_json(),
        "entrance": state.entrance.to_json(),
        "verdict": None if state.verdict is None else _verdict_to_json(state.verdict),
        "answer": state.answer,
        "say": None if state.say is None else state.say.to_json(),
        "field": state.field,
        "temperature": state.temperature,
        "test_hours": state.test_hours,
        "offline": state.offline,
        "as_of": state.as_of,
        "waiting": state.waiting,
        "inside": state.inside,
        "cap": state.cap,
        "clock_sure": state.clock_sure,
        "asks": state.asks,
        "care": state.care,
    }


def _verdict_to_json(verdict: ShownVerdict) -> dict[str, str]:
    return {
        "outcome": verdict.outcome.value,
        "requirement": verdict.requirement,
        "prompt": verdict.prompt,
    }


def refused(status: int, code: str) -> Response:
    """Return an error that a person and a program can read."""
    return JSONResponse({"code": code, "message": both(code)}, status, headers=HEADERS)
