"""A simulated door: residents with phones walk past one venue, slowly, all day.

``python -m passlight.simulation.sentinel`` (the demonstration's last process). It is a client
like any other: it logs in at the office as a checker, its walkers log in as residents, codes
are fetched, shown, verified and recorded at the gateway. Nothing here knows a secret of the
server's. While the gateway is away it waits and tries again; what was not acknowledged is
sent again under the same key.
"""

import contextlib
import json
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.settings import read_settings, read_variable
from passlight.simulation.device import CheckerDevice, Phone, RefusedError
from passlight.simulation.district import DemoDoor, door_file

PACE_SECONDS = 8.0
PACE_SECONDS_MIN = 0.5
WAIT_SECONDS_MIN, WAIT_SECONDS_MAX = 2.0, 30.0
CHECK_IN_EVERY = 4  # each fourth walker scans the poster, too
PENDING_MAX = 500
CODE_LEFT_SECONDS = 90  # a code with less than this to live is replaced
ACTS = {"green": "admit", "yellow": "ask", "red": "isolate"}
# What to do when a device is refused: get another grant, or log in anew.
_LOGGED_OUT = frozenset({401, 403, 302})


class Sentinel:
    """One door, its checker's device and the phones that pass it."""

    def __init__(
        self,
        door: DemoDoor,
        *,
        url: str,
        clock: Clock,
        entropy: Entropy,
        say: Callable[[str], object],
    ) -> None:
        self.door = door
        self.pending: deque[dict[str, Any]] = deque(maxlen=PENDING_MAX)
        self._url, self._clock, self._entropy = url, clock, entropy
        self._say = say
        self._checker: CheckerDevice | None = None
        self._phones: dict[str, Phone] = {}
        self._turn = 0

    def run(self, stop: threading.Event, *, pace: float = PACE_SECONDS) -> None:
        """Let one resident pass every ``pace`` seconds until ``stop``; outlive every fault."""
        wait = WAIT_SECONDS_MIN
        while not stop.is_set():
            try:
                self.step()
            except (httpx.TransportError, RefusedError, ValueError, KeyError) as error:
                self._say(f"waiting {wait:.0f} s: {type(error).__name__} {error}")
                self._recover(error)
                stop.wait(wait)
                wait = min(2 * wait, WAIT_SECONDS_MAX)
                continue
            wait = WAIT_SECONDS_MIN
            stop.wait(max(pace, PACE_SECONDS_MIN))
        self.close()

    def step(self) -> dict[str, Any]:
        """Let the next resident pass and return the gateway's answer.

        Raises:
            httpx.TransportError, RefusedError: when office or gateway cannot or will not.
        """
        checker = self._ready_checker()
        self._flush(checker)
        name = self.door.walkers[self._turn % len(self.door.walkers)]
        self._turn += 1
        phone = self._ready_phone(name)
        answer = checker.verify(phone.show())
        self.pending.append(checker.record_of(ACTS.get(answer["answer"], "ask"), answer))
        self._flush(checker)
        if self._turn % CHECK_IN_EVERY == 0:
            phone.check_in(self.door.venue_token)
        self._say(f"{name}: {answer['answer']}, {answer['reason']['code']}")
        return answer

    def close(self) -> None:
        """Send what is waiting, when it can be sent, and close every connection."""
        if self._checker is not None:
            with contextlib.suppress(httpx.TransportError, RefusedError):
                self._flush(self._checker)
            self._checker.close()
        for phone in self._phones.values():
            phone.close()

    def _ready_checker(self) -> CheckerDevice:
        if self._checker is None:
            checker = CheckerDevice(
                self._url,
                venue=self.door.venue,
                entrance=self.door.entrance,
                clock=self._clock,
                entropy=self._entropy,
            )
            checker.log_in(self.door.username, self.door.password)
            self._checker = checker
        return self._checker

    def _ready_phone(self, name: str) -> Phone:
        phone = self._phones.get(name)
        if phone is None:
            phone = Phone(self._url, clock=self._clock, entropy=self._entropy)
            phone.log_in(name, self.door.password)
            self._phones[name] = phone
        if phone.code is None or phone.now() > phone.code.ends_at - CODE_LEFT_SECONDS:
            self._fetch(name, phone)
        return phone

    def _fetch(self, name: str, phone: Phone) -> None:
        try:
            phone.fetch_code()
        except RefusedError as refused:
            if refused.status in _LOGGED_OUT:
                self._phones.pop(name).close()
            raise

    def _flush(self, checker: CheckerDevice) -> None:
        if not self.pending:
            return
        records = list(self.pending)
        try:
            answer = checker.send_records(records)
        except RefusedError as refused:
            if refused.status != httpx.codes.CONFLICT:
                raise
            answer = refused.answer  # none of them will ever be taken; the answer says why
        settled = {*answer["acknowledged"], *answer["conflicts"]}
        self.pending = deque((r for r in records if r["key"] not in settled), maxlen=PENDING_MAX)

    def _recover(self, error: Exception) -> None:
        """Forget a session that is over, so that the next step logs in again."""
        if isinstance(error, RefusedError) and error.status in _LOGGED_OUT and self._checker:
            self._checker.close()
            self._checker = None


def read_door(path: Path) -> DemoDoor:
    """Return what the district left for its door.

    Raises:
        FileNotFoundError: when the district was never seeded.
    """
    said = json.loads(path.read_text(encoding="utf-8"))
    return DemoDoor(**{**said, "walkers": tuple(said["walkers"])})


def main() -> int:
    """Stand at the door until SIGTERM or SIGINT."""
    settings = read_settings()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        door = read_door(door_file(settings))
    except FileNotFoundError:
        print("No simulated district here; run passlight demo.", file=sys.stderr)  # noqa: T201
        return 1
    sentinel = Sentinel(
        door,
        url=settings.public_url,
        clock=SystemClock(),
        entropy=SystemEntropy(),
        say=lambda words: print(words, flush=True),  # noqa: T201  # a process's log
    )
    pace = float(read_variable("PASSLIGHT_SENTINEL_PACE", str(PACE_SECONDS)))
    sentinel.run(stop, pace=pace)
    return 0


if __name__ == "__main__":
    sys.exit(main())
