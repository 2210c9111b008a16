"""What truly happens and is told: tests, confirmations, contacts, orders, journeys, discharges."""

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from passlight.simulation.outbreak.hours import DAY, HOUR, MINUTE, iso
from passlight.simulation.outbreak.infection import NEVER, Disease, Transmission
from passlight.simulation.outbreak.lists import RiskArea
from passlight.simulation.outbreak.senders import (
    CDC,
    COMMUNITY,
    HOSPITAL,
    SITE,
    TRANSPORT,
    Happening,
    Senders,
)
from passlight.simulation.outbreak.town import Town

SEEDS_MIN, SEEDS_EACH, SEEDS_MAX = 2, 400, 50
SEEDS_MORE_EACH = 5_000
SCREENED_SHARE = 0.006
SEEKS_CARE_SHARE = 0.7
SENSITIVITY = 0.92
FALSE_POSITIVE_SHARE = 0.0015
INVALID_SHARE = 0.005
FOUND_FROM, FOUND_UNTIL = 2 * DAY, 16 * DAY
TURNAROUND = (150, 240, 330, 420, 600, 960)
REVIEW = (20, 60, 120, 240, 480)
STAY_DAYS = (9, 11, 12, 14)
REVISION_HOURS = (14, 20, 28, 44)
CONTACT_TEST_DAYS = (1, 2, 4, 15, 16, 23)
COMPANION_TEST_DAYS = (1, 2, 3, 6)
TRAVEL_SHARE = 0.0015
ABROAD = ("KR", "JP", "US")
ORDER_DAYS = 14
ILL_AT_HOME_DAYS = 8
RESTS_SHARE = 0.5
NOT_YET = 2**62


@dataclass(slots=True)
class Confirmed:
    """One confirmation and everything that was told because of it."""

    told: list[Happening]
    false: bool


