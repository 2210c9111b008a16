"""How a device is, kept as its driver goes: works, lost something lately, or is down."""

import asyncio
from collections.abc import Awaitable, Callable

from passlight.core.kernel.clock import Clock
from passlight.gate.ports import Condition, Health

# After a fault the device counts as degraded for this long.
LATELY_SECONDS = 60.0
RETRY_FIRST_SECONDS = 0.25
RETRY_LONGEST_SECONDS = 5.0


class DeviceCondition:
    """The condition of one device; its driver tells it what happened."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._down: str | None = "kiosk.device.starting"
        self._code = ""
        self._params: dict[str, str] = {}
        self._faults = 0
        self._fault_at: float | None = None

    def works(self) -> None:
        """Note that the device answers."""
        self._down = None

    def fault(self, code: str, **params: str) -> None:
        """Note that something was lost or refused: ``code`` is a message of the catalogue."""
        self._code, self._params = code, params
        self._faults += 1
        self._fault_at = self._clock.monotonic()

    def down(self, code: str, **params: str) -> None:
        """Note that the device does not answer."""
        self._down, self._params = code, params
        self._faults += 1

    @property
    def monotonic(self) -> float:
        """Return the monotonic seconds of the clock."""
        return self._clock.monotonic()

    def read(self) -> Health:
        """Return the condition now."""
        if self._down is not None:
            condition, code, params = Condition.DOWN, self._down, self._params
        elif (
            self._fault_at is not None and self._clock.monotonic() - self._fault_at < LATELY_SECONDS
        ):
            condition, code, params = Condition.DEGRADED, self._code, self._params
        else:
            condition, code, params = Condition.OK, "", {}
        return Health(condition=condition, code=code, params=dict(params), faults=self._faults)


async def keep_open(serve: Callable[[], Awaitable[None]], condition: DeviceCondition) -> None:
    """Serve a device for ever: after each fault wait a little longer, then open it again."""
    pause = RETRY_FIRST_SECONDS
    while True:
        started = condition.monotonic
        try:
            await serve()
            condition.down("kiosk.device.ended")
        except (OSError, EOFError) as fault:  # serial.SerialException is an OSError
            condition.down("kiosk.device.gone", reason=_reason(fault))
        if condition.monotonic - started > RETRY_LONGEST_SECONDS:
            pause = RETRY_FIRST_SECONDS
        await asyncio.sleep(pause)
        pause = min(2 * pause, RETRY_LONGEST_SECONDS)


def _reason(fault: BaseException) -> str:
    if isinstance(fault, OSError) and fault.strerror:
        return fault.strerror
    return str(fault)[:200] or type(fault).__name__
