"""Doubts about a well-formed fact: what quarantine holds back until a person has looked.

A line that breaks the format never becomes a fact (``form``). These checks find facts that
are written well and still cannot be believed, or lack what a decision about a person needs.
"""

from datetime import datetime

from passlight.core.facts.fact import MANUAL_SOURCE, Fact, Op
from passlight.core.kernel.limits import ARRIVAL_AGE_MAX, FACT_FUTURE_TOLERANCE
from passlight.core.kernel.problem import Problem

_CAN_MAKE_RED = frozenset(
    {
        "case.suspected",
        "case.confirmed",
        "case.asymptomatic",
        "order.started",
        "exposure.assessed",
        "lab.result",
    }
)
_MANUAL_PREFIX = f"{MANUAL_SOURCE}:"
_MANUAL_NEEDS = ("basis", "expires_at", "officer", "approver")


def is_manual(fact: Fact) -> bool:
    """Return whether an officer entered the fact by hand, not an agency's system."""
    return fact.source == MANUAL_SOURCE or fact.source.startswith(_MANUAL_PREFIX)


def check_intake(fact: Fact, *, published_at: datetime) -> list[Problem]:
    """Return the doubts about ``fact``, sent in a batch published at ``published_at``.

    Empty means that the fact may land. Retractions are never doubted: taking back is safe.
    """
    if fact.op is Op.RETRACT:
        return []
    return [
        *check_future(fact, instant=min(published_at, fact.recorded_at)),
        *_arrival_age(fact, published_at=published_at),
        *_manual(fact),
        *_waiver(fact),
    ]


def check_future(fact: Fact, *, instant: datetime) -> list[Problem]:
    """Return a problem when the fact lies more than five minutes after ``instant`` (E18)."""
    if fact.occurred_at <= instant + FACT_FUTURE_TOLERANCE:
        return []
    return [
        _doubt(
            "future",
            "occurred_at",
            "is in the future.",
            "Check the sender's clock and send it again when it has happened.",
        )
    ]


def _arrival_age(fact: Fact, *, published_at: datetime) -> list[Problem]:
    if fact.kind != "travel.arrived" or published_at - fact.occurred_at <= ARRIVAL_AGE_MAX:
        return []
    return [
        _doubt(
            "arrival-too-old",
            "occurred_at",
            f"is an arrival more than {ARRIVAL_AGE_MAX.days} days before the batch.",
            "Check the date; release it from quarantine when it is right.",
        )
    ]


def _manual(fact: Fact) -> list[Problem]:
    """Return what a fact entered by hand lacks: basis, expiry, two different people (E46)."""
    if not is_manual(fact) or fact.kind not in _CAN_MAKE_RED:
        return []
    problems = [
        _doubt(
            "manual-incomplete",
            f"payload.{name}",
            "is missing in a fact entered by hand.",
            "Give the basis, the expiry, the officer and a second person who approves.",
        )
        for name in _MANUAL_NEEDS
        if not fact.payload.get(name)
    ]
    officer, approver = fact.payload.get("officer"), fact.payload.get("approver")
    if officer and officer == approver:
        problems.append(
            _doubt(
                "manual-one-person",
                "payload.approver",
                "is the officer who entered the fact.",
                "A second person approves.",
            )
        )
    return [*problems, *_expiry(fact)]


def _expiry(fact: Fact) -> list[Problem]:
    text = fact.payload.get("expires_at")
    if not text:
        return []
    try:
        expires_at = datetime.fromisoformat(text)
        if expires_at.tzinfo is not None and expires_at > fact.occurred_at:
            return []
    except (TypeError, ValueError):
        pass
    return [
        _doubt(
            "manual-expiry",
            "payload.expires_at",
            "is not a time with an offset after occurred_at.",
            "Write it like 2020-03-08T10:00:00+08:00.",
        )
    ]


def _waiver(fact: Fact) -> list[Problem]:
    if fact.kind != "waiver.granted":
        return []
    needs = [name for name in ("officer", "basis") if not fact.payload.get(name)]
    if fact.occurred_until is None and not fact.payload.get("until"):
        needs.append("until")
    return [
        _doubt(
            "waiver-incomplete",
            f"payload.{name}",
            "is missing in a waiver.",
            "A waiver names its officer, its basis and its end.",
        )
        for name in needs
    ]


def _doubt(code: str, field: str, message: str, remedy: str) -> Problem:
    return Problem(code=f"intake.{code}", message=message, remedy=remedy, field=field)
