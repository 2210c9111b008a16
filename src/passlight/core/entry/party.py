"""Party (同行人员): several people at one scan, each with a verdict of their own.

A companion shows a code or document of their own, or is registered by the one who scanned. Being
registered makes nobody green: without an answer of their own the door asks a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from passlight.core.entry.decide import Finding, Verdict, decide
from passlight.core.entry.policy import DoorPolicy
from passlight.core.entry.presented import Presented, Registered, RegisteredBy
from passlight.core.kernel.limits import ENTRY_COMPANIONS_MAX
from passlight.core.rules.admission import Outcome
from passlight.core.verification.answer import DoorAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """Somebody who came with the one who scanned; ``minor`` goes in with a guardian only.

    ``presented`` None: no code or document of their own, registered by the holder.
    """

    presented: Presented | None = None
    minor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyVerdict:
    """The verdicts of one scan: the holder's, and each companion's in the order they came."""

    holder: Verdict
    companions: tuple[Verdict, ...]


def decide_party(
    holder_policy: DoorPolicy,
    companion_policy: DoorPolicy,
    holder: Presented,
    companions: Sequence[Companion],
    *,
    visit: str,
    now: int,
    offset: int,
) -> PartyVerdict:
    """Return a verdict for each; ``visit`` is the holder's, and stands in the registrations.

    A minor whose guardian is not admitted is not admitted either: the door asks a person, and
    nobody is sent away or isolated for what another has.
    """
    assert len(companions) <= ENTRY_COMPANIONS_MAX, len(companions)
    first = decide(holder_policy, holder, now=now, offset=offset)
    verdicts = []
    for companion in companions:
        presented = _registered(companion, holder, visit=visit)
        verdict = decide(companion_policy, presented, now=now, offset=offset)
        alone = companion.minor and first.outcome is not Outcome.ADMIT
        if alone and not presented.emergency:
            verdict = _without_guardian(verdict, companion_policy)
        verdicts.append(verdict)
    return PartyVerdict(holder=first, companions=tuple(verdicts))


def _registered(companion: Companion, holder: Presented, *, visit: str) -> Presented:
    """Return what the companion presents; who has nothing of their own is registered here."""
    how = RegisteredBy.GUARDIAN if companion.minor else RegisteredBy.COMPANION
    registration = Registered(how=how, reference=visit)
    if companion.presented is None:
        return Presented(
            answer=DoorAnswer.UNDETERMINED,
            reason="no-code",
            registered=registration,
            room=holder.room,
            emergency=holder.emergency,
        )
    if companion.presented.registered is None:
        return replace(companion.presented, registered=registration)
    return companion.presented


def _without_guardian(verdict: Verdict, policy: DoorPolicy) -> Verdict:
    failure = policy.failures["guardian"]
    found = Finding(requirement="guardian", outcome=failure.outcome, say=failure.say)
    findings = (*verdict.findings, found)
    if verdict.outcome.gravity >= failure.outcome.gravity:
        return replace(verdict, findings=findings)
    return replace(
        verdict,
        outcome=failure.outcome,
        requirement=found.requirement,
        say=failure.say,
        prompt=found.prompt,
        findings=findings,
    )
