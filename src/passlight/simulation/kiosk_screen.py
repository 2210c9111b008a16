"""A gate's screen as people before it see it, and the guard's keys beside it.

The page of ``gate.kiosk`` is read as a browser reads it: its settings with their token, its
stream of states, its commands.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from passlight.core.kernel.clock import Clock

TIMEOUT_SECONDS = 3.0
RESULT_SECONDS = 4.0
GUARD_OK, EXIT = "guard-ok", "exit"
_SETTINGS = re.compile(r'id="settings">(.*?)</script>', re.DOTALL)


class KioskScreen:
    """The screen at ``url``."""

    def __init__(self, url: str, *, clock: Clock) -> None:
        self.url = url.rstrip("/")
        self._clock = clock
        # Its beat comes every second: a stream that is silent for longer is a dead box.
        self._http = httpx.Client(base_url=self.url, timeout=TIMEOUT_SECONDS, trust_env=False)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def state(self) -> dict[str, Any]:
        """Return what the screen shows now.

        Raises:
            httpx.HTTPError: the gate does not run, or too many look at it.
        """
        with self._http.stream("GET", "/events") as answer:
            answer.raise_for_status()
            return next(self._states(answer), {})

    @contextmanager
    def results(self) -> Iterator[Iterator[dict[str, Any]]]:
        """Look at the screen; yields the results that it shows from now on, for a few seconds.

        Raises:
            httpx.HTTPError: the gate does not run, or too many look at it.
        """
        with self._http.stream("GET", "/events") as answer:
            answer.raise_for_status()
            states = self._states(answer)
            next(states, None)  # what stood there before
            yield (state for state in states if state.get("verdict"))

    def press(self, key: str) -> None:
        """Press one of the guard's keys.

        Raises:
            httpx.HTTPError: the gate does not run, or takes no key.
        """
        page = self._http.get("/").raise_for_status()
        found = _SETTINGS.search(page.text)
        token = json.loads(found[1])["token"] if found else ""
        headers = {"Origin": self.url, "X-Kiosk-Token": token}
        self._http.post("/command", json={"command": key}, headers=headers).raise_for_status()

    def _states(self, answer: httpx.Response) -> Iterator[dict[str, Any]]:
        until = self._clock.monotonic() + RESULT_SECONDS
        event = ""
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                event = value
            elif name == "data" and event == "state":
                yield json.loads(value)["state"] or {}
            if self._clock.monotonic() > until:
                return
