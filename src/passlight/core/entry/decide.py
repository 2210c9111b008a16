"""The decision at a door: one outcome, one reason, the words to say.

The gateway, the gate and the browser run the same vectors (``vectors/verdicts``). The gravest
outcome wins; among equals the first requirement in the order of ``REQUIREMENTS``. An error is
never red and never green.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from passlight.core.codes.sampling import age_seconds, is_within_days, is_within_hours
from passlight.core.entry.policy import DoorPolicy, TestRule
from passlight.core.entry.presented import (
    Observed,
    Presented,
    RegisteredBy,
    Room,
)
from passlight.core.rules.admission import REQUIREMENTS, Failure, Outcome
from passlight.core.rules.terms import Text
from passlight.core.verification.answer import DoorAnswer

EMERGENCY: Final = "emergency"
_HOUR_SECONDS: Final = 3600
_ANSWERS: Final = {
    DoorAnswer.YELLOW: "yellow",
    DoorAnswer.RED: "red",
    DoorAnswer.UNDETERMINED: "unknown",
    DoorAnswer.EXPIRED: "expired",
    DoorAnswer.NOT_FOUND: "not-found",
    DoorAnswer.CLOSED: "closed",
}
_WATCHED: Final = {
    "mask": "mask",
    "questions": "declaration",
    "temperature": "temperature",
    "room": "full",
}
_ADMITTED: Final = Text("请进。", "Please go in.")
_EMERGENCY: Final = Text("急诊，请直接就诊。", "Emergency. Please go straight in.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One requirement that is not met; ``unobserved`` when nobody looked."""

    requirement: str
    outcome: Outcome
    say: Text
    unobserved: bool = False

    @property
    def prompt(self) -> str:
        """Return the code of the recorded prompt."""
        end = ".unobserved" if self.unobserved else ""
        return f"{self.outcome}.{self.requirement}{end}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the door does with one visitor, and its one reason.

    ``requirement`` is empty when admitted, and "emergency" when care goes before everything;
    ``findings`` keeps all that was not met, gravest first. ``age_hours`` is the test's.
    """

    outcome: Outcome
    requirement: str
    say: Text
    prompt: str
    age_hours: int | None = None
    findings: tuple[Finding, ...] = ()


def decide(policy: DoorPolicy, presented: Presented, *, now: int, offset: int) -> Verdict:
    """Return the verdict at ``now`` (POSIX seconds); ``offset`` is the realm's, in minutes."""
    findings = sorted(_findings(policy, presented, now=now, offset=offset), key=_order)
    verdict = _verdict(tuple(findings))
    if presented.emergency:
        verdict = replace(
            verdict,
            outcome=Outcome.ADMIT,
            requirement=EMERGENCY,
            say=_EMERGENCY,
            prompt=f"{Outcome.ADMIT}.{EMERGENCY}",
        )
    if presented.sampled_from is None:
        return verdict
    age = age_seconds(presented.sampled_from, now=now)
    return replace(verdict, age_hours=age // _HOUR_SECONDS)


def prompts() -> tuple[str, ...]:
    """Return every prompt code that a verdict can have: what a speaker must have recorded."""
    stops = (Outcome.ASK, Outcome.REFUSE, Outcome.ISOLATE)
    failed = tuple(f"{stop}.{name}" for name in REQUIREMENTS for stop in stops)
    unseen = tuple(
        f"{stop}.{name}.unobserved"
        for name in _WATCHED.values()
        for stop in (Outcome.ASK, Outcome.REFUSE)
    )
    return (str(Outcome.ADMIT), f"{Outcome.ADMIT}.{EMERGENCY}", *failed, *unseen)


def _order(finding: Finding) -> tuple[int, int]:
    return (-finding.outcome.gravity, REQUIREMENTS.index(finding.requirement))


def _verdict(findings: tuple[Finding, ...]) -> Verdict:
    if not findings:
        return Verdict(
            outcome=Outcome.ADMIT, requirement="", say=_ADMITTED, prompt=Outcome.ADMIT.value
        )
    worst = findings[0]
    return Verdict(
        outcome=worst.outcome,
        requirement=worst.requirement,
        say=worst.say,
        prompt=worst.prompt,
        findings=findings,
    )


def _findings(
    policy: DoorPolicy, presented: Presented, *, now: int, offset: int
) -> Iterator[Finding]:
    """Yield everything that is not met; what nobody observed only where it stops somebody."""
    failed = _failed(policy, presented, now=now, offset=offset)
    for requirement in dict.fromkeys(failed):  # two questions may stand for one requirement
        failure = policy.failures[requirement]
        yield Finding(requirement=requirement, outcome=failure.outcome, say=failure.say)
    for watched in _unseen(policy, presented):
        missed: Failure = policy.unobserved[watched]
        if missed.outcome is not Outcome.ADMIT:
            yield Finding(
                requirement=_WATCHED[watched],
                outcome=missed.outcome,
                say=missed.say,
                unobserved=True,
            )


def _failed(policy: DoorPolicy, presented: Presented, *, now: int, offset: int) -> Iterator[str]:
    colour = presented.answer.colour
    if colour is None or colour not in policy.colours:
        yield _ANSWERS[presented.answer]
    # Without a verified answer there is no test to judge: the answer is what must be settled.
    if policy.test is not None and colour is not None:
        if presented.sampled_from is None:
            yield "test-none"
        elif not is_recent(policy.test, presented.sampled_from, now=now, offset=offset):
            yield "test"
    if policy.mask and presented.mask is Observed.NO:
        yield "mask"
    reading, rule = presented.temperature, policy.temperature
    if rule is not None and reading is not None and reading.tenths >= rule.limit:
        yield "temperature"
    yield from _alarming(policy, presented)
    if presented.room is Room.FULL:
        yield "full"
    registered = presented.registered
    if policy.registration and (registered is None or registered.how is RegisteredBy.NONE):
        yield "registration"


def _alarming(policy: DoorPolicy, presented: Presented) -> Iterator[str]:
    """Yield what the answers say; a question without an answer is a declaration not made."""
    answers = presented.questions
    if answers is None:
        return
    for question in policy.questions:
        if question.id not in answers:
            yield "declaration"
        elif answers[question.id] is question.alarming:
            yield question.requirement


def _unseen(policy: DoorPolicy, presented: Presented) -> Iterator[str]:
    if policy.mask and presented.mask is Observed.UNOBSERVED:
        yield "mask"
    if policy.questions and presented.questions is None:
        yield "questions"
    rule = policy.temperature
    if rule is not None and rule.required and presented.temperature is None:
        yield "temperature"
    if presented.room is Room.UNKNOWN:
        yield "room"


def is_recent(rule: TestRule, sampled_from: int, *, now: int, offset: int) -> bool:
    """Return whether a test is recent enough; its ten-minute grid favours the resident."""
    if rule.days_max is not None:
        return is_within_days(sampled_from, now=now, days_max=rule.days_max, offset=offset)
    assert rule.hours_max is not None, "a rule has hours or days"
    return is_within_hours(sampled_from, now=now, hours_max=rule.hours_max)
