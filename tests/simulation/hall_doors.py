"""What stands around a door of the simulated hall: time, the line, a card look-up, a phone."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from passlight.core.entry.places import DoorPlaces
from passlight.core.kernel.documents import Document
from passlight.core.verification.answer import DoorAnswer
from passlight.gate.client import NoAnswerError
from passlight.gate.decision import Looked
from tests.gateway.device import Device

if TYPE_CHECKING:
    from tests.simulation.hall_stack import HallStack


class VirtualClock:
    """Time as the simulation sets it, for everybody alike."""

    def __init__(self, at: int) -> None:
        self.at = float(at)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    def monotonic(self) -> float:
        return self.at

    def set(self, at: float) -> None:
        self.at = max(self.at, float(at))


class Line(httpx.AsyncHTTPTransport):
    """The way to the gateway: the public address stands in proofs, a loopback port serves it."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self.cut = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("cut", request=request)
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return await super().handle_async_request(request)


@dataclass
class CardLookup:
    """Asks for the person of a card: the office's handle, then the gateway's answer."""

    stack: "HallStack"
    device: str
    client: Any
    entrance: str

    async def look_up(self, document: Document) -> Looked | None:
        stack = self.stack
        token = stack.subject_token(int(document.number[6:]), self.device)
        asked = {
            "venue": stack.venue_id,
            "entrance": self.entrance,
            "interaction": str(uuid.uuid4()),
            "subject_token": token,
        }
        try:
            answer = await self.client.post("/v1/verifications", asked)
        except NoAnswerError:
            return None
        return Looked(
            answer=DoorAnswer(answer["answer"]),
            reason=answer["reason"]["code"],
            sampled_from=answer["sampled_from"],
            lookup=answer["lookup"] or "",
        )


@dataclass
class PhonePost:
    """The checker's phone: asks the gateway, holds a block of places, records what was done."""

    stack: "HallStack"
    entrance: str
    device: Device
    places: DoorPlaces = field(default_factory=DoorPlaces)

    def sync(self) -> None:
        """Report places and borrow some."""
        for _ in range(2 if not self.places.session else 1):
            now = self.stack.clock.monotonic()
            asked = self.places.ask(now, want=max(0, 3 - self.places.tickets))
            body = {"venue": self.stack.venue_id, "entrance": self.entrance, "boot": "1", **asked}
            answer = self._post("/v1/door/places", body)
            self.places.granted(answer, now)

    def verify(self, presented: dict[str, Any], **shown: str) -> dict[str, Any]:
        """Return the gateway's answer with its verdict."""
        body = {
            "venue": self.stack.venue_id,
            "entrance": self.entrance,
            "interaction": str(uuid.uuid4()),
            "role": "visitor",
            "presented": presented,
            **shown,
        }
        return self._post("/v1/verifications", body)

    def subject_token(self, ordinal: int) -> str:
        return self.stack.subject_token(ordinal, self.device.handle)

    def record(self, entry: dict[str, Any], *, verification: str, lookup: str | None) -> str:
        """Send one record and return its key."""
        key = str(uuid.uuid4())
        record = {
            "key": key,
            "kind": entry["kind"],
            "venue": self.stack.venue_id,
            "entrance": self.entrance,
            "occurred_at": entry["occurred_at"],
            "answer": entry["answer"],
            "reason": entry["reason"],
            "verification": verification,
            "lookup": lookup,
            "entry": entry,
        }
        said = self._post("/v1/records", {"records": [record]})
        assert said["acknowledged"] == [key], said
        return key

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.device.post(self.stack.running.client, path, body)
        assert answer.status_code == 200, (path, answer.text)
        said: dict[str, Any] = answer.json()
        return said
