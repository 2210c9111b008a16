"""People before the demonstration's gate: they show codes or a card, go in, and leave again.

``python -m passlight.simulation.walkers`` (the demonstration's last process). They are clients
like any others: their phones log in as residents and fetch codes from the gateway; what the gate
sees of them comes through its readers, and what they know of it stands on its screen. A guard
stands beside the gate, asks what nobody else has asked, and presses the keys. While the gate is
away they wait; while only the gateway is, their phones show what they hold.
"""

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import httpx

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.core.kernel.problem import ProblemError
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.settings import read_settings, read_variable
from passlight.simulation.cables import Readers
from passlight.simulation.device import Phone, RefusedError
from passlight.simulation.district import DemoDoor, Walker, door_file, read_door
from passlight.simulation.kiosk_screen import EXIT, GUARD_OK, KioskScreen

PACE_SECONDS = 8.0
PACE_SECONDS_MIN = 0.5
WAIT_SECONDS_MIN, WAIT_SECONDS_MAX = 2.0, 30.0
STAY_TURNS = 6  # an admitted one leaves when so many others have come
ELSEWHERE_SECONDS = 600.0  # in the isolation area, at the desk, or at the test
POSTER_EVERY = 5  # so often somebody goes in by the other entrance, where a poster hangs
NORMAL_TENTHS = (362, 364, 365, 366, 368)
_LOGGED_OUT = frozenset({401, 403, 302})
_FAULTS = (httpx.HTTPError, RefusedError, ValueError, KeyError, OSError)


