"""What a guard adds at a door: who shows no code of their own, and an admission after asking.

A check-in by the posted venue code, a slip of paper, a minor beside a guardian: each of them is
a way to be registered, and none of them makes anybody green. A guard says by a key, under their
badge, that they looked; the record keeps what was not proven.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Final

from passlight.core.entry.decide import EMERGENCY, Verdict, decide
from passlight.core.entry.door_document import DoorDocument
from passlight.core.entry.party import Companion, decide_party
from passlight.core.entry.presented import Observed, Presented, Registered, RegisteredBy, Room
from passlight.core.entry.record import Who
from passlight.core.rules.admission import Outcome
from passlight.core.rules.terms import Text
from passlight.core.verification.answer import Answer, DoorAnswer
from passlight.gate.decision import Decision, Finding, Observations
from passlight.runtime.catalogue import both

CHECK_IN: Final = "venue-code"
# What may be settled by looking at a person and their document. Not among them: a colour that is
# known, a test that is too old, a fever, a declared symptom, a hall that is full.
_SETTLED_BY_LOOKING: Final = frozenset(
    {"unknown", "not-found", "expired", "closed", "test-none", "mask", "declaration"}
)
_BY_DOCUMENT: Final = frozenset({RegisteredBy.DOCUMENT, RegisteredBy.PAPER, RegisteredBy.GUARDIAN})
# The four signs of a check-in, as its own page shows them, and the number of a slip.
_SIGNS: Final = re.compile(r"[0-9A-Fa-f]{4}")
_SLIP: Final = re.compile(r"paper:([A-Za-z0-9][A-Za-z0-9._:-]{0,63})", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardian:
    """Whoever was let in last and may answer for minors who came along."""

    visit: str
    role: str
    presented: Presented
    minors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The visitor in front of the door: what was shown, found and decided.

    ``at``: when it was read; a finding grows no younger by what is decided of it later.
    """

    key: str = field(repr=False)
    visit: str
    interaction: str
    at: int
    finding: Finding
    observations: Observations
    decision: Decision
    guardian: Guardian | None = None


def guardian_of(case: Case) -> Guardian | None:
    """Return who may answer for a minor: let in by a code or document that proved itself."""
    if not case.decision.admits or case.decision.verdict.requirement == EMERGENCY:
        return None
    if case.guardian is not None:
        return case.guardian
    who = case.finding.who
    if who is None or who.paper:
        return None
    return Guardian(
        visit=case.visit,
        role=case.decision.role,
        presented=presented_of(case.finding, case.observations, room=Room.FREE),
    )


def needs_eyes(finding: Finding, observations: Observations) -> bool:
    """Return whether a check-in was named and no guard has compared it with the phone yet."""
    registered = finding.registered
    by_check_in = registered is not None and registered.reference == CHECK_IN
    return by_check_in and not observations.guard


def signs_of(text: str) -> str:
    """Return the four signs of a check-in when ``text`` is that, else nothing."""
    return text.upper() if _SIGNS.fullmatch(text) else ""


def slip_of(text: str) -> Finding | None:
    """Return somebody registered on paper; what stands on the slip does not come in here."""
    found = _SLIP.fullmatch(text)
    if found is None:
        return None
    return Finding(
        answer=DoorAnswer.UNDETERMINED,
        reason="no-code",
        who=Who(paper=found.group(1)),
        registered=Registered(how=RegisteredBy.PAPER, reference=found.group(1)),
    )


def minor_of(guardian: Guardian) -> Finding:
    """Return somebody without a code or document, registered by their guardian's visit."""
    return Finding(
        answer=DoorAnswer.UNDETERMINED,
        reason="no-code",
        registered=Registered(how=RegisteredBy.GUARDIAN, reference=guardian.visit),
    )


def finding_of(answer: Answer) -> Finding:
    """Return what a code says, and whose it is."""
    who = None
    if answer.body is not None and answer.epoch is not None and answer.realm is not None:
        who = Who(realm=answer.realm, epoch=answer.epoch, index=answer.body.index)
    return Finding(
        answer=answer.answer,
        reason=answer.reason,
        sampled_from=answer.sampled_from,
        who=who,
        checked=answer,
    )


def same_code(one: Finding, other: Finding) -> bool:
    """Return whether both are of one code, be it in different slots."""
    first, second = one.checked, other.checked
    return (
        first is not None
        and second is not None
        and first.body is not None
        and (first.body == second.body)
    )


def presented_of(finding: Finding, observations: Observations, *, room: Room) -> Presented:
    """Return what a visitor presents: what was found, what was observed, how they are known."""
    how = RegisteredBy.NONE
    if finding.who is not None:
        how = RegisteredBy.DOCUMENT if finding.by_document else RegisteredBy.CODE
    return Presented(
        answer=finding.answer,
        reason=finding.reason,
        sampled_from=finding.sampled_from,
        temperature=observations.temperature,
        mask=observations.mask,
        questions=observations.questions,
        registered=finding.registered or Registered(how=how),
        room=room,
        emergency=observations.emergency,
    )


def judge(
    door: DoorDocument,
    presented: Presented,
    observations: Observations,
    *,
    role: str,
    guardian: Guardian | None,
    now: int,
) -> Verdict:
    """Return the verdict of the door's own policy; a minor's stands beside the guardian's."""
    policy = door.policy(role)
    if guardian is None:
        verdict = decide(policy, presented, now=now, offset=door.offset)
    else:
        party = decide_party(
            door.policy(guardian.role),
            policy,
            guardian.presented,
            [Companion(presented=presented, minor=True)],
            visit=guardian.visit,
            now=now,
            offset=door.offset,
        )
        verdict = party.companions[0]
    return after_asking(verdict, presented) if observations.vouched else verdict


def looked(
    before: Observations, *, door: DoorDocument | None, role: str, guard: str
) -> Observations:
    """Return the observations after a guard looked: mask worn, asked, no alarming answer."""
    asked = door.policy(role).questions if door is not None else ()
    return replace(
        before,
        mask=Observed.YES,
        questions={question.id: not question.alarming for question in asked} or None,
        guard=guard,
    )


def after_asking(verdict: Verdict, presented: Presented) -> Verdict:
    """Return the verdict once a guard vouched: admitted, where looking settles all that is open.

    A code that is green lacks nothing but what was looked at; anybody else must have shown a
    document, a slip or a guardian. What was not proven stays in the record.
    """
    registered = presented.registered
    known = presented.answer is DoorAnswer.GREEN or (
        registered is not None and registered.how in _BY_DOCUMENT
    )
    settled = all(
        found.outcome is Outcome.ASK
        and found.requirement in _SETTLED_BY_LOOKING
        and not found.unobserved
        for found in verdict.findings
    )
    if verdict.outcome is not Outcome.ASK or not known or not settled:
        return verdict
    said = both("gate.vouched")
    return replace(
        verdict, outcome=Outcome.ADMIT, say=Text(said["zh"], said["en"]), prompt=Outcome.ADMIT.value
    )
