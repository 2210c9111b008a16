"""Verification of a scanned text, in the order of PL1 5: the first failure ends.

Free checks first, then one signature, then at most one chain, which only a genuine code
inside its window can cause. Nothing here raises for any text, and nothing that goes wrong
becomes a colour.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from passlight.core.codes.sampling import sampled_from
from passlight.core.codes.trust import TrustList
from passlight.core.verification.answer import Answer, DoorAnswer
from passlight.core.verification.checks import CHECKS, Check
from passlight.core.verification.inputs import (
    ClockState,
    PhoneDocument,
    SheetDocument,
    VerificationPolicy,
)
from passlight.core.verification.reading import Reading
from passlight.core.verification.replay import ReplaySet
from passlight.core.verification.status_source import StatusSource

# A code's own colour bits, and the answers; nought is never green.
_ANSWERS = (DoorAnswer.UNDETERMINED, DoorAnswer.GREEN, DoorAnswer.YELLOW, DoorAnswer.RED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """A door's verifier: what it trusts and knows, and the codes it has just seen.

    Any part may be replaced between two scans (``dataclasses.replace``); the replay set stays.
    """

    trust: TrustList
    source: StatusSource
    policy: VerificationPolicy
    replay: ReplaySet
    clock: ClockState

    def verify(
        self,
        text: str,
        *,
        now: int,
        interaction: str,
        document: PhoneDocument | SheetDocument | None = None,
    ) -> Answer:
        """Return the answer to a scanned text at ``now`` (POSIX seconds)."""
        return verify(
            text,
            now=now,
            trust=self.trust,
            source=self.source,
            policy=self.policy,
            replay=self.replay,
            clock=self.clock,
            interaction=interaction,
            document=document,
        )


def verify(
    text: str,
    *,
    now: int,
    trust: TrustList,
    source: StatusSource,
    policy: VerificationPolicy,
    replay: ReplaySet,
    clock: ClockState,
    interaction: str,
    document: PhoneDocument | SheetDocument | None = None,
) -> Answer:
    """Return the answer to a scanned text at ``now`` (POSIX seconds).

    ``interaction`` names one visitor at one door: the same code read again within it is no
    second person and gets the same answer.
    """
    reading = Reading(
        text=text,
        now=now,
        trust=trust,
        source=source,
        policy=policy,
        replay=replay,
        clock=clock,
        interaction=interaction,
        document=document,
    )
    return run_checks(reading, CHECKS)


def run_checks(reading: Reading, checks: Sequence[Check]) -> Answer:
    """Return the first failing check's answer, or the colour when all hold."""
    for check in checks:
        if not check.holds(reading):
            return _remember(reading, _refusal(reading, check))
        if reading.same_interaction is not None:
            return reading.same_interaction
    return _remember(reading, _colour(reading))


def _refusal(reading: Reading, check: Check) -> Answer:
    proven = reading.signed
    return Answer(
        answer=check.answer,
        reason=check.reason,
        body=reading.body if proven else None,
        realm=reading.key.realm if proven else None,
        epoch=reading.epoch if proven else None,
        sampled_from=sampled_from(reading.body) if proven else None,
        known_at=reading.known_at if proven else None,
    )


def _colour(reading: Reading) -> Answer:
    """Return the answer of PL1 6.2: the worst of code and list, unless a hot code is newer."""
    body = reading.body
    answer = _ANSWERS[body.colour if reading.outranks else reading.worst]
    return Answer(
        answer=answer,
        reason="status",
        body=body,
        realm=reading.key.realm,
        epoch=reading.epoch,
        sampled_from=sampled_from(body),
        known_at=reading.known_at,
    )


def _remember(reading: Reading, answer: Answer) -> Answer:
    if reading.sighting is not None:
        reading.sighting.answer = answer
    return answer
