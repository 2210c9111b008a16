"""What a door knows of the time: its own clock is believed only after the server was heard (PL1 7).

Between two exchanges the monotonic clock counts, so that a wall clock set to 1970 changes
nothing. A wall clock that runs *ahead* of it is another matter: the board may have slept, and
by the slower clock an expired code would still be good; so the door becomes unsure and asks.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

from passlight.core.kernel.clock import Clock
from passlight.core.verification.inputs import ClockState

APART_SECONDS: Final = 5
ROUND_TRIP_SECONDS_MAX: Final = 5.0
# A server's time is believed beside a freshly signed ``as_of`` that is no further from it.
AS_OF_SECONDS_MAX: Final = 120
FUTURE_SECONDS_MAX: Final = 60
# So long without an exchange a sure clock may have drifted behind; then it yields to the server.
YIELD_SECONDS: Final = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTime:
    """What survives a restart: the last exchange, and the latest moment that surely has passed.

    ``boot_id`` is the machine's boot; within it the monotonic clock goes on.
    """

    disciplined_at: int = 0
    floor: int = 0
    boot_id: str = ""
    monotonic: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return {
            "disciplined_at": self.disciplined_at,
            "floor": self.floor,
            "boot_id": self.boot_id,
            "monotonic": self.monotonic,
        }

    @classmethod
    def of_json(cls, value: dict[str, Any]) -> Self:
        """Return what was stored.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        return cls(
            disciplined_at=int(value["disciplined_at"]),
            floor=int(value["floor"]),
            boot_id=str(value["boot_id"]),
            monotonic=float(value["monotonic"]),
        )


class TimeKeeper:
    """The door's time, and whether codes may be judged by it."""

    def __init__(
        self, clock: Clock, *, stored: StoredTime, boot_id: str, battery_clock: bool
    ) -> None:
        self._clock = clock
        self._boot_id = boot_id
        self._disciplined_at = stored.disciplined_at
        self._floor = stored.floor
        self._base = clock.now().timestamp()
        self._base_monotonic = clock.monotonic()
        self._hint: float | None = None
        self._off = False
        goes_on = bool(stored.boot_id) and stored.boot_id == boot_id
        if goes_on and clock.monotonic() >= stored.monotonic:
            # The same boot of the machine: its monotonic clock counted on while we were away.
            self._base = stored.disciplined_at + (clock.monotonic() - stored.monotonic)
        self._power_cut = not goes_on and not battery_clock
        self._wall_ahead = self._wall_lead()

    def now(self) -> int:
        """Return the door's time in POSIX seconds; sure or not."""
        return int(self._derived())

    def monotonic(self) -> float:
        """Return seconds that never run backwards: places and time limits count by these."""
        return self._clock.monotonic()

    def proof_time(self) -> float:
        """Return the time to write into proofs: what the server says it is, unless ours will do.

        Nothing is judged by it; a proof with a wrong time is only refused.
        """
        if self._hint is not None and (self._off or not self.is_sure):
            return self._hint + self._clock.monotonic()
        return self._derived()

    def state(self) -> ClockState:
        """Return what verification is told of this clock."""
        return ClockState(
            disciplined_at=self._disciplined_at,
            floor=self._floor,
            power_cut=self._power_cut or self._has_slept(),
        )

    @property
    def is_sure(self) -> bool:
        """Return whether codes may be judged by this clock."""
        return self.state().is_trusted(now=self.now())

    @property
    def stored(self) -> StoredTime:
        """Return what to keep for the next start; the floor is as late as is certain."""
        floor = max(self._floor, self.now()) if self.is_sure else self._floor
        disciplined = max(self._disciplined_at, 0)
        return StoredTime(
            disciplined_at=disciplined,
            floor=floor,
            boot_id=self._boot_id if not self._power_cut else "",
            monotonic=self._base_monotonic - (self._base - disciplined),
        )

    def allows(self, as_of: int) -> bool:
        """Return whether signed knowledge may be of this moment: not from the future.

        By an unsure clock that cannot be judged. A clock that has heard no server for a day may
        itself be behind: it becomes unsure, and yields at the next exchange.
        """
        if not self.is_sure or as_of <= self.now() + FUTURE_SECONDS_MAX:
            return True
        if self.now() - self._disciplined_at > YIELD_SECONDS:
            self._power_cut = True
        return False

    def raise_floor(self, as_of: int) -> None:
        """Take note of a signed moment: it has passed."""
        self._floor = max(self._floor, as_of)

    def suggest(self, server_now: float, *, off: bool = False) -> None:
        """Take a server's unsigned time for proofs, and for nothing else.

        ``off``: it refused a proof for its time, so ours will not do, however sure we are.
        """
        self._hint = server_now - self._clock.monotonic()
        self._off = self._off or off

    def discipline(self, server_now: float, *, as_of: int, round_trip: float) -> bool:
        """Set the time by an exchange that also brought knowledge signed as of ``as_of``.

        The signature is what makes it believable: a liar without the key can only repeat old
        knowledge, and the floor never falls.
        """
        if not 0 <= round_trip <= ROUND_TRIP_SECONDS_MAX:
            return False
        if abs(server_now - as_of) > AS_OF_SECONDS_MAX or server_now < self._floor:
            return False
        # As long as we are sure, a jump is somebody's mistake and not ours; after a day alone
        # it may well be ours.
        lately = self.is_sure and self.now() - self._disciplined_at <= YIELD_SECONDS
        if lately and abs(server_now - self._derived()) > FUTURE_SECONDS_MAX:
            return False
        self._base = server_now + round_trip / 2
        self._base_monotonic = self._clock.monotonic()
        self._wall_ahead = self._wall_lead()
        self._disciplined_at = int(self._base)
        self._power_cut = False
        self._hint, self._off = None, False
        return True

    def doubt(self) -> None:
        """Become unsure until the next exchange: a queue of codes says that we are off."""
        self._power_cut = True

    def _derived(self) -> float:
        return self._base + (self._clock.monotonic() - self._base_monotonic)

    def _wall_lead(self) -> float:
        return self._clock.now().timestamp() - self._derived()

    def _has_slept(self) -> bool:
        return self._wall_lead() - self._wall_ahead > APART_SECONDS
