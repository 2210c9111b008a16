"""What a door needs of its devices: Protocols; each has a real driver and a simulated one.

A port opens its device, reopens it after a fault and says how it is; none of them ever blocks
the decision. What people show arrives from ``Devices.inputs()`` in the order it was read.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from passlight.core.entry.presented import Reading
from passlight.core.kernel.documents import Document
from passlight.core.rules.admission import Outcome
from passlight.core.rules.terms import Text

# The longest text a reader hands on: a PL1 code has 178 characters, a venue code's address some
# more. What is longer is no code; it is cut off here, so that the verifier sees its fault.
LONGEST_TEXT = 2_048


class Condition(StrEnum):
    """How a device is."""

    OK = "ok"
    DEGRADED = "degraded"
    """Works, but something was lost or refused lately."""
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How one device is, and why, in the words of the catalogue (a code and its parameters)."""

    condition: Condition
    code: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    faults: int = 0

    @property
    def works(self) -> bool:
        """Whether the door may count on this device now."""
        return self.condition is not Condition.DOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One text that a code source read, and which source."""

    text: str = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDocument:
    """One identity document that a reader read, checked; the number is never in a log."""

    document: Document
    source: str


class GuardKey(StrEnum):
    """What a guard (or, for ``ask-staff``, anybody) can press at the door."""

    GUARD_OK = "guard-ok"
    """I looked: mask worn, questions asked, no alarming answer."""
    ADMIT_AFTER_ASKING = "admit-after-asking"
    """I looked at the person and their document, too, and let them in."""
    MINOR = "minor"
    """A minor without a code came with the guardian who was let in just now."""
    ASK_STAFF = "ask-staff"
    EXIT = "exit"
    EMERGENCY = "emergency"
    """Emergency care is never refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """One key pressed, and where."""

    key: GuardKey
    source: str


Input = Scan | ShownDocument | Pressed


class Port(Protocol):
    """A device; ``run`` serves it until it is cancelled, through unplugging and back."""

    @property
    def name(self) -> str:
        """Return what the configuration calls it, as ``code`` or ``thermometer``."""
        ...

    async def run(self) -> None:
        """Open the device and serve it; never returns by itself, never raises for a fault."""
        ...

    def health(self) -> Health:
        """Return how it is now, at once."""
        ...


class CodeSource(Port, Protocol):
    """Reads codes: a scanner, a serial module, a camera, the kiosk page."""

    def __aiter__(self) -> AsyncIterator[Scan]:
        """Return the texts as they are read; a bounded queue stands between."""
        ...


class IdReader(Port, Protocol):
    """Reads identity documents; what fails its check digit is a fault, never a number."""

    def __aiter__(self) -> AsyncIterator[ShownDocument]:
        """Return the documents as they are read."""
        ...


class Keys(Port, Protocol):
    """The guard's keys."""

    def __aiter__(self) -> AsyncIterator[Pressed]:
        """Return the keys as they are pressed."""
        ...


class Thermometer(Port, Protocol):
    """Measures the person in front of the door."""

    async def read(self) -> Reading | None:
        """Return the median of three fresh readings, or nothing; never a doubtful figure.

        Bounded by the driver's own time limit (default 200 ms). A wrong or missing unit, a torn
        frame or an implausible figure gives nothing and is counted: never a fever.
        """
        ...


class Barrier(Port, Protocol):
    """A relay, a turnstile."""

    async def open(self, seconds: float) -> bool:
        """Open for ``seconds`` and return whether the device took the order; closes by itself."""
        ...


class Speaker(Port, Protocol):
    """Says recorded prompts; never a name, never a cloud."""

    def say(self, prompt: str) -> None:
        """Queue ``prompt`` (a code, as ``isolate.red``); only the newest waits."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVerdict:
    """What the screen may know of a verdict."""

    outcome: Outcome
    requirement: str
    prompt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayState:
    """What the screen shows now, whole: a page that missed a state needs only the next one."""

    screen: Literal["idle", "checking", "result"]
    venue: Text
    entrance: Text
    verdict: ShownVerdict | None = None
    answer: str = ""
    say: Text | None = None
    field: Literal["green", "yellow", "red", "unknown", "ink"] = "ink"
    temperature: int | None = None
    """Tenths of a degree Celsius."""
    test_hours: int | None = None
    offline: bool = False
    as_of: int | None = None
    """POSIX seconds of the newest data this door has."""
    waiting: int = 0
    """Records not yet acknowledged by the server."""
    inside: int | None = None
    cap: int | None = None
    clock_sure: bool = True
    asks: Literal["venue-code", "sentinel", "either"] = "sentinel"
    """What this door wants scanned: the posted code by the visitor's phone, or the visitor's own
    code here; never both."""
    care: bool = False
    """Whether whoever needs emergency care may say so at the screen itself, without a guard."""


class Display(Port, Protocol):
    """The screen at the door."""

    def show(self, state: DisplayState) -> None:
        """Show ``state`` from now on; returns at once."""
        ...
