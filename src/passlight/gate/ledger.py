"""Writes the door's records from its one event loop: bounded in time, in a thread of its own."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Final

from nacl.public import PublicKey

from passlight.core.entry.record import EntryKind, EntryRecord
from passlight.core.kernel.problem import ProblemError
from passlight.gate.recording import content_of
from passlight.gate.spool import Spool, SpoolError, TakenCode

WRITE_SECONDS: Final = 0.25

log = logging.getLogger("passlight.gate")


class Ledger:
    """The records of one device, in the order in which they were decided."""

    def __init__(self, spool: Spool, *, device: str) -> None:
        self.spool = spool
        self._device = device
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="spool")

    def close(self) -> None:
        """Finish what is being written."""
        self._writer.shutdown(wait=True)

    async def write(
        self,
        record: EntryRecord,
        *,
        seal: PublicKey,
        seen: TakenCode | None = None,
        keep: dict[str, bytes] | None = None,
    ) -> bool:
        """Return whether the record was on the disk in time.

        What is not in time is written late: nothing that was found is lost. When it was an
        admission, nobody was let in any more; a second record of the same visit says so.
        """

        def append() -> None:
            # A spool that is full stops admissions first: an isolation must reach the office.
            routine = record.kind not in {EntryKind.ISOLATE, EntryKind.REPORT}
            content = self._content(record)
            self.spool.append(content, key=seal, seen=seen, keep=keep, routine=routine)

        def correct(done: "Future[None]") -> None:
            if not done.cancelled() and done.exception() is None:
                late = replace(record, kind=EntryKind.ASK, reason="late", lease=None)
                with suppress(SpoolError):
                    self.spool.append(self._content(late), key=seal)

        written = self._writer.submit(append)
        waited = asyncio.wrap_future(written)
        waited.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await asyncio.shield(waited)
        except (TimeoutError, asyncio.CancelledError) as late:
            if record.kind is EntryKind.ADMIT:
                written.add_done_callback(correct)
            if isinstance(late, asyncio.CancelledError):
                raise
            return False
        except ProblemError as error:  # a defect: it must be seen, with no word of whom
            problem = error.problems[0]
            log.warning("a record was refused: %s", problem.field or problem.code)
            return False
        except SpoolError:
            return False
        return True

    def _content(self, record: EntryRecord) -> Callable[[int], bytes]:
        return lambda seq: content_of(record, device=self._device, boot=self.spool.boot, seq=seq)
