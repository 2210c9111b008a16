"""The database, for the few routes whose answer is in it: a door's records and its places.

Work runs in threads of its own, each with a connection that is kept, in one short transaction.
A server that is away, slow or gone silent costs a caller seconds at most: 503, nothing
acknowledged, and whatever is asked again must find what an earlier try has stored.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, LifoQueue
from typing import Any, TypeVar

import psycopg

from passlight.gateway.errors import RefusedError

THREADS = 4
WAITING_MAX = 64
# A stopped server's kernel still takes what is sent: no limit of the connection ends that wait.
PATIENCE_SECONDS = 6.0
CONNECTION: dict[str, Any] = {
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 4_000,
    "options": "-c statement_timeout=3000 -c lock_timeout=1500"
    " -c idle_in_transaction_session_timeout=5000",
    "application_name": "passlight-door",
}

_Result = TypeVar("_Result")
Work = Callable[[psycopg.Connection[Any]], _Result]


class Database:
    """A small pool of connections under the gateway's role."""

    def __init__(self, *, url: Callable[[], str], threads: int = THREADS) -> None:
        """Take the address to ask for at each connection: an embedded server may move."""
        self._url = url
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="gateway-door")
        self._idle: LifoQueue[psycopg.Connection[Any]] = LifoQueue()
        self._waiting = 0

    async def run(self, work: Work[_Result]) -> _Result:
        """Return what ``work`` returns, after its transaction is committed.

        ``work`` may run twice when a kept connection turns out dead, so it must find what its
        first run has stored.

        Raises:
            RefusedError: 503 while the database cannot answer.
        """
        if self._waiting >= WAITING_MAX:
            raise RefusedError(503, "busy", retry_after=1)
        self._waiting += 1
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, self._run, work)
        except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError):
            raise RefusedError(503, "database-away", retry_after=2) from None
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Close the connections; whatever still waits for a silent server is left to itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def _run(self, work: Work[_Result]) -> _Result:
        try:
            kept = self._idle.get_nowait()
        except Empty:
            return self._once(self._connect(), work)
        try:
            return self._once(kept, work)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            if not kept.closed and not kept.broken:
                raise  # the server answered: a time limit, not a dead connection
            return self._once(self._connect(), work)

    def _once(self, connection: psycopg.Connection[Any], work: Work[_Result]) -> _Result:
        try:
            with connection.transaction():
                result = work(connection)
        except BaseException:
            if connection.broken or connection.closed:
                connection.close()
            else:
                self._idle.put(connection)
            raise
        self._idle.put(connection)
        return result

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._url(), autocommit=True, **CONNECTION)
