"""Cases in the database: read from the facts again, with their windows, when anything changes."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passlight.core.exposure.parameters import TracingParameters
from passlight.core.exposure.window import Case, CaseWindow, case_windows
from passlight.core.facts.fact import Fact
from passlight.core.facts.identity import clusters
from passlight.core.kernel.interval import Interval
from passlight.core.places.venue_code import Presence
from passlight.office.exposures.models import PendingSweep, StoredWindow, TracedCase
from passlight.office.exposures.readings import CaseReading, household_of, read_cases
from passlight.office.exposures.states import CaseState, Origin, Reason
from passlight.office.exposures.visits import Places, visits_of_people
from passlight.office.facts.models import FactVersion
from passlight.office.facts.queries import facts_of, identity_facts
from passlight.office.facts.rows import to_fact
from passlight.office.people.models import Person

#: A case whose window ended before this many days had passed is history; a setting. Records of
#: visits are not kept much longer (field/08 3.4).
KEPT_DAYS: Final = timedelta(days=28)
# Added to a sweep that is already asked for, this is the reason that stays.
_RETRACTED = Reason.RETRACTED.value


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """Everybody who is one person, and who lives with them, in both domains of pseudonyms."""

    subjects: frozenset[str]
    own_keys: list[str]
    household_keys: list[str]


@dataclasses.dataclass(slots=True, kw_only=True)
class Tracing:
    """What one turn of tracing goes by: the parameters, the moment, venues and identities.

    The last two are read once a turn, and only when they are needed.
    """

    parameters: TracingParameters
    now: datetime
    places: Places = dataclasses.field(default_factory=Places)
    params_hash: str = dataclasses.field(init=False)
    _people: Mapping[str, frozenset[str]] | None = None

    def __post_init__(self) -> None:
        """Work out the hash once."""
        self.params_hash = self.parameters.params_hash

    def subjects_of(self, subject: str) -> frozenset[str]:
        """Return all subjects that are this person."""
        if self._people is None:
            self._people = clusters(identity_facts(), known_at=None)
        return self._people.get(subject, frozenset({subject}))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PersonReading:
    """The cases of one person as the facts tell them, and their circle."""

    subjects: frozenset[str]
    circle: Circle
    readings: list[CaseReading]


def read_person(subject: str, tracing: Tracing) -> PersonReading:
    """Return the cases of a person by these parameters; nothing is stored."""
    subjects = tracing.subjects_of(subject)
    facts = facts_of(subjects)
    readings = read_cases(facts, subjects, parameters=tracing.parameters)
    household = household_of([*facts, *_told_by_others(subjects)], subjects)
    return PersonReading(subjects=subjects, circle=_circle(subjects, household), readings=readings)


def refresh_person(subject: str, tracing: Tracing) -> list[TracedCase]:
    """Read the cases of a person again, and ask for a sweep of every venue that may differ."""
    person = read_person(subject, tracing)
    of_person = TracedCase.objects.filter(origin=Origin.FACT.value, subject__in=person.subjects)
    held = {case.fact_id: case for case in of_person}
    changed = [
        _refresh(reading, person.circle, held.pop(reading.fact_id, None), tracing)
        for reading in person.readings
    ]
    changed += [
        withdraw_case(case, tracing)
        for case in held.values()
        if case.state == CaseState.ACTIVE.value
    ]
    return changed


def _told_by_others(subjects: Collection[str]) -> list[Fact]:
    """Return the households that others say this person belongs to, in all their versions."""
    named = FactVersion.objects.filter(kind="relation.household").extra(
        where=["payload->>'other' = any(%s)"], params=[sorted(subjects)]
    )
    rows = FactVersion.objects.filter(fact_id__in=named.values("fact_id"))
    return [to_fact(row) for row in rows]


def _circle(subjects: frozenset[str], household: Collection[str]) -> Circle:
    known = dict(
        Person.objects.filter(facts_key__in=[*subjects, *household]).values_list(
            "facts_key", "visits_key"
        )
    )
    return Circle(
        subjects=subjects,
        own_keys=sorted(known[s] for s in subjects if s in known),
        household_keys=sorted(known[s] for s in household if s in known),
    )


def _refresh(
    reading: CaseReading,
    circle: Circle,
    case: TracedCase | None,
    tracing: Tracing,
) -> TracedCase:
    now = tracing.now
    assert reading.infectious.start is not None
    assert reading.infectious.end is not None
    if case is None:
        # Known under another subject before: the fact was sent again about this person.
        case = TracedCase.objects.filter(fact_id=reading.fact_id).first()
    before = None if case is None else (case.own_keys, case.household_keys, case.params_hash)
    case = case or TracedCase(fact_id=reading.fact_id, known_at=now)
    past = not case.pk and reading.infectious.end < now - KEPT_DAYS
    case.subject, case.kind, case.case_id = reading.subject, reading.kind, reading.case_id
    case.begins_by = reading.begins_by.value
    case.infectious_from, case.isolated_at = reading.infectious.start, reading.infectious.end
    case.is_isolated = reading.is_isolated
    case.own_keys, case.household_keys = circle.own_keys, circle.household_keys
    case.params_hash, case.refreshed_at = tracing.params_hash, now
    if past or case.state == CaseState.PAST.value:
        case.state = CaseState.PAST.value
        case.save()
        return case
    case.state = CaseState.ACTIVE.value
    after = (case.own_keys, case.household_keys, case.params_hash)
    reason = Reason.CASE if before is None or before[2] == after[2] else Reason.PARAMETERS
    case.save()
    windows = windows_of(case.fact_id, case.own_keys, reading.infectious, tracing)
    _store_windows(case, windows, every=before != after, reason=reason, now=now)
    return case


def windows_of(
    case_id: str, own_keys: Collection[str], infectious: Interval, tracing: Tracing
) -> list[CaseWindow]:
    """Return where somebody infected others, out of their own records."""
    if infectious.empty or not own_keys:
        return []
    parameters, places = tracing.parameters, tracing.places
    visits = visits_of_people(own_keys, infectious, places=places, parameters=parameters)
    return [
        window
        for key in own_keys
        for window in case_windows(
            Case(case_id=case_id, subject=key, infectious=infectious),
            visits,
            parameters=parameters,
            ventilation=places.ventilation,
        )
    ]


def withdraw_case(case: TracedCase, tracing: Tracing) -> TracedCase:
    """Take a case out: it was retracted, or is another person's; its venues are swept (E36)."""
    case.state, case.refreshed_at = CaseState.WITHDRAWN.value, tracing.now
    case.params_hash = tracing.params_hash
    case.save()
    _store_windows(case, [], every=True, reason=Reason.RETRACTED, now=tracing.now)
    return case


