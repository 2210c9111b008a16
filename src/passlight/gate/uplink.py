"""The door's line to its server: knowledge down, records up, never on a decision's path.

Two tasks, so that a long upload never keeps knowledge from coming. Every step has a hard time
limit and may fail at any moment; what it did not finish, the next turn does. What the server
says is believed as far as it is signed, and no further.
"""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import httpx

from passlight.core.kernel.base64url import base64url, from_base64url
from passlight.core.kernel.entropy import Entropy
from passlight.core.kernel.problem import ProblemError
from passlight.gate.client import ANSWER_BYTES_MAX, DoorClient, NoAnswerError, RefusedError
from passlight.gate.engine import Door
from passlight.gate.memory import MEMORY
from passlight.gate.spool import Spool, SpooledRecord, SpoolError
from passlight.gate.state import DoorState, Identity, software
from passlight.gate.wiping import read_order, receipt_of, send_receipt
from passlight.runtime.device_key import DeviceKey

BATCH_MAX: Final = 500
POLL_SECONDS: Final = 2.0
WAIT_SECONDS_MAX: Final = 60.0
ONLINE_SECONDS: Final = 15.0
REPORT_SECONDS: Final = 30.0
LAST_UPLOAD_SECONDS: Final = 60.0
STORE_SECONDS: Final = 60.0
TRUST_SECONDS: Final = 30.0
TIME_SECONDS: Final = 60.0
RESERVE: Final = 5
# A grant is renewed when it has lived half of its life.
RENEW_SHARE: Final = 0.5

_FAILURES = (NoAnswerError, RefusedError)
_GONE = frozenset({"revoked", "wipe", "wiped"})
_NO_GRANT = frozenset({"no-grant", "grant-expired", "grant-revoked", "grant-bad"})


