"""Requests of a door to its server: a grant, a fresh proof, a hard time limit, a bounded answer."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import httpx

from passlight.core.kernel.entropy import Entropy
from passlight.gate.timekeeping import TimeKeeper
from passlight.runtime.device_key import DeviceKey

TIMEOUT_SECONDS: Final = 10.0
ANSWER_BYTES_MAX: Final = 128 * 1024 * 1024
SMALL_BYTES_MAX: Final = 1024 * 1024
_CONNECTIONS = 4
# Refusals of a proof that may be for its time; the office does not say which it was.
_TIMED = frozenset({"proof-time", "proof-bad"})


class NoAnswerError(Exception):
    """The server did not answer, or not in time, or with what is no answer."""


class RefusedError(Exception):
    """The server said no: status, its error code, and its answer."""

    def __init__(self, status: int, error: str, answer: dict[str, Any]) -> None:
        super().__init__(f"{status} {error}")
        self.status = status
        self.error = error
        self.answer = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: its bytes, and how long it took by the door's monotonic clock."""

    body: bytes
    seconds: float

    def json(self) -> dict[str, Any]:
        """Return the JSON object of the answer.

        Raises:
            NoAnswerError: it is none.
        """
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise NoAnswerError("no JSON object")
        return value


class DoorClient:
    """Speaks to office and gateway, which share one origin."""

    def __init__(
        self,
        url: str,
        *,
        key: DeviceKey,
        keeper: TimeKeeper,
        entropy: Entropy,
        grant: Callable[[], str],
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._grant = grant
        self._key = key
        self._keeper = keeper
        self._entropy = entropy
        self._origin = url
        self._timeout = timeout
        self._http = httpx.AsyncClient(
            base_url=url,
            timeout=timeout,
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=_CONNECTIONS),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def get(
        self, path: str, *, query: dict[str, str] | None = None, most: int = SMALL_BYTES_MAX
    ) -> Reply:
        """Return the answer to a GET with grant and proof.

        Raises:
            NoAnswerError, RefusedError: there is none, or it is no success.
        """
        return await self._ask("GET", path, query=query, body=None, grant=self._grant(), most=most)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a POST with grant and proof.

        Raises:
            NoAnswerError, RefusedError: there is none, or it is no success.
        """
        return (await self._ask("POST", path, body=body, grant=self._grant())).json()

    async def post_proved(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a POST with a proof alone: the key is who asks.

        Raises:
            NoAnswerError, RefusedError: there is none, or it is no success.
        """
        return (await self._ask("POST", path, body=body, grant=None)).json()

    async def post_open(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a POST without any proof: the first message of a new device.

        Raises:
            NoAnswerError, RefusedError: there is none, or it is no success.
        """
        return (await self._ask("POST", path, body=body, grant=None, prove=False)).json()

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        body: dict[str, Any] | None,
        grant: str | None,
        query: dict[str, str] | None = None,
        prove: bool = True,
        most: int = SMALL_BYTES_MAX,
    ) -> Reply:
        headers = self._headers(method, path, grant=grant) if prove else {}
        begun = self._keeper.monotonic()
        try:
            # A limit for the whole: a server that drips bytes must not hold us, either.
            async with (
                asyncio.timeout(self._timeout),
                self._http.stream(method, path, params=query, json=body, headers=headers) as answer,
            ):
                content = await _content(answer, most)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise NoAnswerError(type(error).__name__) from error
        reply = Reply(body=content, seconds=self._keeper.monotonic() - begun)
        if not answer.is_success:
            self._refused(answer.status_code, reply)
        return reply

    def _headers(self, method: str, path: str, *, grant: str | None) -> dict[str, str]:
        proof = self._key.proof(
            method=method,
            url=f"{self._origin}{path}",
            grant=grant,
            now=self._keeper.proof_time(),
            jti=self._entropy.token(16).hex(),
        )
        headers = {"DPoP": proof}
        if grant is not None:
            headers["Authorization"] = f"DPoP {grant}"
        return headers

    def _refused(self, status: int, reply: Reply) -> None:
        try:
            said = reply.json()
        except NoAnswerError:
            said = {}
        now_ms = said.get("now_ms")
        if isinstance(now_ms, int) and not isinstance(now_ms, bool):
            # Whoever this is: it is used for proofs, and nothing is judged by it.
            self._keeper.suggest(now_ms / 1000, off=said.get("error") in _TIMED)
        raise RefusedError(status, str(said.get("error", "no-answer")), said)


async def _content(answer: httpx.Response, most: int) -> bytes:
    """Return an answer's bytes; one that is too long is no answer.

    Raises:
        NoAnswerError: it is longer than ``most``.
    """
    parts, size = [], 0
    async for part in answer.aiter_bytes():
        size += len(part)
        if size > most:
            raise NoAnswerError("too long")
        parts.append(part)
    return b"".join(parts)