def _store_windows(
    case: TracedCase,
    windows: Collection[CaseWindow],
    *,
    every: bool,
    reason: Reason,
    now: datetime,
) -> None:
    """Put ``windows`` in place of what was stored; venues that differ, or all, are swept."""
    new = {row.visit: row for row in (_row(case, window) for window in windows)}
    old = {row.visit: row for row in case.windows.all()}
    differ = {
        row.venue_id
        for visit in new.keys() | old.keys()
        for row in (new.get(visit), old.get(visit))
        if row is not None and not _same(new.get(visit), old.get(visit))
    }
    if differ:
        case.windows.all().delete()
        StoredWindow.objects.bulk_create(new.values())
    if every:
        differ |= {row.venue_id for row in new.values()}
        differ |= set(case.batches.values_list("venue_id", flat=True))
    ask_sweeps(case, differ, reason=reason, due_at=now)


def ask_sweeps(
    case: TracedCase, venues: Iterable[UUID], *, reason: Reason, due_at: datetime
) -> None:
    """Ask for sweeps of ``venues``; one that is asked for already becomes due no later."""
    rows = [
        PendingSweep(case=case, venue_id=venue, reason=reason.value, due_at=due_at)
        for venue in sorted(set(venues))
    ]
    asked = {
        row.venue_id: row
        for row in PendingSweep.objects.filter(case=case, venue_id__in=[r.venue_id for r in rows])
    }
    for row in rows:
        waiting = asked.get(row.venue_id)
        if waiting is not None:
            waiting.due_at = min(waiting.due_at, due_at)
            waiting.reason = _RETRACTED if reason is Reason.RETRACTED else row.reason
            waiting.save(update_fields=["due_at", "reason"])
    PendingSweep.objects.bulk_create([row for row in rows if row.venue_id not in asked])


def core_window(row: StoredWindow, case: TracedCase) -> CaseWindow:
    """Return a stored window as the definition reads it."""
    return CaseWindow(
        case_id=case.fact_id,
        subject=row.visits_key or None,
        venue=str(row.venue_id),
        zone=row.zone,
        since=row.since,
        direct_until=row.direct_until,
        until=row.until,
        certain_direct_until=row.certain_direct_until,
        certain_until=row.certain_until,
        presence=Presence(row.presence),
        visit_key=row.visit,
    )


def _row(case: TracedCase, window: CaseWindow) -> StoredWindow:
    return StoredWindow(
        case=case,
        visit=window.visit_key,
        visits_key=window.subject or "",
        venue_id=UUID(window.venue),
        zone=window.zone,
        since=window.since,
        direct_until=window.direct_until,
        until=window.until,
        certain_direct_until=window.certain_direct_until,
        certain_until=window.certain_until,
        presence=int(window.presence),
    )


_FIELDS = (
    *("visits_key", "venue_id", "zone", "since", "direct_until", "until"),
    *("certain_direct_until", "certain_until", "presence"),
)


def _same(one: StoredWindow | None, other: StoredWindow | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(getattr(one, name) == getattr(other, name) for name in _FIELDS)