class Uplink:
    """Keeps one enrolled door in touch with its server."""

    def __init__(
        self,
        client: DoorClient,
        *,
        key: DeviceKey,
        door: Door,
        state: DoorState,
        identity: Identity,
        venue: str,
        entrance: str,
        entropy: Entropy,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.client = client
        self.state = state
        self._key = key
        self.identity = identity
        self.trouble = ""
        """Why the last turn failed, for status and log; empty when it did not."""
        self._door = door
        self._keeper = door.keeper
        self._knowledge = door.knowledge
        self._place = {"venue": venue, "entrance": entrance}
        self._entropy = entropy
        self._sleep = sleep
        self._heard = float("-inf")
        self._due: dict[str, float] = {}
        self._call_office = False
        self.wiped = asyncio.Event()

    @property
    def spool(self) -> Spool:
        """Return the records that wait."""
        return self._door.spool

    def online(self) -> bool:
        """Return whether the server was heard in the last seconds."""
        return self._keeper.monotonic() - self._heard <= ONLINE_SECONDS

    async def run(self) -> None:
        """Keep in touch until cancelled; no fault ends it."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loop(self.learn), name="learn")
            group.create_task(self._loop(self.tell), name="tell")

    async def learn(self) -> None:
        """Bring grant, trust list, door document, feed and places up to date, as far as due.

        Raises:
            NoAnswerError, RefusedError: the server does not answer, or refuses.
        """
        if self.wiped.is_set():
            return
        steps: list[Callable[[], Awaitable[None]]] = [self.renew]
        if self._is_due("trust", TRUST_SECONDS) or self._knowledge.trust is None:
            self._done("trust")
            steps += [self.fetch_trust, self.fetch_door]
        steps.append(self.fetch_feeds)
        if self._door.notice_cap():
            steps.append(self.fetch_places)
        # Each stands alone: an office that is away must not keep the gateway's news from us.
        failed: list[NoAnswerError | RefusedError] = []
        for step in steps:
            if self.wiped.is_set():
                return
            try:
                await step()
            except _FAILURES as error:
                failed.append(error)
        if self._is_due("store", STORE_SECONDS):
            await self.keep()
            self._done("store")
        if failed:
            raise failed[0]

    async def tell(self) -> None:
        """Upload what waits, batch after batch.

        Raises:
            NoAnswerError, RefusedError: the server does not answer, or refuses.
        """
        if self.wiped.is_set() or not self.state.grant:
            return
        while await self.upload():
            self._done("report")
        if self._is_due("report", REPORT_SECONDS):
            await self.upload(report_only=True)
            self._done("report")

    async def renew(self) -> None:
        """Get a grant when there is none or it has lived half of its life; learn of revocation.

        Raises:
            NoAnswerError, RefusedError: the server does not answer, or refuses for now.
        """
        grant = self.state.grant
        if (
            not self._call_office
            and grant
            and _life_left(grant, self._keeper.proof_time()) > RENEW_SHARE
        ):
            return
        try:
            answer = await self.client.post_proved("/gates/grant", {"device": self.identity.device})
        except RefusedError as refused:
            await self._stop(refused)
            raise
        self._hear(answer)
        self._call_office = False
        await asyncio.to_thread(self.state.keep_grant, str(answer["grant"]))
        self._door.status.revoked = False

    async def fetch_trust(self) -> None:
        """Take the newest trust list.

        Raises:
            NoAnswerError, RefusedError: the server does not answer, or refuses.
        """
        reply = await self.client.get("/v1/trust")
        # What is taken is kept: in a thread, for the loop must never wait for the disk.
        await asyncio.to_thread(self._taken, lambda: self._knowledge.take_trust(reply.body))

    async def fetch_door(self) -> None:
        """Take the newest door document.

        Raises:
            NoAnswerError, RefusedError: the server does not answer, or refuses.
        """
        reply = await self.client.get("/v1/door", query=self._place)
        await asyncio.to_thread(self._taken, lambda: self._knowledge.take_door(reply.body))

    async def fetch_feeds(self) -> None:
        """Bring every epoch in use up to date, and set the clock by what was signed.

        Raises:
            NoAnswerError, RefusedError: the server does not answer, or refuses.
        """
        for epoch in self._knowledge.epochs(int(self._keeper.proof_time())):
            query = {"epoch": str(epoch), "since": str(self._knowledge.since(epoch))}
            try:
                reply = await self.client.get(
                    "/v1/door/statuses", query=query, most=ANSWER_BYTES_MAX
                )
            except RefusedError as refused:
                if refused.status == httpx.codes.NOT_FOUND:
                    continue  # the server's clock says that nobody needs this epoch yet
                raise await self._explained(refused) from refused
            taken = self._taken(
                lambda reply=reply, epoch=epoch: self._knowledge.take_feed(  # type: ignore[misc]
                    reply.body, epoch=epoch
                )
            )
            if taken is not None:
                self._heard = self._keeper.monotonic()
                await self._set_clock(int(taken))

    async def fetch_places(self) -> None:
        """Report who came and went, and borrow some places.

        Raises:
            NoAnswerError, RefusedError: the server does not answer, or refuses.
        """
        places, now = self._door.memory.places, self._keeper.monotonic()
        want = max(0, RESERVE - places.tickets)
        asked = places.ask(now, want=want)
        body = {**self._place, "boot": str(self.spool.boot), **asked}
        try:
            answer = await self.client.post("/v1/door/places", body)
        except RefusedError as refused:
            if refused.error == "no-places":
                return
            if refused.error == "places-stale":
                places.stale()
            raise
        try:
            places.granted(answer, self._keeper.monotonic())
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise NoAnswerError("places") from error
        kept = self._door.memory.kept(now=self._keeper.monotonic())[MEMORY]
        with suppress(SpoolError):
            await asyncio.to_thread(self.spool.keep, MEMORY, kept)

    async def upload(self, *, report_only: bool = False) -> bool:
        """Send one batch and how this door is; return whether more may wait.

        Raises:
            NoAnswerError, RefusedError: the server does not answer, or refuses.
        """
        # In a thread: a disk that hangs must not keep the door from deciding.
        batch = await asyncio.to_thread(self.spool.batch, BATCH_MAX)
        if not batch and not report_only:
            return False
        boot = batch[0].boot if batch else self.spool.boot
        body = {
            "device": self.identity.device,
            "boot": boot,
            "records": [_record_json(row) for row in batch],
            "report": self._report(),
        }
        if batch:
            body["held_from"] = await asyncio.to_thread(
                self.spool.held_from, boot=boot, seq=batch[0].seq
            )
        answer = await self.client.post("/v1/door/records", body)
        self._hear(answer)
        try:
            highest, branch = _acknowledged(answer, boot=boot)
        except (KeyError, TypeError, ValueError) as error:
            raise NoAnswerError("acknowledgement") from error
        if answer.get("call_office") is True:
            self._call_office = True
        if not batch:
            return False
        if branch:
            await self._branched()
        with suppress(SpoolError):
            await asyncio.to_thread(self._settle, batch, highest)
        return bool(highest >= batch[0].seq)

    def store(self) -> None:
        """Keep knowledge and time for the next start; a full disk only makes them older."""
        with suppress(OSError):
            self._knowledge.store()
            self.state.keep_time(self._keeper.stored)

    async def keep(self) -> None:
        """Keep the same while the door decides: a card that stalls must not stop it."""
        files, time = self._knowledge.prepared(), self._keeper.stored
        with suppress(OSError):
            await asyncio.to_thread(self._knowledge.write, files)
            await asyncio.to_thread(self.state.keep_time, time)

    def _report(self) -> dict[str, Any]:
        return {
            "waiting": self.spool.waiting,
            "feed_as_of": self._knowledge.as_of,
            "software": software(),
            "clock_sure": self._keeper.is_sure,
        }

    # What answers mean.

    def _settle(self, batch: list[SpooledRecord], highest: int) -> None:
        boot = batch[0].boot
        if highest < batch[0].seq - 1:
            # The server has less than it once acknowledged: it was restored from a backup.
            self.spool.repair(boot=boot, highest=highest)
            return
        self.spool.acknowledge(boot=boot, highest=highest)

    async def _branched(self) -> None:
        """Stop deciding: another device sends under our name, and only the office knows which."""
        self._door.status.broken = True
        with suppress(OSError):
            await asyncio.to_thread(self.state.fork)

    def _hear(self, answer: dict[str, Any]) -> None:
        self._heard = self._keeper.monotonic()
        now_ms = answer.get("now_ms")
        if isinstance(now_ms, int) and not isinstance(now_ms, bool):
            self._keeper.suggest(now_ms / 1000)

    async def _set_clock(self, as_of: int) -> None:
        """Ask the time, and believe it beside knowledge that was signed a moment ago."""
        if self._keeper.is_sure and not self._is_due("time", TIME_SECONDS):
            return
        reply = await self.client.get("/v1/time")
        now_ms = reply.json().get("now_ms")
        if isinstance(now_ms, int) and not isinstance(now_ms, bool):
            set_now = self._keeper.discipline(now_ms / 1000, as_of=as_of, round_trip=reply.seconds)
            if set_now:
                self._done("time")
                with suppress(OSError):
                    await asyncio.to_thread(self.state.keep_time, self._keeper.stored)

    async def _explained(self, refused: RefusedError) -> RefusedError:
        """Return why a request was refused; without a good grant, the office says more."""
        if refused.status == httpx.codes.UNAUTHORIZED and refused.error in _NO_GRANT:
            await asyncio.to_thread(self.state.keep_grant, "")
        return refused

    async def _stop(self, refused: RefusedError) -> None:
        """Admit nobody any more when the office says so; wipe when it orders that, signed."""
        if refused.status != httpx.codes.FORBIDDEN or refused.error not in _GONE:
            return
        self._door.status.revoked = True
        last = str(refused.answer.get("grant", ""))
        if not self.state.is_stopped or last:
            await asyncio.to_thread(self.state.stop, last)
        order = read_order(refused.answer.get("order"), self.identity)
        if refused.error == "wipe" and order is not None:
            await self.wipe(order)

    async def wipe(self, order: str) -> None:
        """Send what there is, destroy everything, and tell the office with a signed receipt."""
        with suppress(NoAnswerError, RefusedError, SpoolError, TimeoutError):
            async with asyncio.timeout(LAST_UPLOAD_SECONDS):
                while await self.upload():
                    pass
        left = self.spool.waiting
        receipt = receipt_of(self._key, identity=self.identity, order=order, left=left)
        self.spool.close()
        await asyncio.to_thread(self.state.wipe, {"receipt": receipt})
        self.wiped.set()
        await send_receipt(self.client, receipt)

    def _taken(self, take: Callable[[], int | None]) -> int | None:
        """Return what ``take`` says; what is refused leaves what is held, and is told."""
        try:
            return take()
        except ProblemError as error:
            self.trouble = error.problems[0].code
        except OSError:
            self.trouble = "disk"
        return None

    # Turns.

    async def _loop(self, turn: Callable[[], Awaitable[None]]) -> None:
        failed = 0
        while not self.wiped.is_set():
            try:
                await turn()
                failed, self.trouble = 0, ""
            except _FAILURES as error:
                failed += 1
                self.trouble = str(error)
            except (SpoolError, OSError, sqlite3.Error):
                failed += 1
                self.trouble = "disk"
            await self._sleep(self._wait(failed))

    def _wait(self, failed: int) -> float:
        """Return 2…5 s, and more after each failure; never at one moment with all others."""
        jitter = 1 + 1.5 * self._entropy.token(1)[0] / 255
        return min(POLL_SECONDS * 2.0 ** min(failed, 5), WAIT_SECONDS_MAX) * jitter

    def _is_due(self, what: str, seconds: float) -> bool:
        return self._keeper.monotonic() >= self._due.get(what, float("-inf")) + seconds

    def _done(self, what: str) -> None:
        self._due[what] = self._keeper.monotonic()


def _record_json(row: SpooledRecord) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "sealed": base64url(row.sealed),
        "hash": row.hash.hex(),
        "prev": row.previous.hex(),
    }


def _acknowledged(answer: dict[str, Any], *, boot: int) -> tuple[int, bool]:
    """Return the highest contiguous number that is durable, and whether this is a branch."""
    if answer["boot"] != boot:
        raise ValueError("another boot")
    highest, branch = answer["highest"], answer["branch"]
    if isinstance(highest, bool) or not isinstance(highest, int) or not isinstance(branch, bool):
        raise TypeError("no acknowledgement")
    return highest, branch


def _life_left(grant: str, now: float) -> float:
    """Return which share of a grant's life is left; nought when it cannot be read."""
    try:
        claims = json.loads(from_base64url(grant.split(".")[1]))
        begun, ends = float(claims["iat"]), float(claims["exp"])
        return float(min(1.0, (ends - now) / (ends - begun)))
    except (ValueError, KeyError, TypeError, IndexError, ZeroDivisionError):
        return 0.0
