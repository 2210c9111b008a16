"""Pins of the box itself: a relay that opens the door, buttons for the guard.

``gpiozero`` finds the pins of the board; the tests give it its own mock factory.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from passlight.core.kernel.clock import Clock
from passlight.gate.drivers.condition import DeviceCondition, keep_open
from passlight.gate.drivers.intake import InputDriver
from passlight.gate.ports import GuardKey, Health, Pressed

DEBOUNCE_SECONDS = 0.05


class GpioRelay:
    """A relay on one pin; whatever happens to this process's loop, the pulse ends by itself.

    The pulse runs in a thread of its own: a hung loop cannot leave the door open. What opens it
    when the power is lost is wiring (docs/guides/gate-hardware.md), never software.
    """

    def __init__(
        self, name: str, pin: str, clock: Clock, *, active_high: bool = True, factory: Any = None
    ) -> None:
        self.name = name
        self._pin = pin
        self._active_high = active_high
        self._factory = factory
        self._relay: Any = None
        self._condition = DeviceCondition(clock)

    def health(self) -> Health:
        """Return how it is now."""
        return self._condition.read()

    async def run(self) -> None:
        """Hold the pin for ever; the door is closed when it is taken and when it is let go."""
        await keep_open(self._serve, self._condition)

    async def open(self, seconds: float) -> bool:
        """Close the relay's contact for ``seconds``; again while open begins anew."""
        if self._relay is None:
            return False
        self._relay.blink(on_time=seconds, off_time=0, n=1, background=True)
        return True

    async def _serve(self) -> None:
        import gpiozero  # only a box with pins loads it

        try:
            self._relay = gpiozero.DigitalOutputDevice(
                self._pin,
                active_high=self._active_high,
                initial_value=False,
                pin_factory=self._factory,
            )
        except (gpiozero.GPIOZeroError, ImportError) as fault:
            raise OSError(str(fault) or type(fault).__name__) from fault
        try:
            self._condition.works()
            await asyncio.Event().wait()
        finally:
            relay, self._relay = self._relay, None
            relay.off()
            relay.close()


class GpioKeys(InputDriver[Pressed]):
    """The guard's push buttons, each between its pin and ground."""

    def __init__(
        self, name: str, pins: Mapping[str, GuardKey], clock: Clock, *, factory: Any = None
    ) -> None:
        super().__init__(name, clock)
        self._pins = pins
        self._factory = factory

    async def _serve(self) -> None:
        import gpiozero  # only a box with pins loads it

        loop = asyncio.get_running_loop()
        buttons: list[Any] = []
        try:
            for pin, key in self._pins.items():
                button = gpiozero.Button(
                    pin, bounce_time=DEBOUNCE_SECONDS, pin_factory=self._factory
                )
                buttons.append(button)
                pressed = Pressed(key=key, source=self.name)
                # gpiozero calls from a thread of its own.
                button.when_pressed = lambda pressed=pressed: loop.call_soon_threadsafe(
                    self._intake.put, pressed
                )
            self._condition.works()
            await asyncio.Event().wait()
        except (gpiozero.GPIOZeroError, ImportError) as fault:
            raise OSError(str(fault) or type(fault).__name__) from fault
        finally:
            for button in buttons:
                button.close()
