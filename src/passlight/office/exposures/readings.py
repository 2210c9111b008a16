"""Cases as the facts tell them: from when somebody infected others, and until when.

The window is ``core.exposure.window.infectious_window``; here is only which fact is its onset,
its sample and its isolation.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from passlight.core.exposure.parameters import TracingParameters
from passlight.core.exposure.window import infectious_window
from passlight.core.facts.fact import Fact
from passlight.core.facts.history import current_facts, fact_order
from passlight.core.kernel.interval import Interval
from passlight.core.status.reading import payload_instant
from passlight.office.exposures.states import BeginsBy

CASE_KINDS: Final = frozenset({"case.confirmed", "case.asymptomatic"})
#: Facts that can change a case, its window, or who is left out.
FOLLOWED: Final = frozenset(
    {
        *CASE_KINDS,
        *("case.discharged", "symptom.reported", "lab.result", "lab.sampled"),
        *("order.started", "order.lifted", "stay", "relation.household"),
        *("identity.link", "identity.unlink", "identity.not_same"),
    }
)
#: Symptoms and samples so long before the case belong to it; a setting, never law.
BELONGS_DAYS: Final = timedelta(days=14)
#: Nobody recorded an isolation: the window is held open no longer than this; a setting.
OPEN_DAYS_MAX: Final = timedelta(days=14)
# Watched at home is not isolated; the words of the two seeds and of field/08 1.2.
_NOT_ISOLATING: Final = frozenset({"monitoring", "health-monitoring"})
_ISOLATING_PLACES: Final = frozenset({"hospital", "isolation"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReading:
    """A case with its infectious window, which always has an end."""

    fact_id: str
    subject: str
    kind: str
    case_id: str
    begins_by: BeginsBy
    infectious: Interval
    is_isolated: bool


def read_cases(
    facts: Iterable[Fact], own: Collection[str], *, parameters: TracingParameters
) -> list[CaseReading]:
    """Return the cases of one person, in the order of their ids.

    ``facts`` are all versions of the facts that ever named one of ``own``, the subjects that
    are this person. Two facts about one case (found positive, then confirmed) are one case,
    named by the earlier; a case of another id is another.
    """
    current = [fact for fact in current_facts(facts, known_at=None) if fact.subject in own]
    first: dict[str, Fact] = {}
    for fact in current:
        if fact.kind in CASE_KINDS:
            first.setdefault(str(fact.payload["case_id"]), fact)
    return [_reading(first[case_id], current, parameters) for case_id in sorted(first)]


def household_of(facts: Iterable[Fact], own: Collection[str]) -> set[str]:
    """Return who lives with this person, by any current relation of either side (E37)."""
    found: set[str] = set()
    for fact in current_facts(facts, known_at=None):
        if fact.kind == "relation.household":
            pair = {fact.subject, str(fact.payload.get("other", ""))}
            if pair & set(own):
                found |= pair
    return found - set(own) - {""}


def _reading(case: Fact, facts: list[Fact], parameters: TracingParameters) -> CaseReading:
    at = case.occurred_at
    onset = _onset(facts, at)
    sampled = _sampled(facts, at)
    begins_by = BeginsBy.CONFIRMATION
    if onset is not None or sampled is not None:
        by_onset = sampled is None or (onset is not None and onset <= sampled)
        begins_by = BeginsBy.ONSET if by_onset else BeginsBy.SAMPLE
    # Without either, the case itself stands for its sample, which was no later: the window is
    # too short rather than too long.
    window = infectious_window(
        onset_at=onset,
        sampled_at=sampled if sampled is not None or onset is not None else at,
        isolated_at=None,
        parameters=parameters,
    )
    assert window.start is not None
    isolated_at = _isolated(facts, case, window.start)
    latest = window.start + timedelta(hours=parameters.lead_hours) + OPEN_DAYS_MAX
    end = min(isolated_at, latest) if isolated_at is not None else latest
    return CaseReading(
        fact_id=case.fact_id,
        subject=case.subject,
        kind=case.kind,
        case_id=str(case.payload["case_id"]),
        begins_by=begins_by,
        infectious=Interval(window.start, max(end, window.start)),
        is_isolated=isolated_at is not None and isolated_at <= latest,
    )


def _onset(facts: Iterable[Fact], at: datetime) -> datetime | None:
    """Return the first symptom that belongs to the case."""
    found = [
        fact.occurred_at
        for fact in facts
        if fact.kind == "symptom.reported" and at - BELONGS_DAYS <= fact.occurred_at <= at
    ]
    return min(found, default=None)


def _sampled(facts: list[Fact], at: datetime) -> datetime | None:
    """Return when the first positive sample that belongs to the case was taken."""
    taken = {
        str(fact.payload["sample_id"]): payload_instant(fact, "sampled_at") or fact.occurred_at
        for fact in facts
        if fact.kind == "lab.sampled" and fact.payload.get("sample_id")
    }
    found = []
    for fact in facts:
        if fact.kind != "lab.result" or fact.payload.get("value") != "pos":
            continue
        sample = str(fact.payload.get("sample_id", ""))
        moment = payload_instant(fact, "sampled_at") or taken.get(sample) or fact.occurred_at
        if at - BELONGS_DAYS <= moment <= at + timedelta(days=1):
            found.append(moment)
    return min(found, default=None)


def _isolated(facts: list[Fact], case: Fact, since: datetime) -> datetime | None:
    """Return the first moment from ``since`` on at which the person was kept from others."""
    starts = []
    lifted = _lifted(facts)
    for fact in facts:
        if fact.kind == "order.started" and fact.payload.get("type") not in _NOT_ISOLATING:
            starts.append((fact.occurred_at, lifted.get(str(fact.payload.get("order_id")))))
        elif fact.kind == "stay" and fact.payload.get("place") in _ISOLATING_PLACES:
            starts.append((fact.occurred_at, fact.occurred_until))
        elif fact.kind == "case.discharged" and fact.payload["case_id"] == case.payload["case_id"]:
            starts.append((fact.occurred_at, None))
    admitted = payload_instant(case, "admitted_at")
    if admitted is not None:
        starts.append((admitted, None))
    kept = [max(start, since) for start, end in starts if end is None or end > max(start, since)]
    return min(kept, default=None)


def _lifted(facts: Iterable[Fact]) -> Mapping[str, datetime]:
    found: dict[str, datetime] = {}
    for fact in sorted(facts, key=fact_order):
        if fact.kind == "order.lifted":
            found.setdefault(str(fact.payload["order_id"]), fact.occurred_at)
    return found
