"""Tracing in the simulated city: the product's definition, run on what venues recorded.

A confirmation that landed is traced some hours later over all whole days before; the visits of
that same day follow after midnight. When the case is corrected or taken back, what came of it is
withdrawn. Nothing here knows the truth: a wrong case finds wrong contacts.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from passlight.core.exposure.caps import HeldZone, case_place, held_zones
from passlight.core.exposure.exposure import Exposure, exposures_of
from passlight.core.exposure.parameters import TracingParameters, Ventilation
from passlight.core.exposure.visits import (
    VenueCheckIn,
    VenueCheckOut,
    VenueHours,
    Visit,
    visits_of,
)
from passlight.core.exposure.window import Case, CaseWindow, case_windows, infectious_window
from passlight.core.facts.fact import Fact, Op
from passlight.core.places.venue_code import Presence
from passlight.simulation.outbreak.hours import DAY, HOUR, MINUTE, instant, second_of
from passlight.simulation.outbreak.senders import TRACING, Happening, Senders
from passlight.simulation.outbreak.town import CLASSES, Place, Town, person_of, subject_of
from passlight.simulation.outbreak.visit_store import NOT_RECORDED, VisitStore

CASE_KINDS = ("case.confirmed", "case.asymptomatic")
TRACED_AFTER = (20, 45, 90, 180, 360)
WITHDRAWN_AFTER = 5 * MINUTE
DECIDED_AFTER = (60, 120, 240, 480, 900)
RELEASED_SHARE = 0.85
CLOSE_MINUTES, CLOSE_A_CASE = 240, 5
_POLICY_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(slots=True)
class TracedCase:
    """One version of one case and what tracing made of it.

    ``exposures`` are those that were told, at once or after an officer had released their zone;
    ``kept_back`` are the held zones that no officer released.
    """

    number: int
    fact: Fact
    isolated_at: datetime
    told: list[Happening] = field(default_factory=list)
    exposures: list[Exposure] = field(default_factory=list)
    at_once: int = 0
    held: list[HeldZone] = field(default_factory=list)
    kept_back: set[str] = field(default_factory=set)
    traced_at: int = 0
    withdrawn_at: int | None = None
    days: list[tuple[int, int]] = field(default_factory=list)


class Tracing:
    """Follows the cases of one world."""

    def __init__(
        self,
        town: Town,
        store: VisitStore,
        senders: Senders,
        *,
        parameters: TracingParameters,
        is_true: Callable[[int], bool],
    ) -> None:
        self._town, self._store, self._senders = town, store, senders
        self.parameters = parameters
        self._is_true = is_true
        self._due: dict[int, list[tuple[int, TracedCase]]] = defaultdict(list)
        self._rest: dict[int, list[TracedCase]] = defaultdict(list)
        self._current: dict[str, TracedCase] = {}
        self._versions: dict[str, int] = {}
        self.cases: list[TracedCase] = []

    def follow(self, facts: Iterable[Fact]) -> None:
        """Take in facts that landed: plan what is to be traced, withdraw what no longer holds."""
        for fact in facts:
            if fact.kind not in CASE_KINDS or fact.ver <= self._versions.get(fact.fact_id, 0):
                continue
            self._versions[fact.fact_id] = fact.ver
            recorded = second_of(fact.recorded_at)
            before = self._current.pop(fact.fact_id, None)
            if before is not None:
                self._withdraw(before, recorded + WITHDRAWN_AFTER)
            if fact.op is Op.ASSERT:
                number = len(self.cases)
                case = TracedCase(number=number, fact=fact, isolated_at=fact.occurred_at)
                self._current[fact.fact_id] = case
                self.cases.append(case)
                delay = self._town.draws.between("traced after", TRACED_AFTER, number) * MINUTE
                due = max(recorded + delay, second_of(fact.recorded_at))
                self._due[due // DAY].append((due, case))

    def run(self, day: int) -> None:
        """Trace what is due on ``day``, from the recorded days before it."""
        for case in self._rest.pop(day, []):
            if case.withdrawn_at is None:
                self._trace(case, day * DAY + 10 * MINUTE, first=day - 1, last=day - 1)
        for due, case in sorted(self._due.pop(day, []), key=lambda one: one[0]):
            if case.withdrawn_at is not None:
                continue
            begin = second_of(self.window(case).infectious.start or case.isolated_at)
            self._trace(case, due, first=max(0, begin // DAY - 1), last=day - 1)
            if second_of(case.isolated_at) // DAY >= day:
                self._rest[day + 1].append(case)

    def window(self, case: TracedCase) -> Case:
        """Return the case with its infectious time, as its fact states it."""
        payload = case.fact.payload
        return Case(
            case_id=str(payload["case_id"]),
            subject=case.fact.subject,
            infectious=infectious_window(
                onset_at=_read(payload.get("onset_at")),
                sampled_at=_read(payload.get("sampled_at")) or case.fact.occurred_at,
                isolated_at=case.isolated_at,
                parameters=self.parameters,
            ),
        )

    def _withdraw(self, case: TracedCase, at: int) -> None:
        case.withdrawn_at = at
        for one in case.told:
            self._senders.take_back(one, at=max(at, one.at))

    def _trace(self, case: TracedCase, due: int, *, first: int, last: int) -> None:
        case.traced_at = case.traced_at or due
        case.days.append((first, last))
        described = self.window(case)
        found, windows, others = self._exposures(described, first, last)
        counted = [one for one in found if one.counts(self.parameters)]
        present = _present(windows, others)
        held = held_zones(counted, present=present, cap=self.parameters.cap)
        waiting = {(one.case_id, one.venue, one.zone) for one in held}
        case.held += held
        at_once = [one for one in counted if case_place(one) not in waiting]
        case.at_once += len(at_once)
        for number, one in enumerate(at_once):
            self._tell(case, one, due + number // 50)
        for place in sorted(waiting):
            self._decide(case, [one for one in counted if case_place(one) == place], due)
        self._assess(case, counted, due)

    def _decide(self, case: TracedCase, found: list[Exposure], due: int) -> None:
        """Let an officer release what one zone holds, or keep it back."""
        zone = found[0].zone
        if not self._town.draws.chance(RELEASED_SHARE, "released", case.number, _number(zone)):
            case.kept_back.add(zone)
            return
        waits = self._town.draws.between("decided", DECIDED_AFTER, case.number, _number(zone))
        for number, one in enumerate(found):
            self._tell(case, one, due + waits * MINUTE + number // 50)

    def _tell(self, case: TracedCase, one: Exposure, at: int) -> None:
        case.exposures.append(one)
        place = f"{one.venue}/{one.zone}/{one.visit_key}/{one.case_visit_key}"
        told = Happening(
            source=TRACING,
            kind="exposure.derived",
            key=f"{case.fact.fact_id}@{case.fact.ver}/{place}",
            person=person_of(one.subject),
            at=second_of(one.since),
            until=second_of(one.until),
            payload={
                "case_id": one.case_id,
                "venue": one.venue,
                "minutes": one.minutes,
                "direct_minutes": one.direct_minutes,
                "params_hash": self.parameters.params_hash,
            },
            true=self._is_true(person_of(case.fact.subject)),
        )
        case.told.append(told)
        self._senders.tell(told, not_before=at)

    def _assess(self, case: TracedCase, found: list[Exposure], due: int) -> None:
        """Let an investigator name the closest of the companions, most minutes first."""
        close = sorted(found, key=lambda one: (-one.direct_minutes, one.subject, one.since))
        named: set[str] = set()
        for one in close:
            if one.direct_minutes < CLOSE_MINUTES or len(named) >= CLOSE_A_CASE:
                return
            if one.subject in named:
                continue
            named.add(one.subject)
            told = Happening(
                source="cdc",
                kind="exposure.assessed",
                key=f"assessed-{case.fact.fact_id}@{case.fact.ver}-{due}-{one.subject}",
                person=person_of(one.subject),
                at=second_of(one.since),
                until=second_of(one.until),
                payload={"class": "close", "case_id": one.case_id, "relation": "same-room"},
                true=self._is_true(person_of(case.fact.subject)),
            )
            case.told.append(told)
            self._senders.tell(told, not_before=due + 8 * HOUR)

    def _exposures(
        self, case: Case, first: int, last: int
    ) -> tuple[list[Exposure], list[CaseWindow], list[Visit]]:
        own = self._visits_of_people({person_of(case.subject)}, first, last)
        windows = case_windows(case, own, parameters=self.parameters, ventilation=self._ventilation)
        others = self._visits_near(windows, first, last)
        household = [subject_of(one) for one in self._town.household_of(person_of(case.subject))]
        found = exposures_of(
            windows,
            others,
            minutes_min=self.parameters.minutes_min,
            household={case.subject: household},
        )
        return found, windows, others

    def _ventilation(self, _venue: str, zone: str) -> Ventilation:
        return Ventilation(int(self._town.zones.ventilation[_number(zone)]))

    def _visits_near(self, windows: list[CaseWindow], first: int, last: int) -> list[Visit]:
        """Return the visits to the zones of the windows on the days that they touch."""
        people: dict[int, set[int]] = defaultdict(set)
        places: set[tuple[int, int]] = set()
        for window in windows:
            zone = _number(window.zone)
            for day in range(
                max(first, second_of(window.since) // DAY - 1),
                min(last, second_of(window.until) // DAY) + 1,
            ):
                places.add((day, zone))
        for day, zone in sorted(places):
            recorded = self._store.day(day)
            if recorded is not None:
                people[day].update(recorded.person[recorded.in_zone(zone)].tolist())
        zones = {zone for _, zone in places}
        found: dict[str, Visit] = {}
        for day, those in people.items():
            for visit in self._visits_of_people(those, day, day):
                if _number(visit.zone) in zones:
                    found[visit.key] = visit
        return [found[key] for key in sorted(found)]

    def _visits_of_people(self, people: set[int], first: int, last: int) -> list[Visit]:
        """Return all visits of these people that began on the days from first to last."""
        wanted = np.fromiter(sorted(people), np.int64, len(people))
        check_ins: list[VenueCheckIn] = []
        check_outs: list[VenueCheckOut] = []
        for day in range(first, last + 1):
            recorded = self._store.day(day)
            if recorded is None:
                continue
            rows = np.flatnonzero(np.isin(recorded.person, wanted))
            for person, zone, entered, left in zip(
                recorded.person[rows].tolist(),
                recorded.zone[rows].tolist(),
                recorded.entered[rows].tolist(),
                recorded.left[rows].tolist(),
                strict=True,
            ):
                venue, name = self._town.zones.names(zone)
                subject = subject_of(person)
                check_ins.append(
                    VenueCheckIn(
                        key=f"{day}-{person}-{entered}",
                        subject=subject,
                        venue=venue,
                        zone=name,
                        at=instant(day * DAY + entered * MINUTE),
                        presence=Presence.WEAK
                        if self._town.zones.poster[zone]
                        else Presence.STRONG,
                    )
                )
                if left != NOT_RECORDED:
                    out = instant(day * DAY + left * MINUTE)
                    check_outs.append(VenueCheckOut(subject=subject, venue=venue, at=out))
        return visits_of(
            check_ins,
            check_outs,
            hours=self._hours,
            parameters=self.parameters,
            timezone=_POLICY_ZONE,
        )

    def _hours(self, venue: str) -> VenueHours:
        number = int(venue.removeprefix("venue-"))
        zone = int(np.searchsorted(self._town.zones.venue, number))
        return VenueHours(kind=CLASSES[Place(int(self._town.zones.kind[zone]))])


def _present(windows: list[CaseWindow], visits: list[Visit]) -> dict[tuple[str, str, str], int]:
    """Return how many people were in each zone while it was dangerous."""
    people: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    by_place: dict[tuple[str, str], list[CaseWindow]] = defaultdict(list)
    for window in windows:
        by_place[window.venue, window.zone].append(window)
    for visit in visits:
        for window in by_place.get((visit.venue, visit.zone), ()):
            if visit.entered_at < window.until and window.since < visit.left_at:
                people[window.case_id, visit.venue, visit.zone].add(visit.subject)
    return {place: len(those) for place, those in people.items()}


def _number(zone: str) -> int:
    return int(zone.removeprefix("zone-"))


def _read(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