class Events:
    """The course of events in one world; ``plan`` is called once a day, before anybody moves."""

    def __init__(
        self,
        town: Town,
        disease: Disease,
        senders: Senders,
        areas: tuple[tuple[RiskArea, ...], ...],
    ) -> None:
        self._town, self._disease, self._senders = town, disease, senders
        self._draws = town.draws
        self._areas = [area for own in areas for area in own]
        self._tests: dict[int, dict[int, bool]] = defaultdict(dict)
        self.cases: dict[int, Confirmed] = {}
        #: When a person is in hospital or otherwise taken out of the town.
        self.away_from = np.full(town.people, NOT_YET, np.int64)
        self.away_until = np.full(town.people, NOT_YET, np.int64)
        for number in range(_seeds(town.people)):
            person = int(self._draws.one("seed", number) * town.people)
            self.infected(Transmission(person, NEVER, NEVER, 0, 0))

    def infected(self, found: Transmission) -> None:
        """Note an infection; most of those who fall ill ask for a test."""
        disease, person = self._disease, found.person
        if not disease.infect(found) or disease.asymptomatic[person]:
            return
        if self._draws.chance(SEEKS_CARE_SHARE, "seeks care", person):
            waits = self._draws.between("care after", (6, 20, 40, 72), person) * HOUR
            self._test_on(int(disease.onset_at[person] + waits) // DAY, person, ill=True)

    def _test_on(self, day: int, person: int, *, ill: bool = False) -> None:
        self._tests[day][person] = ill or self._tests[day].get(person, False)

    def contact_found(self, person: int, day: int) -> None:
        """Note that a companion was told on ``day``; most have the tests that are due."""
        if self._draws.chance(0.93, "has the tests", person, day):
            for later in COMPANION_TEST_DAYS:
                self._test_on(day + later, person)

    def plan(self, day: int) -> None:
        """Make what happens on ``day`` by nobody's movement, and tell it."""
        screened = self._draws.each("screened", np.arange(self._town.people), day)
        for person in np.flatnonzero(screened < SCREENED_SHARE).tolist():
            self._test_on(day, person)
        for person, ill in sorted(self._tests.pop(day, {}).items()):
            self._sample(person, day, ill=ill)
        travels = self._draws.each("travels", np.arange(self._town.people), day)
        for person in np.flatnonzero(travels < TRAVEL_SHARE).tolist():
            self._arrive(person, day)
        self._senders.deliver(SITE, day)

    def _sample(self, person: int, day: int, *, ill: bool) -> None:
        at = day * DAY + 8 * HOUR + int(self._draws.one("sampled", person, day) * 12 * 60) * MINUTE
        if self.away_from[person] <= at < self.away_until[person]:
            return
        minutes = self._draws.between("turnaround", TURNAROUND, person, day)
        reported = at + minutes * MINUTE
        value, true = self._value(person, at)
        result = Happening(
            source=SITE,
            kind="lab.result",
            key=f"result-{person}-{day}",
            person=person,
            at=reported,
            payload={
                "sample_id": f"s-{person}-{day}",
                "sampled_at": iso(at),
                "reported_at": iso(reported),
                "value": value,
            },
            true=true,
        )
        self._senders.tell(result)
        if ill:
            self._suspect(person, day, at, reported, cleared=value == "neg")
        if value == "pos" and person not in self.cases:
            self._confirm(person, result, sampled=at)

    def _value(self, person: int, at: int) -> tuple[str, bool]:
        """Return what the laboratory finds and whether it is so."""
        since = at - int(self._disease.infected_at[person])
        ill = self._disease.infected_at[person] != NEVER and FOUND_FROM <= since < FOUND_UNTIL
        turn = self._draws.one("result", person, at)
        if turn > 1 - INVALID_SHARE:
            return "invalid", True
        if ill:
            return ("pos", True) if turn < SENSITIVITY else ("neg", True)
        return ("pos", False) if turn < FALSE_POSITIVE_SHARE else ("neg", True)

    def _suspect(self, person: int, day: int, at: int, reported: int, *, cleared: bool) -> None:
        suspected = Happening(
            source=HOSPITAL,
            kind="case.suspected",
            key=f"suspected-{person}-{day}",
            person=person,
            at=at,
            payload={"case_id": f"s-{person}-{day}"},
        )
        self._senders.tell(suspected)
        # A suspicion that was confirmed has an end of its own: another case, of another key.
        ends = reported + (1 if cleared else 12) * HOUR
        ruled_out = replace(
            suspected, kind="case.ruled_out", key=f"ruled-out-{person}-{day}", at=ends
        )
        self._senders.tell(ruled_out)

    def _confirm(self, person: int, result: Happening, *, sampled: int) -> None:
        false = not result.true
        at = result.at + self._draws.between("review", REVIEW, person) * MINUTE
        quiet = self._disease.asymptomatic[person] or false
        name = f"{person}-{sampled // DAY}"  # a mistaken case may be followed by a true one
        payload: dict[str, str] = {"case_id": f"c-{name}", "sampled_at": iso(sampled)}
        if not quiet:
            payload["onset_at"] = iso(int(self._disease.onset_at[person]))
        case = Happening(
            source=CDC,
            kind="case.asymptomatic" if quiet else "case.confirmed",
            key=f"case-{name}",
            person=person,
            at=at,
            payload=payload,
            true=not false,
        )
        told = [case]
        self._senders.tell(case)
        self.cases[person] = Confirmed(told, false)
        self.away_from[person] = at
        for other in self._town.household_of(person):
            if other != person:
                told += self._household_contact(name, other, at, true=not false)
        if false:
            hours = self._draws.between("revised", REVISION_HOURS, person)
            self._revise(person, result, at + hours * HOUR)
            return
        leaves = at + self._draws.between("leaves", STAY_DAYS, person) * DAY + 7 * HOUR
        self.away_until[person] = leaves
        self._senders.tell(
            Happening(
                source=HOSPITAL,
                kind="case.discharged",
                key=f"discharged-{name}",
                person=person,
                at=leaves,
                payload={"case_id": payload["case_id"]},
            )
        )
        for later in CONTACT_TEST_DAYS:
            self._test_on((leaves + ORDER_DAYS * DAY) // DAY + later, person)

    def _household_contact(self, case: str, person: int, at: int, *, true: bool) -> list[Happening]:
        """Tell that somebody lives with a case, and the order that follows; test them."""
        key = f"{case}-{person}"
        contact = Happening(
            source=CDC,
            kind="exposure.assessed",
            key=f"contact-{key}",
            person=person,
            at=at,
            payload={"class": "close", "case_id": f"c-{case}", "relation": "household"},
            true=true,
        )
        order = Happening(
            source=COMMUNITY,
            kind="order.started",
            key=f"order-{key}",
            person=person,
            at=at + 2 * HOUR,
            payload={"order_id": f"o-{key}", "type": "home-isolation"},
            true=true,
        )
        lifted = Happening(
            source=COMMUNITY,
            kind="order.lifted",
            key=f"lifted-{key}",
            person=person,
            at=at + ORDER_DAYS * DAY,
            payload={"order_id": f"o-{key}"},
        )
        self._senders.tell(contact)
        self._senders.tell(order)
        self._senders.tell(lifted)
        for later in CONTACT_TEST_DAYS:
            self._test_on(at // DAY + later, person)
        return [contact, order]

    def _revise(self, person: int, result: Happening, at: int) -> None:
        """Take back a confirmation that was wrong, with all that came of it."""
        self._senders.tell(
            Happening(
                source=CDC,
                kind="lab.result",
                key=f"review-{person}-{at}",
                person=person,
                at=at,
                payload={**result.payload, "reported_at": iso(at), "value": "neg"},
            )
        )
        for one in self.cases.pop(person).told:
            self._senders.take_back(one, at=at)
        self.away_until[person] = at

    def _arrive(self, person: int, day: int) -> None:
        at = day * DAY + 9 * HOUR + int(self._draws.one("arrives", person, day) * 600) * MINUTE
        if self.away_from[person] <= at < self.away_until[person]:
            return
        left = at - self._draws.between("journey", (2, 4, 9), person, day) * HOUR
        turn = self._draws.one("from", person, day)
        if turn < 0.15:  # a share
            area, risk = ABROAD[int(turn / 0.15 * len(ABROAD))], 0.02
        else:
            place = self._areas[int((turn - 0.15) / 0.85 * len(self._areas))]
            listed = place.from_day <= left // DAY < place.until_day
            area, risk = place.area, 0.06 if listed else 0.005
        if self._draws.chance(risk, "brought", person, day):
            self.infected(Transmission(person, NEVER, NEVER, max(0, left - DAY), 0))
        self._senders.tell(
            Happening(
                source=TRANSPORT,
                kind="travel.arrived",
                key=f"arrival-{person}-{day}",
                person=person,
                at=at,
                payload={"from_area": area, "left_at": iso(left), "arrived_at": iso(at)},
            )
        )
        for later in CONTACT_TEST_DAYS:
            self._test_on(day + later, person)

    def stays_home(self, day: int) -> NDArray[np.bool_]:
        """Return who does not go out on ``day`` because of illness."""
        disease = self._disease
        since = day - disease.onset_at // DAY
        ill = (disease.onset_at != NEVER) & ~disease.asymptomatic
        rests = self._draws.each("rests", np.arange(self._town.people)) < RESTS_SHARE
        found: NDArray[np.bool_] = ill & (since >= 0) & (since < ILL_AT_HOME_DAYS) & rests
        return found


def _seeds(people: int) -> int:
    """Return with how many infections a world begins: a larger one begins with relatively few."""
    return max(SEEDS_MIN, min(people // SEEDS_EACH, SEEDS_MAX + people // SEEDS_MORE_EACH))
