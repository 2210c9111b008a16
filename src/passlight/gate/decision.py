"""What the door found out about one visitor, and what it decided: the types of the engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from passlight.core.entry.decide import EMERGENCY, Verdict
from passlight.core.entry.presented import Observed, Reading, Registered
from passlight.core.entry.record import Who
from passlight.core.kernel.documents import Document
from passlight.core.rules.admission import Outcome
from passlight.core.rules.terms import Text
from passlight.core.verification.answer import Answer, DoorAnswer
from passlight.runtime.catalogue import both

# Why a door asks a person although a policy did not say so: it cannot decide, or not write.
Inability = Literal[
    "no-door", "door-old", "no-record", "no-seal", "revoked", "broken", "wanted", "checked-in"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """What somebody or something observed of the visitor; the guard's badge when one did.

    ``vouched``: the guard looked at the person and their document and lets them in after asking.
    """

    mask: Observed = Observed.UNOBSERVED
    questions: Mapping[str, bool] | None = None
    temperature: Reading | None = None
    guard: str = ""
    role: str | None = None
    companions: int = 0
    emergency: bool = False
    vouched: bool = False


NOTHING_OBSERVED: Final = Observations()


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What the server answered for a document, in time; the look-up names the person sealed."""

    answer: DoorAnswer
    reason: str
    sampled_from: int | None
    lookup: str


class DocumentLookup(Protocol):
    """Asks the server about a document; bounded by whoever calls it."""

    async def look_up(self, document: Document) -> Looked | None:
        """Return the answer, or None when there is none."""
        ...

    async def arrival(self, signs: str) -> Looked | None:
        """Return the answer about who checked in here by the venue code, or None."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Who somebody is to this door and what their code or document says: before any policy.

    ``registered``: how, when it was neither by a code nor by a document shown here.
    """

    answer: DoorAnswer
    reason: str
    sampled_from: int | None = None
    who: Who | None = None
    by_document: bool = False
    checked: Answer | None = None
    registered: Registered | None = None

    @property
    def is_genuine(self) -> bool:
        """Return whether a code or a document proved itself."""
        return self.who is not None


NOBODY: Final = Finding(answer=DoorAnswer.UNDETERMINED, reason="no-code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the door does with one visitor.

    ``recorded``: the record was on the disk before this was said; without it nobody is
    admitted.
    """

    verdict: Verdict
    answer: DoorAnswer
    reason: str
    role: str
    visit: str
    lease: str
    offline: bool
    as_of: int | None
    clock_sure: bool
    recorded: bool
    at: int
    temperature: int | None = None
    again: bool = False
    """The same code in the same open interaction: nothing was recorded or opened twice."""

    @property
    def admits(self) -> bool:
        """Return whether the visitor may go in."""
        return self.verdict.outcome is Outcome.ADMIT

    @property
    def needs_record(self) -> bool:
        """Return whether nobody may pass without a record: care and leaving go before it."""
        return self.verdict.requirement != EMERGENCY and self.verdict is not LEFT


@dataclass(slots=True, kw_only=True)
class DoorStatus:
    """What other parts tell the door, and it tells its screen; plain values, set at any time."""

    online: Callable[[], bool]
    revoked: bool = False
    broken: bool = False


def _said(code: str) -> Text:
    said = both(f"gate.{code}")
    return Text(said["zh"], said["en"])


# When the door itself does not know its rules, care still goes before everything.
EMERGENCY_CARE: Final = Verdict(
    outcome=Outcome.ADMIT,
    requirement=EMERGENCY,
    say=_said("emergency"),
    prompt=f"{Outcome.ADMIT}.{EMERGENCY}",
)
# Anybody may leave; nothing is spoken.
LEFT: Final = Verdict(outcome=Outcome.ADMIT, requirement="", say=_said("left"), prompt="")


def ask_a_person(why: Inability) -> Verdict:
    """Return the verdict of a door that cannot decide: never green, never red."""
    return Verdict(
        outcome=Outcome.ASK,
        requirement="unknown",
        say=_said(f"ask-{why}"),
        prompt="ask.unknown",
    )