class Walkers:
    """Everybody who comes to one gate, and the guard beside it."""

    def __init__(
        self,
        door: DemoDoor,
        *,
        url: str,
        readers: Readers,
        screen: KioskScreen,
        clock: Clock,
        entropy: Entropy,
        say: Callable[[str], object],
    ) -> None:
        self.door = door
        self.inside: list[tuple[str, int]] = []
        self._url, self._clock, self._entropy = url, clock, entropy
        self._readers, self._screen = readers, screen
        self._say = say
        self._phones: dict[str, Phone] = {}
        self._back_at: dict[str, float] = {}
        self._turn = 0

    def run(self, stop: threading.Event, *, pace: float = PACE_SECONDS) -> None:
        """Let one person come every ``pace`` seconds until ``stop``; outlive every fault."""
        wait = WAIT_SECONDS_MIN
        while not stop.is_set():
            try:
                self.step(pause=stop.wait, pace=max(pace, PACE_SECONDS_MIN))
            except _FAULTS as error:
                self._say(f"waiting {wait:.0f} s: {type(error).__name__} {error}")
                stop.wait(wait)
                wait = min(2 * wait, WAIT_SECONDS_MAX)
                continue
            wait = WAIT_SECONDS_MIN
        self.close()

    def step(
        self, *, pause: Callable[[float], object] = lambda _: None, pace: float = 0.0
    ) -> dict[str, Any] | None:
        """Let the next one come and return what the screen showed last; None when it did not.

        Raises:
            httpx.HTTPError, RefusedError, ValueError, KeyError, OSError: a server or the gate
            cannot or will not.
        """
        self._turn += 1
        if self.inside and self._turn - self.inside[0][1] > STAY_TURNS:
            self._leave()
        pause(pace / 2)
        walker = self._next()
        shown = self._come(walker, pause=lambda: pause(pace / 4)) if walker is not None else None
        if self._turn % POSTER_EVERY == 0:
            self._scan_poster()
        pause(pace / 4)
        return shown

    def close(self) -> None:
        """Close every connection."""
        self._screen.close()
        for phone in self._phones.values():
            phone.close()

    # At the gate.

    def _come(self, walker: Walker, *, pause: Callable[[], object]) -> dict[str, Any] | None:
        # The phone first: whoever has no code to show does not step before the scanner.
        text = "" if walker.card else self._code_of(walker.name)
        result = self._show(walker, text)
        if result is not None and result["verdict"]["prompt"].endswith(".unobserved"):
            pause()  # the guard asks, looks at the mask, and presses a key
            result = self._watch(lambda: self._screen.press(GUARD_OK)) or result
        self._remember(walker, result)
        return result

    def _show(self, walker: Walker, text: str) -> dict[str, Any] | None:
        def act() -> None:
            self._readers.measure(walker.tenths or NORMAL_TENTHS[self._turn % len(NORMAL_TENTHS)])
            if walker.card:
                self._readers.lay_card(walker.card)
            else:
                self._readers.show_code(text)

        return self._watch(act)

    def _watch(self, act: Callable[[], object]) -> dict[str, Any] | None:
        """Return the first result that the screen shows after an act."""
        with self._screen.results() as results:
            act()
            return next(results, None)

    def _remember(self, walker: Walker, result: dict[str, Any] | None) -> None:
        if result is None:
            self._say(f"{walker.name}: the screen showed nothing")
            return
        verdict = result["verdict"]
        if verdict["outcome"] == "admit":
            self.inside.append((walker.name, self._turn))
        else:
            self._back_at[walker.name] = self._clock.monotonic() + ELSEWHERE_SECONDS
        offline = ", offline" if result["offline"] else ""
        self._say(f"{walker.name}: {result['answer']}, {verdict['prompt']}{offline}")

    def _leave(self) -> None:
        """Let the one who came first go out past the guard, who presses the key."""
        name, _ = self.inside[0]
        self._watch(lambda: self._screen.press(EXIT))
        self.inside.pop(0)
        self._say(f"{name}: left")

    def _next(self) -> Walker | None:
        """Return who comes now: neither inside nor elsewhere, in turn."""
        now, within = self._clock.monotonic(), {name for name, _ in self.inside}
        count = len(self.door.walkers)
        for step in range(count):
            walker = self.door.walkers[(self._turn + step) % count]
            if walker.name not in within and self._back_at.get(walker.name, 0.0) <= now:
                return walker
        return None

    def _scan_poster(self) -> None:
        """Let somebody go in by the other entrance, and check in by its poster."""
        walker = self._next()
        if walker is None or walker.card:
            return
        try:
            self._phone(walker.name).check_in(self.door.venue_token)
        except (httpx.TransportError, RefusedError) as error:
            self._say(f"{walker.name}: no check-in, {error}")

    # Their phones.

    def _code_of(self, name: str) -> str:
        """Return what a phone shows: a fresh code, or without a network what it holds."""
        phone = self._phone(name)
        try:
            phone.refresh()
        except httpx.TransportError:
            self._say(f"{name}: no network")
        except RefusedError as refused:
            if refused.status in _LOGGED_OUT:
                self._phones.pop(name).close()
            if refused.status < httpx.codes.INTERNAL_SERVER_ERROR:
                raise
        return phone.show()

    def _phone(self, name: str) -> Phone:
        if name not in self._phones:
            phone = Phone(self._url, clock=self._clock, entropy=self._entropy)
            phone.log_in(name, self.door.password)
            self._phones[name] = phone
        return self._phones[name]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--screen", required=True, help="address of the gate's screen")
    parser.add_argument(
        "--readers",
        required=True,
        nargs=3,
        type=int,
        help="descriptors of the cables to the gate: codes, cards, thermometer",
    )
    return parser.parse_args()


def main() -> int:
    """Come to the gate until SIGTERM or SIGINT."""
    given, settings, clock = _arguments(), read_settings(), SystemClock()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        door = read_door(door_file(settings))
    except (FileNotFoundError, ProblemError) as error:
        missing = "No simulated district here; run passlight demo."
        print(error if isinstance(error, ProblemError) else missing, file=sys.stderr)  # noqa: T201
        return 1
    walkers = Walkers(
        door,
        url=settings.public_url,
        readers=Readers(given.readers),
        screen=KioskScreen(given.screen, clock=clock),
        clock=clock,
        entropy=SystemEntropy(),
        say=lambda words: print(words, flush=True),  # noqa: T201  # a process's log
    )
    pace = float(read_variable("PASSLIGHT_SENTINEL_PACE", str(PACE_SECONDS)))
    walkers.run(stop, pace=pace)
    return 0


if __name__ == "__main__":
    sys.exit(main())
